"""Our side: `factory build` as people type it, and where its time went."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import yaml

from bench.sample import Sample, timed
from bench.subject import Subject, append_line
from factory import codec
from factory.events.model import StepEnded
from factory.host import Host

PROGRAM = Path(sys.executable).with_name("factory")
_SHARES = (
    ("images found", ("image",)),
    ("source", ("source",)),
    ("resolve", ("resolve",)),
    ("tools: compiled for the repairer", ("compile-tools",)),
    ("containers' start", ("container",)),
    ("environment: made, wheels installed", ("environment", "install")),
    ("requirements: the backend's hook, and the source laid anew", ("requirements", "reset-source")),
    ("build: the backend's hook", ("build",)),
    ("repair", ("repair",)),
    ("audit, before and after", ("audit",)),
    ("load: every object by the oldest loader", ("unpack", "load")),
)
_TRIALS = "trials: environment, install, import, test"
_REST = "the rest: start-up, files in and out, containers' end, workers that wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one kind of step took of the time that all workers had together."""

    name: str
    count: int
    seconds: float
    part: float


def build(store: Path, subject: Subject, host: Host, folder: Path, *flags: str, jobs: int) -> Sample:
    """Build the subject with a store; evidence lies below `folder`."""
    return _built(subject.recipe.file.resolve(), store, subject, host, folder, *flags, jobs=jobs)


def build_edited(
    project: Path, edited: str, store: Path, subject: Subject, host: Host, folder: Path, *, jobs: int
) -> Sample:
    """Build the subject's source as a folder, `project`, in which one file has one line more than the last time."""
    source, recipe = project / "source", project / "recipe.yaml"
    append_line(subject, source, edited, f"// {uuid4().hex}")
    asked = yaml.safe_load(subject.recipe.file.read_text(encoding="utf-8"))
    recipe.write_text(yaml.safe_dump({**asked, "source": {"path": "source"}}), encoding="utf-8")
    return _built(recipe, store, subject, host, folder, jobs=jobs)


def _built(recipe: Path, store: Path, subject: Subject, host: Host, folder: Path, *flags: str, jobs: int) -> Sample:
    output = folder / "dist"
    what: tuple[str | Path, ...] = ("build", recipe, "--set", subject.selection, "--jobs", str(jobs))
    argv: tuple[str | Path, ...] = (PROGRAM, *what, "--output", output, *flags)
    env = {**_environment(host), "FACTORY_STORE": str(store)}
    return timed(argv, env=env, cwd=folder, output=output)


def shares(folder: Path, wall_s: float, jobs: int) -> Iterator[Share]:
    """Read a run's events; the seconds of all workers together are `jobs` times the wall's."""
    whole, count = jobs * wall_s, Counter[str]()
    seconds: defaultdict[str, float] = defaultdict(float)
    (events,) = folder.glob(".factory/runs/*/events.jsonl")
    for step in _steps(events):
        kind = _kind(step)
        if kind is None:
            continue
        seconds[kind] += step.duration_s
        count[kind] += 1
    for name in (*(name for name, _ in _SHARES), _TRIALS):
        yield Share(name=name, count=count[name], seconds=seconds[name], part=seconds[name] / whole)
    rest = whole - sum(seconds.values())
    yield Share(name=_REST, count=0, seconds=rest, part=rest / whole)


def _steps(events: Path) -> Iterator[StepEnded]:
    for line in events.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if told["kind"] == StepEnded.__name__:
            yield codec.load(told["event"], StepEnded)


def _kind(step: StepEnded) -> str | None:
    """Name the share that a step belongs to; one that has none stays in the rest."""
    is_trials_own = "@" in step.subject and step.step not in ("container", "resolve", "unpack", "load")
    return _TRIALS if is_trials_own else next((name for name, steps in _SHARES if step.step in steps), None)


def _environment(host: Host) -> Mapping[str, str]:
    """Say what `read_host` would read here, so that both sides know the same machine."""
    index = {"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {}
    extra = {"UV_EXTRA_INDEX_URL": " ".join(host.extra_index_urls)} if host.extra_index_urls else {}
    return {**host.tool_env, **host.docker, **index, **extra}
