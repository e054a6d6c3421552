"""A run's timings as one HTML page: a chart of jobs and steps in time, and the same as a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import jinja2

import factory.report
from factory.report.timeline import TimedJob, TimedStep, Timeline
from factory.terminal import plain

_TEMPLATE: Final = "timings.html.j2"
_WIDTH, _LEFT, _TOP, _ROW, _GAP, _LOAD = 1200.0, 70.0, 18.0, 28.0, 4.0, 40.0
_TICKS: Final = 10
_NICE_S: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
_MINUTE_S: Final = 60
_STORED: Final = ", from the store"

PHASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prepare": "prepare",
        "build": "build",
        "prove": "repair, audit, load, try",
        "image": "image, container, volume",
        "other": "anything else",
        "bad": "failed, timed out or lost",
    }
)
_PHASE_OF: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("source", "resolve", "crates", "environment", "install", "requirements", "reset-source"), "prepare")
    | dict.fromkeys(("before", "build", "no-interpreter", "programs", "zig-libraries", "zig-cache"), "build")
    | dict.fromkeys(("repair", "audit", "unpack", "load", "import", "start-commands"), "prove")
    | dict.fromkeys(("wrap-programs", "old-processor", "test", "import-origins"), "prove")
    | dict.fromkeys(("image", "container", "package-sources", "before-all", "packages", "package-list"), "image")
    | dict.fromkeys(("save-image", "compile-tools", "compile-userland", "fill-volume"), "image")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A step within a bar."""

    x: float
    width: float
    phase: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A job in the chart."""

    x: float
    y: float
    width: float
    height: float
    name: str
    words: str
    is_critical: bool
    from_store: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A time in which the same number of workers was busy; its height is their share."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text at a place of the chart."""

    x: float
    y: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything that is drawn, in the units of the drawing."""

    width: float
    height: float
    ticks: tuple[Words, ...]
    labels: tuple[Words, ...]
    bars: tuple[Bar, ...]
    blocks: tuple[Block, ...]


def render_timings(timeline: Timeline) -> str:
    """Render a run's timings; texts of packages are shown as they are, and can add nothing to the page."""
    template = files(factory.report).joinpath(_TEMPLATE).read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=False)
    shown = replace(timeline, jobs=tuple(replace(job, subject=plain(job.subject)) for job in timeline.jobs))
    return environment.from_string(template).render(
        timeline=shown, chart=chart_of(shown), phases=PHASES, summary=summary(shown), row_name=row_name
    )


def summary(timeline: Timeline) -> str:
    """Say in a few sentences how long the run took, what came from the store, and how busy the workers were."""
    jobs = [job for job in timeline.jobs if not job.is_shared]
    stored = sum(job.from_store for job in jobs)
    sentences = [f"The run took {_time(timeline.duration_s)} for {len(jobs)} jobs; {stored} came from the store."]
    if timeline.workers:
        share = f"{timeline.idle_share:.0%}"
        sentences.append(f"There were {timeline.workers} workers, which were idle for {share} of their time.")
    return " ".join([*sentences, *_waited([job for job in jobs if job.is_critical])])


def _waited(critical: Sequence[TimedJob]) -> Iterator[str]:
    if critical:
        waited_s, names = sum(job.took_s for job in critical), ", ".join(job.subject for job in critical)
        yield f"The end waited for {len(critical)} jobs, {_time(waited_s)} of work: {names}."


def row_name(job: TimedJob) -> str:
    """Name the row of a job."""
    return "shared" if job.is_shared else f"worker {job.row + 1}"


def chart_of(timeline: Timeline) -> Chart:
    """Lay a run out."""
    scale = (_WIDTH - _LEFT) / max(timeline.duration_s, 0.1)
    bars = tuple(_bar(job, scale) for job in timeline.jobs)
    bottom = max((bar.y + bar.height for bar in bars), default=_TOP) + 2 * _GAP
    rows = {job.row: row_name(job) for job in timeline.jobs}
    labels = [Words(x=0, y=_y(row) + 14, words=name) for row, name in sorted(rows.items())]
    if timeline.workers:
        labels.append(Words(x=0, y=bottom + 14, words="busy"))
    return Chart(
        width=_WIDTH,
        height=bottom + (_LOAD if timeline.workers else 0),
        ticks=tuple(_ticks(timeline.duration_s, scale)),
        labels=tuple(labels),
        bars=bars,
        blocks=tuple(_blocks(timeline, scale, bottom)) if timeline.workers else (),
    )


def _y(row: int) -> float:
    return _TOP + row * (_ROW + _GAP)


def _bar(job: TimedJob, scale: float) -> Bar:
    return Bar(
        x=round(_LEFT + job.begin_s * scale, 2),
        y=_y(job.row),
        width=max(1.0, round(job.took_s * scale, 2)),
        height=_ROW,
        name=job.subject,
        words=f"{job.subject}: {_time(job.took_s)}, from {_time(job.begin_s)} on{_STORED if job.from_store else ''}",
        is_critical=job.is_critical,
        from_store=job.from_store,
        parts=tuple(_part(step, scale) for step in job.steps),
    )


def _part(step: TimedStep, scale: float) -> Part:
    return Part(
        x=round(_LEFT + step.begin_s * scale, 2),
        width=max(0.5, round(step.took_s * scale, 2)),
        phase=_PHASE_OF.get(step.name, "other") if step.outcome == "passed" else "bad",
        words=f"{step.name}: {_time(step.took_s)}{'' if step.outcome == 'passed' else f', {step.outcome}'}",
    )


def _blocks(timeline: Timeline, scale: float, bottom: float) -> Iterator[Block]:
    for (begin_s, count), (end_s, _) in pairwise([*timeline.busy, (timeline.duration_s, 0)]):
        height = round(_LOAD * min(count, timeline.workers) / timeline.workers, 2)
        if height:
            yield Block(
                x=round(_LEFT + begin_s * scale, 2),
                y=bottom + _LOAD - height,
                width=max(0.0, round((end_s - begin_s) * scale, 2)),
                height=height,
                words=f"{count} of {timeline.workers} workers busy for {_time(end_s - begin_s)}",
            )


def _ticks(duration_s: float, scale: float) -> Iterator[Words]:
    every_s = next((nice_s for nice_s in _NICE_S if duration_s / nice_s <= _TICKS), _NICE_S[-1])
    for number in range(int(duration_s / every_s) + 1):
        yield Words(x=round(_LEFT + number * every_s * scale, 2), y=0, words=_time(number * every_s))


def _time(time_s: float) -> str:
    if time_s < _MINUTE_S:
        return f"{time_s:.1f} s"
    return f"{int(time_s // _MINUTE_S)} min {int(time_s % _MINUTE_S)} s"
