"""The gate: every check rules on the wheel, and the least that any of them allows is the verdict."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from factory.audit.abi3 import check_abi3, deserved_floor
from factory.audit.archives import check_archive
from factory.audit.hardening import check_hardening
from factory.audit.hygiene import check_hygiene
from factory.audit.linkage import check_libpython
from factory.audit.loading import check_loading
from factory.audit.metadata import check_metadata
from factory.audit.model import Audit, Check, Expectation, Finding, Ruling
from factory.audit.modules import check_modules, check_suffixes
from factory.audit.platforms import check_machines
from factory.audit.policies import check_policy
from factory.audit.rules import RULES, finding
from factory.audit.symbols import check_symbols
from factory.audit.tagging import check_tags
from factory.audit.texts import check_names, check_record
from factory.catalogue import Severity, Waiver
from factory.tags import PlatformTag
from factory.wheel import Wheel

CHECKS: tuple[Check, ...] = (
    check_archive,
    check_names,
    check_metadata,
    check_record,
    check_tags,
    check_policy,
    check_machines,
    check_loading,
    check_hardening,
    check_libpython,
    check_suffixes,
    check_modules,
    check_abi3,
    check_symbols,
    check_hygiene,
)
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def audit(wheel: Wheel, expectation: Expectation, today: date) -> Audit:
    """Judge a wheel. Waivers count up to and including their last day."""
    rulings = tuple(_in_order(check(wheel, expectation)) for check in CHECKS)
    found = [found for ruling in rulings for found in ruling.findings]
    judged = [_waive(each, expectation.waivers, today) for each in found]
    judged += _idle(wheel, expectation, found, today)
    return Audit(
        rulings=rulings,
        findings=tuple(sorted(judged, key=_rank)),
        deserves=_least(rulings),
        floor=deserved_floor(wheel, expectation),
    )


def _in_order(ruling: Ruling) -> Ruling:
    return replace(ruling, findings=tuple(sorted(ruling.findings, key=_rank)))


def _rank(found: Finding) -> tuple[int, str, str, str]:
    return _ORDER[found.severity], found.rule, found.subject, found.message


def _waive(found: Finding, waivers: Iterable[Waiver], today: date) -> Finding:
    for waiver in waivers:
        if _covers(waiver, found) and (waiver.until is None or today <= waiver.until):
            return replace(found, waived=waiver)
    return found


def _covers(waiver: Waiver, found: Finding) -> bool:
    return waiver.rule == found.rule and fnmatchcase(found.subject, waiver.subject)


def _idle(wheel: Wheel, expectation: Expectation, found: list[Finding], today: date) -> Iterator[Finding]:
    """Waivers that name no rule, cover nothing any more, or have run out.

    What is only judged after the repair is not missed before it.
    """
    for waiver in expectation.waivers:
        if waiver.rule not in RULES:
            yield finding("waiver-unused", wheel.filename, f"a waiver names {waiver.rule}; there is no such rule")
        elif not any(_covers(waiver, each) for each in found):
            if expectation.stage == "repaired":
                message = f"the waiver of {waiver.rule} on {waiver.subject} covers nothing"
                yield finding("waiver-unused", wheel.filename, message)
        elif waiver.until is not None and waiver.until < today:
            yield finding("waiver-expired", wheel.filename, f"the waiver of {waiver.rule} ran out on {waiver.until}")


def _least(rulings: Iterable[Ruling]) -> PlatformTag | None:
    """Take the oldest platform that every check with a say allows."""
    allowed = [ruling.allows for ruling in rulings if ruling.allows is not None]
    return min(frozenset.intersection(*allowed), default=None) if allowed else None
