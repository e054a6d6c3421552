"""How many findings a verdict keeps: a hostile wheel could give millions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

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
        for finding in findings[:_KEPT]:
            slim = finding if left - _characters(finding) >= room // 2 else _without_evidence(finding)
            left -= _characters(slim)
            if kept and left < 0:
                break
            kept.append(slim)
        self.left -= sum(map(_characters, kept))
        return kept


def _characters(finding: Finding) -> int:
    """Count a finding's characters as JSON writes them: what is not ASCII becomes escapes."""
    texts = (finding.subject, finding.message, *finding.evidence)
    return _FIELDS_CHARACTERS + sum(len(text.encode("unicode_escape", "surrogatepass")) for text in texts)


def _without_evidence(finding: Finding) -> Finding:
    if not finding.evidence:
        return finding
    return replace(finding, evidence=("its evidence is left out: the findings of this rule are too long together",))


def shortened(findings: Iterable[Finding], filename: str, rules: Mapping[str, Rule], room: Room) -> tuple[Finding, ...]:
    """Put findings in order, and keep the first under each rule, those that are waived apart.

    One more counts the rest, with the wheel's file name as its subject.
    """
    kept: list[Finding] = []
    in_order = sorted(findings, key=lambda finding: (rank(finding)[:2], finding.waived is not None, rank(finding)))
    for (rule, _), group in groupby(in_order, key=lambda finding: (finding.rule, finding.waived is not None)):
        of_rule = list(group)
        first = room.first(of_rule)
        kept += first
        if more := len(of_rule) - len(first):
            rest = Finding.of(rules[rule], filename, f"{more} more findings of this rule are not listed")
            kept.append(replace(rest, waived=of_rule[0].waived))
    return tuple(sorted(kept, key=rank))


def rank(finding: Finding) -> tuple[int, str, str, str]:
    """Return a finding's place among others: the gravest first, then by rule."""
    return _ORDER[finding.severity], finding.rule, finding.subject, finding.message
