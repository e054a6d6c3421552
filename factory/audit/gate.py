"""The gate: every check rules on the wheel, and the least that any of them allows is the verdict."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from factory.audit.checks import CHECKS, RULES
from factory.audit.checks.abi3 import deserved_floor
from factory.audit.expectation import Expectation
from factory.audit.rules import finding
from factory.audit.shortening import Room, rank, shortened
from factory.audit.verdict import Audit, Finding, Ruling
from factory.audit.waivers import covers, judge_waivers, waive
from factory.tags import PlatformTag
from factory.wheel import Wheel


def audit(wheel: Wheel, expectation: Expectation, today: date) -> Audit:
    """Judge a wheel. Waivers count up to and including their last day.

    Under each rule so many findings are kept, and one that counts the rest: a hostile wheel could give millions. Long
    ones are fewer, and lose their evidence first.
    """
    rulings, judged, idle = [], list[Finding](), set(expectation.waivers)
    told, kept = Room(), Room()
    for check in CHECKS:
        ruling = check.check(wheel, expectation)
        rulings.append(replace(ruling, findings=shortened(ruling.findings, wheel.filename, RULES, told)))
        waived = waive(ruling.findings, expectation.waivers, today)
        judged += shortened(waived, wheel.filename, RULES, kept)
        idle -= {waiver for waiver in idle if any(covers(waiver, found) for found in ruling.findings)}
    judged += judge_waivers(wheel, expectation, RULES, idle, today)
    return Audit(
        rulings=tuple(rulings),
        findings=tuple(sorted(judged, key=rank)),
        deserves=_least(rulings),
        floor=deserved_floor(wheel, expectation),
    )


def unread(filename: str, reason: str) -> Audit:
    """Return the verdict on a wheel that could not be read within its reader's limits."""
    found = (finding(RULES["archive-too-large"], filename, f"reading it {reason}"),)
    return Audit(rulings=(Ruling(check="archive", findings=found, allows=frozenset()),), findings=found)


def _least(rulings: Iterable[Ruling]) -> PlatformTag | None:
    """Take the oldest platform that every check with a say allows."""
    allowed = [ruling.allows for ruling in rulings if ruling.allows is not None]
    return min(frozenset.intersection(*allowed), default=None) if allowed else None
