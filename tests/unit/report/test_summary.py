"""A run as Markdown, read back by a Markdown parser."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from factory.events.model import CellEnded, Planned, RecipeFailed, Run, RunEnded, TrialResult
from factory.failure import Failure
from factory.report.summary import escape, render_summary
from factory.report.tally import tallies
from factory.tags import Interpreter
from factory.terminal import plain
from tests.makers.runs import make_artifact, make_cell, make_plan, make_record, make_run

ENDED = RunEnded(at="2026-01-01T00:00:09Z", duration_s=9.0, containers=2)
PARSER = MarkdownIt("gfm-like", {"linkify": False, "html": True})
BUILT = make_artifact(b"x", "spam-1.0-cp313-cp313-linux_x86_64.whl")


def make_night(failure: Failure | None = None) -> Run:
    """Two recipes: one passed as a whole; of the other one wheel passed, and one failed."""
    spam, old, new = make_cell(), make_cell("cp311-cp311-manylinux_2_31_x86_64", "eggs"), make_cell(recipe="eggs")
    trial = TrialResult(interpreter=Interpreter(13), image="trial", outcome="passed", duration_s=2.0)
    good = [CellEnded(record=make_record(cell=cell, built=BUILT, trials=(trial,))) for cell in (spam, new)]
    bad = make_record("failed", cell=old, failure=failure or Failure(step="build", message="no", log="logs/b.log"))
    plans = (Planned(plan=make_plan(spam)), Planned(plan=make_plan(old, new, recipe="eggs")))
    return make_run(*plans, *good, CellEnded(record=bad), ENDED)


def read(markdown: str) -> tuple[list[list[str]], Sequence[Token]]:
    """Return the rows of its table, and all inline tokens."""
    tokens = PARSER.parse(markdown)
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    rows, cells = [], list[str]()
    for before, token in pairwise(tokens):
        if token.type == "inline" and before.type in ("th_open", "td_open"):
            cells.append("".join(child.content for child in token.children or ()))
        if token.type == "tr_close":
            rows.append(cells)
            cells = []
    return rows, inline


def test_the_table_counts_owed_built_and_tried_wheels_of_each_recipe_and_of_all() -> None:
    rows, _ = read(render_summary(make_night()))

    assert rows == [
        ["recipe", "owed", "built", "passed", "trials", "seconds"],
        ["✅ spam", "1", "1", "1", "1 of 1", "2.0"],
        ["❌ eggs", "2", "1", "1", "1 of 2", "2.0"],
        ["❌ all 2", "3", "2", "2", "2 of 3", "4.0"],
    ]


def test_what_failed_is_listed_with_its_step_its_first_error_and_its_log() -> None:
    text = "".join(token.content for token in read(render_summary(make_night()))[1])

    assert "2 of 3 owed wheels passed in 9.0 s" in text
    assert "eggs/cp311-cp311-manylinux_2_31_x86_64: build failed: no (log: .factory/runs/r1/logs/b.log)" in text


def test_a_recipe_that_could_not_be_read_is_listed() -> None:
    run = make_run(RecipeFailed(recipe="eggs.yaml", message="it has a problem", hint="", exit_code=2), ENDED)

    assert "* **eggs\\.yaml**: it has a problem" in render_summary(run)


@pytest.mark.thorough
def test_a_summary_is_never_larger_than_a_job_may_have() -> None:
    cells = [make_cell(recipe=f"recipe-{number}") for number in range(2000)]
    failures = [Failure(step="build", message=f"{number}{'<' * 400}") for number in range(2000)]
    events = [Planned(plan=make_plan(cell, recipe=cell.recipe)) for cell in cells]
    ended = zip(cells, failures, strict=True)
    records = [CellEnded(record=make_record("failed", cell=cell, failure=failure)) for cell, failure in ended]

    text = render_summary(make_run(*events, *records, ENDED))

    assert len(text.encode()) < 1 << 20
    assert "There is more than fits here" in text or "and 1800 more" in text


@given(
    st.text()
    | st.lists(st.sampled_from(["|", "\n", "<b>", "[a](b)", "`", "**", "&amp;", "\\", "1. ", "@a"])).map("".join)
)
def test_a_text_is_shown_as_it_is_and_makes_neither_links_nor_tags_nor_rows(text: str) -> None:
    rows, inline = read(render_summary(make_night(Failure(step="build", message=text))))

    shown = "".join(token.content for token in inline if token.type in ("text", "text_special", "entity"))
    assert len(rows) == len(tallies(make_night())) + 2
    assert {token.type for token in inline} <= {"text", "text_special", "strong_open", "strong_close"}
    assert f"build failed: {plain(text)}".strip() in shown
    assert "\n" not in escape(text)
