"""The timings of a run: who worked when, what its end waited for, and the page that shows it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from factory.events.model import (
    CellEnded,
    CellRecord,
    Event,
    JobEnded,
    JobStarted,
    RunEnded,
    RunStarted,
    StepEnded,
    StepOutcome,
    StepStarted,
    TrialEnded,
    TrialResult,
    WorkStarted,
)
from factory.report.timeline import Timeline, timeline_of
from factory.report.timings import chart_of, render_timings, summary
from factory.tags import Interpreter
from tests.makers.runs import make_cell

CELL = make_cell()
A, B, C = "image:a", "spam/b", "spam/b@cp313"


def at(time_s: float) -> str:
    return f"2026-01-01T00:{int(time_s // 60):02}:{time_s % 60:06.3f}Z"


def begun(workers: int = 2) -> list[Event]:
    return [RunStarted(run="r1", at=at(0), version="0", folder="r1"), WorkStarted(at=at(1), workers=workers)]


def step(
    subject: str, begin_s: float, end_s: float, name: str = "build", outcome: StepOutcome = "passed"
) -> list[Event]:
    took_s = end_s - begin_s
    return [
        StepStarted(subject=subject, step=name, at=at(begin_s)),
        StepEnded(subject=subject, step=name, at=at(end_s), duration_s=took_s, outcome=outcome),
    ]


def job(subject: str, begin_s: float, end_s: float) -> list[Event]:
    return [JobStarted(subject=subject, at=at(begin_s)), JobEnded(subject=subject, at=at(end_s))]


def ended(time_s: float) -> list[Event]:
    return [RunEnded(at=at(time_s), duration_s=time_s, containers=0)]


def timeline(*events: list[Event], end_s: float = 10, workers: int = 2) -> Timeline:
    """Read events in the order of their times, as a run writes them."""
    between = sorted((event for part in events for event in part), key=lambda event: getattr(event, "at", ""))
    return timeline_of([*begun(workers), *between, *ended(end_s)])


def test_jobs_are_laid_out_on_as_few_rows_as_ran_at_once() -> None:
    read = timeline(job(A, 1, 4), job(B, 2, 6), job(C, 4, 9), job("ham/c", 6, 7))

    assert [(timed.subject, timed.row) for timed in read.jobs] == [(A, 0), (B, 1), (C, 0), ("ham/c", 1)]


def test_work_that_jobs_share_lies_on_rows_below_and_keeps_no_worker_busy() -> None:
    read = timeline(job(A, 1, 9), step("volume:rust", 2, 5, "fill-volume"), step("crates:spam", 3, 4, "crates"))

    assert [(timed.subject, timed.row, timed.is_shared) for timed in read.jobs] == [
        (A, 0, False),
        ("volume:rust", 1, True),
        ("crates:spam", 2, True),
    ]
    assert read.busy == ((1.0, 1), (9.0, 0))


def test_the_end_waits_for_a_chain_of_jobs_each_of_which_ended_last_before_the_next_began() -> None:
    read = timeline(job(A, 1, 3), job("image:b", 1, 2), job(B, 3, 7), job("ham/c", 2, 6), job(C, 7, 9))

    assert {timed.subject for timed in read.jobs if timed.is_critical} == {A, B, C}


def test_the_idle_share_is_of_the_workers_time_since_jobs_began() -> None:
    read = timeline(job(A, 1, 10), job(B, 1, 5.5), end_s=10)

    assert read.idle_share == pytest.approx(0.25)
    assert "There were 2 workers, which were idle for 25% of their time." in summary(read)


def test_a_step_of_the_load_belongs_to_the_job_of_its_cell() -> None:
    read = timeline(job(B, 1, 5), step(B, 1, 3), step(f"{B}@load", 3, 5, "load"))

    (timed,) = read.jobs
    assert [(part.name, part.took_s) for part in timed.steps] == [("build", 2.0), ("load", 2.0)]


def test_a_run_whose_events_name_no_jobs_is_read_by_its_steps() -> None:
    read = timeline(step(B, 1, 3), step(B, 4, 5, "repair"))

    assert [(timed.begin_s, timed.end_s) for timed in read.jobs] == [(1.0, 5.0)]


def test_what_a_killed_run_left_open_ends_with_its_last_event_as_lost() -> None:
    open_step = [StepStarted(subject=B, step="build", at=at(2))]

    read = timeline_of([*begun(), *open_step, *job(A, 1, 7)])

    assert read.duration_s == 7.0
    assert [(part.end_s, part.outcome) for timed in read.jobs for part in timed.steps] == [(7.0, "lost")]


def test_a_clock_that_is_set_back_turns_no_time_negative() -> None:
    read = timeline_of([*begun(), *step(B, 5, 2), *ended(1)])

    assert [timed.took_s for timed in read.jobs] == [0.0]
    assert read.duration_s == 5.0


def test_what_came_from_the_store_is_said() -> None:
    trial = TrialResult(interpreter=Interpreter(13), image="trial", outcome="passed", from_store=True)
    cached: list[Event] = [
        CellEnded(record=CellRecord(cell=CELL, status="cached", from_store=True)),
        TrialEnded(address=f"{CELL.address}@cp313", trial=trial),
    ]

    read = timeline_of([*begun(), *job(CELL.address, 1, 1), *job(f"{CELL.address}@cp313", 1, 2), *cached, *ended(2)])

    assert [timed.from_store for timed in read.jobs] == [True, True]
    assert "The run took 2.0 s for 2 jobs; 2 came from the store." in summary(read)


@dataclass
class Page(HTMLParser):
    """A page, read as a browser reads its elements."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, text: str) -> "Page":
        page = cls()
        page.feed(text)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass  # an element without an end, such as meta

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


