"""Waivers: findings that a recipe accepts."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from factory.audit.expectation import Expectation
from factory.audit.rules import table
from factory.audit.verdict import Finding
from factory.catalogue import Rule, Severity, Waiver
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="waiver-unused",
        severity=Severity.WARNING,
        summary="a waiver covers nothing",
        why="What it accepted is fixed, or its rule or subject is misspelt.",
        mend="Delete or correct it.",
        source="the recipe's audit.waive",
    ),
    Rule(
        id="waiver-expired",
        severity=Severity.WARNING,
        summary="a waiver has run out",
        why="Its findings count again.",
        mend="Fix what it accepts, or give it a new date and reason.",
        source="the recipe's audit.waive",
    ),
)

_SPECIAL = re.compile(r"[\[*?]")
_HASH = re.compile(r"(?<=[-_])[0-9a-f]{8,64}(?=\.|$)")
_SUFFIX = re.compile(r"(?<=\.)(?:cpython-|cp3|pypy3)[^/]*(?=\.(?:so|pyd)$)")
_VERSION = re.compile(r"(?<=-)[^/-]+(?=\.(?:data|dist-info)/)")
_LINES, _SUBJECT_CHARACTERS = 3, 200


def waive(findings: Iterable[Finding], waivers: Collection[Waiver], today: date) -> list[Finding]:
    """Mark the findings that a waiver covers, up to and including its last day."""
    return [_waived(finding, waivers, today) for finding in findings]


def _waived(finding: Finding, waivers: Iterable[Waiver], today: date) -> Finding:
    for waiver in waivers:
        if covers(waiver, finding) and (waiver.until is None or today <= waiver.until):
            return replace(finding, waived=waiver)
    return finding


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver, in force or not, is for a finding."""
    return waiver.rule == finding.rule and fnmatchcase(finding.subject, waiver.subject)


def judge_waivers(
    wheel: Wheel, expectation: Expectation, rules: Collection[str], idle: AbstractSet[Waiver], today: date
) -> Iterator[Finding]:
    """Find waivers that name none of the `rules`, that cover nothing any more (the `idle` ones), or that have run out.

    Before the repair an idle one is left alone: its rule may be one that only a repaired wheel is judged by.
    """
    for waiver in expectation.waivers:
        if waiver.rule not in rules:
            message = f"a waiver names {waiver.rule}; there is no such rule"
            yield Finding.of(RULES["waiver-unused"], wheel.filename, message)
        elif waiver in idle:
            if expectation.stage == "repaired":
                message = f"the waiver of {waiver.rule} on {waiver.subject} covers nothing"
                yield Finding.of(RULES["waiver-unused"], wheel.filename, message)
        elif waiver.until is not None and waiver.until < today:
            message = f"the waiver of {waiver.rule} ran out on {waiver.until}"
            yield Finding.of(RULES["waiver-expired"], wheel.filename, message)


def waiver_line(rule: Rule, findings: Iterable[Finding]) -> str:
    """Return the line of a recipe that accepts errors of a rule; empty where none fails, or where a field asks for it.

    What differs from build to build in a file's name, a graft's hash or a module's suffix, becomes `*`.
    """
    failing = [finding for finding in findings if finding.fails]
    if not failing or rule.has_own_field:
        return ""
    subjects = list(dict.fromkeys(subject_glob(finding.subject) for finding in failing))
    several = len(subjects) > _LINES or max(map(len, subjects)) > _SUBJECT_CHARACTERS or "*" in subjects
    items = ", ".join(_item(rule.id, subject) for subject in (["*"] if several else subjects))
    return f"audit: {{waive: [{items}]}}"


def _item(rule: str, subject: str) -> str:
    where = "" if subject == "*" else f" subject: {json.dumps(subject, ensure_ascii=False)},"
    return f'{{rule: {rule},{where} reason: "say why"}}'


def subject_glob(subject: str) -> str:
    """Write a finding's subject as a glob that also covers the next build and the other cells."""
    if subject.endswith(".whl") or not subject.isprintable():
        return "*"
    escaped = _SPECIAL.sub(r"[\g<0>]", subject)
    return _VERSION.sub("*", _SUFFIX.sub("*", _HASH.sub("*", escaped)))
