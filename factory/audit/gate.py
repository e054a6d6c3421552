"""The gate: every check rules on the wheel, and the least that any of them allows is the verdict."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from itertools import groupby

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
_KEPT = 500
_RULE_CHARACTERS = 1 << 18  # of one rule's findings, as JSON writes them; honest wheels stay far below
_ALL_CHARACTERS = 1 << 20  # the same of all rules
_FIELDS_CHARACTERS = 200  # what JSON writes around the texts of a finding
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def audit(wheel: Wheel, expectation: Expectation, today: date) -> Audit:
    """Judge a wheel. Waivers count up to and including their last day.

    Under each rule so many findings are kept, and one that counts the rest: a hostile wheel could give millions. Long
    ones are fewer, and lose their evidence first.
    """
    rulings, judged, idle = [], list[Finding](), set(expectation.waivers)
    told, kept = _Room(), _Room()
    for check in CHECKS:
        ruling = check(wheel, expectation)
        rulings.append(replace(ruling, findings=_shortened(wheel, ruling.findings, told)))
        judged += _shortened(wheel, [_waive(found, expectation.waivers, today) for found in ruling.findings], kept)
        idle -= {waiver for waiver in idle if any(_covers(waiver, found) for found in ruling.findings)}
    judged += _idle(wheel, expectation, idle, today)
    return Audit(
        rulings=tuple(rulings),
        findings=tuple(sorted(judged, key=_rank)),
        deserves=_least(rulings),
        floor=deserved_floor(wheel, expectation),
    )


def unread(filename: str, reason: str) -> Audit:
    """Return the verdict on a wheel that could not be read within its reader's limits."""
    found = (finding("archive-too-large", filename, f"reading it {reason}"),)
    return Audit(rulings=(Ruling(check="archive", findings=found, allows=frozenset()),), findings=found)


@dataclass(slots=True)
class _Room:
    """How many characters a verdict's findings may still have together."""

    left: int = _ALL_CHARACTERS

    def first(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return the first findings that there is room for, at least one; those in the second half have no evidence."""
        room, kept = min(self.left, _RULE_CHARACTERS), list[Finding]()
        left = room
        for found in findings[:_KEPT]:
            slim = found if left - _characters(found) >= room // 2 else _without_evidence(found)
            left -= _characters(slim)
            if kept and left < 0:
                break
            kept.append(slim)
        self.left -= sum(map(_characters, kept))
        return kept


def _characters(found: Finding) -> int:
    """Count a finding's characters as JSON writes them: what is not ASCII becomes escapes."""
    texts = (found.subject, found.message, *found.evidence)
    return _FIELDS_CHARACTERS + sum(len(text.encode("unicode_escape", "surrogatepass")) for text in texts)


def _without_evidence(found: Finding) -> Finding:
    if not found.evidence:
        return found
    return replace(found, evidence=("its evidence is not listed: the findings of this rule are too long together",))


def _shortened(wheel: Wheel, findings: Iterable[Finding], room: _Room) -> tuple[Finding, ...]:
    """Put findings in order, and keep the first under each rule, those that are waived apart."""
    kept: list[Finding] = []
    alike = sorted(findings, key=lambda found: (_rank(found)[:2], found.waived is not None, _rank(found)))
    for _, group in groupby(alike, key=lambda found: (found.rule, found.waived is not None)):
        same = list(group)
        first = room.first(same)
        kept += first
        if more := len(same) - len(first):
            rest = finding(same[0].rule, wheel.filename, f"{more} more findings of this rule are not listed")
            kept.append(replace(rest, waived=same[0].waived))
    return tuple(sorted(kept, key=_rank))


def _rank(found: Finding) -> tuple[int, str, str, str]:
    return _ORDER[found.severity], found.rule, found.subject, found.message


def _waive(found: Finding, waivers: Iterable[Waiver], today: date) -> Finding:
    for waiver in waivers:
        if _covers(waiver, found) and (waiver.until is None or today <= waiver.until):
            return replace(found, waived=waiver)
    return found


def _covers(waiver: Waiver, found: Finding) -> bool:
    return waiver.rule == found.rule and fnmatchcase(found.subject, waiver.subject)


def _idle(wheel: Wheel, expectation: Expectation, idle: AbstractSet[Waiver], today: date) -> Iterator[Finding]:
    """Waivers that name no rule, cover nothing any more (the `idle` ones), or have run out.

    What is only judged after the repair is not missed before it.
    """
    for waiver in expectation.waivers:
        if waiver.rule not in RULES:
            yield finding("waiver-unused", wheel.filename, f"a waiver names {waiver.rule}; there is no such rule")
        elif waiver in idle:
            if expectation.stage == "repaired":
                message = f"the waiver of {waiver.rule} on {waiver.subject} covers nothing"
                yield finding("waiver-unused", wheel.filename, message)
        elif waiver.until is not None and waiver.until < today:
            yield finding("waiver-expired", wheel.filename, f"the waiver of {waiver.rule} ran out on {waiver.until}")


def _least(rulings: Iterable[Ruling]) -> PlatformTag | None:
    """Take the oldest platform that every check with a say allows."""
    allowed = [ruling.allows for ruling in rulings if ruling.allows is not None]
    return min(frozenset.intersection(*allowed), default=None) if allowed else None
