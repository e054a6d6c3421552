from dataclasses import replace
from pathlib import Path

import pytest

from factory.audit import RULES, Audit, audit
from factory.wheel import read_wheel
from tests.unit.audit.samples import COMPANIONS, SAMPLES, TODAY, Sample


def _judge(sample: Sample, folder: Path) -> Audit:
    return audit(read_wheel(sample.make(folder)), sample.expect, TODAY)


def test_every_rule_has_its_samples() -> None:
    assert set(SAMPLES) == set(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_finds_what_breaks_it_and_nothing_else(rule: str, tmp_path: Path) -> None:
    verdict = _judge(SAMPLES[rule][0], tmp_path)

    found = {finding.rule for finding in verdict.findings}
    assert rule in found
    assert found - COMPANIONS.get(rule, set()) == {rule}


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_leaves_alone_what_nearly_breaks_it(rule: str, tmp_path: Path) -> None:
    verdict = _judge(SAMPLES[rule][1], tmp_path)

    assert rule not in {finding.rule for finding in verdict.findings}
    assert verdict.passed


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_says_why_it_hurts_how_to_mend_it_and_who_says_so(rule: str) -> None:
    texts = RULES[rule]

    assert texts.id == rule
    assert all((texts.summary, texts.why, texts.mend, texts.source))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_findings_do_not_depend_on_the_order_of_members(rule: str, tmp_path: Path) -> None:
    sample = SAMPLES[rule][0]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = None if sample.files is None else dict(reversed([*sample.files.items()]))

    turned = replace(sample, files=files)

    assert _judge(turned, tmp_path / "a") == _judge(sample, tmp_path / "b")
