"""How many findings a verdict keeps: a hostile wheel could give millions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from factory.audit.rules import finding
from factory.audit.verdict import Finding
from factory.catalogue import Rule, Severity

_KEPT = 500
_RULE_CHARACTERS = 1 << 18  # of one rule's findings, as JSON writes them; honest wheels stay far below
_ALL_CHARACTERS = 1 << 20  # the same of all rules
_FIELDS_CHARACTERS = 200  # what JSON writes around the texts of a finding
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(slots=True)
class Room:
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


def shortened(findings: Iterable[Finding], filename: str, rules: Mapping[str, Rule], room: Room) -> tuple[Finding, ...]:
    """Put findings in order, and keep the first under each rule, those that are waived apart.

    One more counts the rest, with the wheel's file name as its subject.
    """
    kept: list[Finding] = []
    alike = sorted(findings, key=lambda found: (rank(found)[:2], found.waived is not None, rank(found)))
    for (rule, _), group in groupby(alike, key=lambda found: (found.rule, found.waived is not None)):
        same = list(group)
        first = room.first(same)
        kept += first
        if more := len(same) - len(first):
            rest = finding(rules[rule], filename, f"{more} more findings of this rule are not listed")
            kept.append(replace(rest, waived=same[0].waived))
    return tuple(sorted(kept, key=rank))


def rank(found: Finding) -> tuple[int, str, str, str]:
    """Return a finding's place among others: the gravest first, then by rule."""
    return _ORDER[found.severity], found.rule, found.subject, found.message
