from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit import RULES, Audit, Expectation, audit, waivers
from factory.audit.checks import CHECKS
from factory.wheel import read_wheel
from tests.corpus.cases import CASES, companions, rule_of
from tests.corpus.sample import TODAY, Sample
from tests.makers.wheels import make_wheel


def _judge(sample: Sample, folder: Path) -> Audit:
    return audit(read_wheel(sample.make(folder)), sample.expect, TODAY)


def test_every_rule_has_its_samples() -> None:
    assert {rule_of(case) for case in CASES} == set(RULES)


def test_no_two_checks_have_rules_of_one_name() -> None:
    assert sum(len(check.RULES) for check in CHECKS) + len(waivers.RULES) == len(RULES)


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(CASES) >= 110


@pytest.mark.parametrize("case", CASES)
def test_a_rule_finds_what_breaks_it_and_nothing_else(case: str, tmp_path: Path) -> None:
    verdict = _judge(CASES[case][0], tmp_path)

    found = {finding.rule for finding in verdict.findings}
    assert rule_of(case) in found
    assert found - companions(case) == {rule_of(case)}


@pytest.mark.parametrize("case", CASES)
def test_a_rule_leaves_alone_what_nearly_breaks_it(case: str, tmp_path: Path) -> None:
    verdict = _judge(CASES[case][1], tmp_path)

    assert rule_of(case) not in {finding.rule for finding in verdict.findings}
    assert verdict.passed


@pytest.mark.parametrize("tags", ["cp 39-abi3-any", "-abi3-any", "cp39-abi3-"])
def test_a_file_name_whose_tags_are_none_is_a_finding(tags: str, tmp_path: Path) -> None:
    path = make_wheel(tmp_path).rename(tmp_path / f"demo-1.0-{tags}.whl")

    assert "name-unreadable" in {finding.rule for finding in audit(read_wheel(path), Expectation(), TODAY).findings}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_says_why_it_hurts_how_to_mend_it_and_who_says_so(rule: str) -> None:
    texts = RULES[rule]

    assert texts.id == rule
    assert all((texts.summary, texts.why, texts.mend, texts.source))


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_findings_do_not_depend_on_the_order_of_members(case: str, tmp_path: Path) -> None:
    sample = CASES[case][0]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = None if sample.files is None else dict(reversed([*sample.files.items()]))

    turned = replace(sample, files=files)

    assert _judge(turned, tmp_path / "a") == _judge(sample, tmp_path / "b")
