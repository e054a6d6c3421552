"""The gate: every check rules on the wheel, and the verdict allows only what all of them allow."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from factory.audit.checks import CHECKS, RULES
from factory.audit.checks.abi3 import deserved_floor
from factory.audit.expectation import Expectation
from factory.audit.shortening import Room, rank, shortened
from factory.audit.verdict import Audit, Finding, Ruling
from factory.audit.waivers import covers, judge_waivers, waive
from factory.tags import PlatformTag
from factory.wheel import Wheel


def audit(wheel: Wheel, expectation: Expectation, today: date) -> Audit:
    """Judge a wheel. Waivers count up to and including their last day.

    Of each rule a limited number of findings is kept, with one that counts the rest, because a hostile wheel could
    cause millions. Of long findings fewer are kept, and their evidence is left out first.
    """
    rulings, findings, idle = [], list[Finding](), set(expectation.waivers)
    room_of_rulings, room = Room(), Room()
    for check in CHECKS:
        ruling = check.check(wheel, expectation)
        rulings.append(replace(ruling, findings=shortened(ruling.findings, wheel.filename, RULES, room_of_rulings)))
        waived = waive(ruling.findings, expectation.waivers, today)
        findings += shortened(waived, wheel.filename, RULES, room)
        idle -= {waiver for waiver in idle if any(covers(waiver, finding) for finding in ruling.findings)}
    findings += judge_waivers(wheel, expectation, RULES, idle, today)
    return Audit(
        rulings=tuple(rulings),
        findings=tuple(sorted(findings, key=rank)),
        deserves=_least(rulings),
        floor=deserved_floor(wheel, expectation),
    )


def unread(filename: str, reason: str) -> Audit:
    """Return the verdict on a wheel that could not be read within its reader's limits."""
    findings = (Finding.of(RULES["archive-too-large"], filename, f"reading it {reason}"),)
    return Audit(rulings=(Ruling(check="archive", findings=findings, allows=frozenset()),), findings=findings)


def _least(rulings: Iterable[Ruling]) -> PlatformTag | None:
    """Take the oldest platform that every check with a say allows."""
    allowed = [ruling.allows for ruling in rulings if ruling.allows is not None]
    return min(frozenset.intersection(*allowed), default=None) if allowed else None
