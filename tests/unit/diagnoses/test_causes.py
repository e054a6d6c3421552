"""Why commands fail: what real tools printed, and what is made of it."""

import json
from pathlib import Path

import pytest

from factory.diagnoses.causes.cause import Cause
from factory.diagnoses.causes.reasons import REASONS
from factory.diagnoses.causes.table import CAUSES, explain_command
from factory.diagnoses.owners import listed
from factory.diagnoses.searchable import searchable

OUTPUTS = Path(__file__).parents[2] / "data" / "causes"

SAID = {
    name: (said["said"], said["hint"])
    for name, said in json.loads(OUTPUTS.with_suffix(".json").read_text(encoding="utf-8")).items()
}
"""The sentence and the way out for each output of `tests/data/causes`; those of `pytest-…` are of tests."""


def output_of(name: str) -> str:
    return (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8")


def kind_of(name: str) -> str:
    return "test" if name.startswith("pytest-") else "build"


@pytest.mark.parametrize("name", SAID)
def test_what_a_tool_printed_is_told_with_the_line_to_write(name: str) -> None:
    known = explain_command(output_of(name), "test" if name.startswith("pytest-") else "build")

    assert known is not None
    assert (known.sentence, known.hint) == SAID[name]


def test_every_output_is_told() -> None:
    assert {path.stem for path in OUTPUTS.iterdir()} == set(SAID)


def test_every_row_of_the_table_explains_an_output_of_a_real_tool() -> None:
    explained = {_cause_of(name) for name in SAID}

    assert [cause.patterns for cause in (*CAUSES, *REASONS) if id(cause) not in explained] == []
    assert len(CAUSES) > 60


def _cause_of(name: str) -> int | None:
    """Return the row that makes an output's sentence and hint."""
    wanted, output = SAID[name], output_of(name)
    rows = [cause for cause in (*CAUSES, *REASONS) if cause.kind in (kind_of(name), "reason")]
    return next((id(cause) for cause in rows if wanted in _told(cause, output)), None)


def _told(cause: Cause, output: str) -> list[tuple[str, str]]:
    diagnoses = (cause.diagnosis(match, listed) for match in cause.found(searchable(output)))
    return [(diagnosis.sentence, diagnosis.hint) for diagnosis in diagnoses]


def test_what_a_build_looked_for_in_vain_and_went_on_without_is_not_the_cause() -> None:
    known = explain_command(output_of("shell-program") + output_of("rust-error"), "build")

    assert known is not None
    assert (known.sentence, known.hint) == SAID["rust-error"]


def test_the_last_of_several_causes_counts() -> None:
    known = explain_command(output_of("meson-program") + output_of("header-image"), "build")

    assert known is not None
    assert known.sentence == SAID["header-image"][0]


def test_the_wrapper_below_a_cause_is_not_the_cause() -> None:
    assert "CalledProcessError" in output_of("cmake-message")

    known = explain_command(output_of("cmake-message"), "build")

    assert known is not None
    assert known.sentence == SAID["cmake-message"][0]


def test_a_build_is_not_told_what_tests_lack() -> None:
    assert explain_command(output_of("pytest-option"), "build") is None


def test_an_unknown_message_has_no_cause() -> None:
    assert explain_command("all is well\nor so it seems\n", "build") is None
