"""An audit as a person reads it."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from factory.audit import RULES, Audit, Finding, waiver_line
from factory.catalogue import Severity
from factory.terminal import plain

Line: TypeAlias = tuple[tuple[str, str], ...]
"""Spans of one line, each with its style as rich names it; every text is fit to print."""

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
_ERRORS, _ALIKE = 20, 3


def render_audit(filename: str, verdict: Audit, *, passed: bool | None = None) -> Iterator[Line]:
    """Render one wheel's verdict; `passed` overrides the audit's own answer where warnings count too."""
    word, style = ("passed", "green") if (verdict.passed if passed is None else passed) else ("refused", "bold red")
    deserved = f", deserves {verdict.deserves}" if verdict.deserves is not None else ""
    floor = f", abi3 floor {verdict.floor}" if verdict.floor is not None else ""
    yield (plain(filename), "bold"), (": ", ""), (word, style), (f"{deserved}{floor}", "")
    for rule, findings in groupby(verdict.findings, key=lambda finding: finding.rule):
        yield from _section(rule, list(findings))


def _section(rule: str, findings: Sequence[Finding]) -> Iterator[Line]:
    """Show the first errors under one rule, fewer of warnings and notes, and how many more there are."""
    shown = findings[: _ERRORS if findings[0].severity is Severity.ERROR else _ALIKE]
    for finding in shown:
        waived = " (waived)" if finding.waived is not None else ""
        text = plain(f" {finding.rule}{waived}: {finding.subject}: {finding.message}")
        yield (f"  {finding.severity}", _STYLES[finding.severity]), (text, "")
        yield from (((plain(f"    {evidence}"), "dim"),) for evidence in finding.evidence)
    if len(shown) < len(findings):
        yield ((f"    and {len(findings) - len(shown)} more of {rule}; --json lists more", "dim"),)
    yield ((f"    fix: {RULES[rule].mend}", "dim"),)
    if accepting := waiver_line(RULES[rule], findings):
        yield ((plain(f"    or accept it in the recipe: {accepting}"), "dim"),)