EVIL = 'spam/<script>alert("1")</script>\x1b[31m'


def page() -> tuple[Timeline, Page, str]:
    read = timeline(
        job(A, 1, 3),
        step(A, 1, 3, "image"),
        job(EVIL, 3, 9),
        step(EVIL, 3, 5, "install"),
        step(EVIL, 5, 9, "build", "failed"),
        step("volume:rust", 4, 5, "fill-volume"),
    )
    text = render_timings(read)
    return read, Page.of(text), text


def test_the_page_needs_no_script_and_no_network() -> None:
    _, read, text = page()

    tags = {tag for tag, _ in read.elements}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form"})
    named = {name for _, attributes in read.elements for name in attributes}
    assert not {name for name in named if name in ("src", "href", "srcset", "style") or name.startswith("on")}
    assert "url(" not in text
    assert "@import" not in text
    assert "//" not in text.replace("<!DOCTYPE html>", "")


def test_names_can_add_nothing_to_the_page() -> None:
    _, read, text = page()

    assert "\x1b" not in text
    assert 'spam/<script>alert("1")</script>' in read.rows[2][0]


def test_the_table_has_a_row_for_each_job_with_all_that_the_chart_shows() -> None:
    timed, read, _ = page()

    head, *rows = read.rows
    assert head == ["job", "row", "began", "took", "waited for", "steps"]
    assert [row[0] for row in rows] == [A, rows[1][0], "volume:rust"]
    assert rows[1][1:] == ["worker 1", "3.0", "6.0", "yes", "install 2.0, build 4.0 (failed)"]
    assert rows[2][1] == "shared"
    assert len(rows) == len(timed.jobs)
    assert [th.get("scope") for th in read.all("th")] == ["col"] * 6 + ["row"] * 3
    assert len(read.all("caption")) == 1


def test_the_drawing_has_a_name_and_says_where_the_same_can_be_read() -> None:
    _, read, text = page()

    drawing = read.all("svg")[0]
    ids = {attributes.get("id") for _, attributes in read.elements}
    assert drawing["role"] == "img"
    assert set(str(drawing["aria-labelledby"]).split()) <= ids
    assert read.all("html")[0]["lang"] == "en"
    assert "The table below lists every job with its steps." in text


def test_everything_is_drawn_within_the_drawing() -> None:
    _, read, _ = page()

    _, _, width, height = map(float, str(read.all("svg")[0]["viewbox"]).split())
    drawn = read.all("rect")
    assert len(drawn) >= 3 + 4
    for rect in drawn:
        x, y, w, h = (float(str(rect[name])) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width + 1
        assert 0 <= y <= y + h <= height


def test_a_failed_step_has_the_colour_of_failures_in_the_chart() -> None:
    read, _, _ = page()

    phases = [part.phase for bar in chart_of(read).bars for part in bar.parts]
    assert phases == ["image", "prepare", "bad", "image"]


def test_a_run_without_jobs_has_a_page_too() -> None:
    read = timeline_of([*begun()[:1], *ended(0)])

    assert Page.of(render_timings(read)).rows == [["job", "row", "began", "took", "waited for", "steps"]]
