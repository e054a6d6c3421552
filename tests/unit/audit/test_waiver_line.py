"""The line that accepts an error, as a recipe would have it."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit import RULES, Audit, Finding, audit, waiver_line
from factory.catalogue import Waiver
from factory.recipe.parse import parse_recipe
from factory.wheel import read_wheel
from tests.corpus.cases import CASES, rule_of
from tests.corpus.sample import TODAY

RECIPE = """\
factory: 1
name: demo
source: {path: src}
interpreters: [cp311]
platforms: [manylinux_2_17_x86_64]
"""
REFUSED = [case for case in CASES if not case.startswith("waiver-") and not RULES[rule_of(case)].has_own_field]


def _waivers(line: str) -> tuple[Waiver, ...]:
    """Read the line as a part of a recipe."""
    return parse_recipe((RECIPE + line).encode(), Path("demo.yaml"), rules=frozenset(RULES)).audit.waive


def _lines(verdict: Audit) -> list[str]:
    by_rule: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in verdict.findings:
        by_rule[finding.rule].append(finding)
    return [line for rule, findings in by_rule.items() if (line := waiver_line(RULES[rule], findings))]


@pytest.mark.thorough
@pytest.mark.parametrize("case", REFUSED)
def test_the_lines_of_all_errors_let_the_wheel_pass(case: str, tmp_path: Path) -> None:
    sample = CASES[case][0]
    wheel = read_wheel(sample.make(tmp_path))
    verdict = audit(wheel, sample.expect, TODAY)

    waivers = tuple(waiver for line in _lines(verdict) for waiver in _waivers(line))

    assert audit(wheel, replace(sample.expect, waivers=waivers), TODAY).passed
    assert bool(waivers) is not verdict.passed


LINES = {
    "a graft": ("demo.libs/libgomp-e985bcbb.so.1.0.0", ' subject: "demo.libs/libgomp-*.so.1.0.0",'),
    "a module": ("demo/core.cpython-311-x86_64-linux-gnu.so", ' subject: "demo/core.*.so",'),
    "a module for Windows": ("demo/core.cp311-win_amd64.pyd", ' subject: "demo/core.*.pyd",'),
    "a text": ("demo-1.0.dist-info/METADATA", ' subject: "demo-*.dist-info/METADATA",'),
    "a name with brackets": ("demo/a[1].so", ' subject: "demo/a[[]1].so",'),
    "the wheel": ("demo-1.0-py3-none-any.whl", ""),
    "a name that no line can hold": ("demo/\x1b.so", ""),
}


@pytest.mark.parametrize("case", LINES)
def test_the_line_outlives_the_next_build(case: str) -> None:
    subject, shown = LINES[case]
    finding = Finding.of(RULES["static-tls"], subject, "has it")

    line = waiver_line(RULES["static-tls"], [finding])

    assert line == f'audit: {{waive: [{{rule: static-tls,{shown} reason: "say why"}}]}}'


def test_many_subjects_are_accepted_at_once() -> None:
    findings = [Finding.of(RULES["static-tls"], f"demo/{index}.so", "has it") for index in range(9)]

    assert waiver_line(RULES["static-tls"], findings) == 'audit: {waive: [{rule: static-tls, reason: "say why"}]}'


def test_what_a_field_of_the_recipe_asks_for_is_changed_there_and_not_waived() -> None:
    finding = Finding.of(RULES["tag-unexpected"], "demo-1.0-cp39-abi3-linux_x86_64.whl", "has cp39-abi3")

    assert finding.fails
    assert waiver_line(RULES["tag-unexpected"], [finding]) == ""
