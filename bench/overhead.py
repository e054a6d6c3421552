"""The factory beside cibuildwheel: packages on one image, ratios of wall time.

    make bench        or one package: .venv/bin/python -m bench.overhead --recipe recipes/nh3.yaml --interpreters cp313

Wall time only: the work is done in containers, whose CPU no process here can count. Sides take turns, so that what else
the machine does falls on all of them; the medians are compared, and each ratio is the median of its rounds' ratios.
The tables are written as Markdown and as JSON, too.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import uuid4

import docker
from docker.utils import kwargs_from_env
from rich.console import Console
from rich.table import Table

from bench import ours, peer
from bench.sample import Sample, Side
from bench.subject import Subject, take
from factory.engine.api import EngineInfo
from factory.engine.docker import connect
from factory.host import Host, read_host
from factory.images.ready import ensure
from factory.store import Store
from factory.tags import Interpreter

_IMAGE = "lookalike-manylinux_2_31_x86_64"
_EMPTY, _EDITED = "factory, empty store", "factory, one line edited"
_AGAIN, _CACHED = "factory --no-cache", "factory, nothing changed"
_WARM = """\
warm on both sides: the build image. cibuildwheel keeps nothing else: each run has a new container, and gets its
requirements from the index. An empty store keeps nothing either: requirements, tools and the sdist are fetched anew.
After an edit of one line what earlier builds of the project left is used; --no-cache resolves and runs everything
again, but finds requirements' files, tools and trial images.
more than the peer does: each wheel is audited before and after repair, resolved by the oldest loader, and tried in a
clean container of another distribution; builds have no network. jobs: cibuildwheel builds one after the other.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A package for some interpreters, the file of which a line is edited, and what is wanted of some sides.

    That is the largest ratios to each of the peer's frontends.
    """

    recipe: Path
    interpreters: tuple[Interpreter, ...]
    edited: str
    wanted: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.recipe.stem} on {', '.join(map(str, self.interpreters))}"


CASES = (
    Case(
        recipe=Path("recipes/markupsafe.yaml"),
        interpreters=tuple(map(Interpreter, (9, 11, 13, 14))),
        edited="src/markupsafe/_speedups.c",
        wanted={_EMPTY: (0.25, 0.5), _EDITED: (0.15, 0.35)},
    ),
    Case(
        recipe=Path("recipes/rpds-py.yaml"),
        interpreters=tuple(map(Interpreter, (11, 13, 14))),
        edited="src/lib.rs",
        wanted={_EMPTY: (0.6, 0.8), _EDITED: (0.4, 0.55)},
    ),
    Case(
        recipe=Path("recipes/rpds-py.yaml"),
        interpreters=(Interpreter(13),),
        edited="src/lib.rs",
        wanted={_EDITED: (0.15, 0.15)},
    ),
    Case(
        recipe=Path("recipes/nh3.yaml"),
        interpreters=tuple(map(Interpreter, (9, 11, 13))),
        edited="src/lib.rs",
        wanted={_EMPTY: (0.6, 0.95)},
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What stays the same in all rounds of a case."""

    case: Case
    host: Host
    subject: Subject
    image: str
    environment: Path
    store: Path
    jobs: int
    project: Path


@dataclass(slots=True)
class Series:
    """One side's samples, in the order of the rounds; `folder` is the last run's."""

    side: Side
    samples: list[Sample] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    @property
    def wall_s(self) -> list[float]:
        return [sample.wall_s for sample in self.samples]

    def ratio(self, other: "Series") -> float:
        """How many times as long as the other it took, by rounds."""
        return median(mine / theirs for mine, theirs in zip(self.wall_s, other.wall_s, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was measured of a side: seconds, how many wheels, and the ratios to the peer's frontends."""

    side: str
    median_s: float
    least_s: float
    most_s: float
    wheels: int
    ratios: tuple[float, ...]
    wanted: tuple[float, ...] | None


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write; 1 where the sides did not make the same wheels."""
    options = _options().parse_args(arguments)
    host, same = read_host(), True
    tables: dict[str, list[Row]] = {}
    with TemporaryDirectory(prefix="overhead-") as name:
        environment = peer.install(Path(name) / "cibuildwheel", host)
        for case in CASES if options.recipe is None else (_named(options),):
            work = Path(name) / uuid4().hex
            work.mkdir()
            tables[case.name], is_same = _case(case, options, environment, host, work)
            same = same and is_same
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "overhead.json").write_text(_json(tables), encoding="utf-8")
    (options.output / "overhead.md").write_text(_markdown(tables), encoding="utf-8")
    return int(not same)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The factory beside cibuildwheel, as ratios of wall time.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--recipe", type=Path, help="one package, in place of all cases")
    parser.add_argument("--edited", default="src/lib.rs", help="its file of which a line is edited")
    parser.add_argument(
        "--interpreters", nargs="+", type=Interpreter.parse, default=[Interpreter(11), Interpreter(13), Interpreter(14)]
    )
    parser.add_argument("--output", type=Path, default=Path(".factory/bench"), help="where the tables are written")
    return parser


def _named(options: argparse.Namespace) -> Case:
    return Case(recipe=options.recipe, interpreters=tuple(options.interpreters), edited=options.edited)


def _case(case: Case, options: argparse.Namespace, environment: Path, host: Host, work: Path) -> tuple[list[Row], bool]:
    """Measure a case and print its table; whether all sides made the same wheels."""
    try:
        setting, info = _prepared(case, options.jobs, environment, host, work)
        load = os.getloadavg()[0]
        series = _measured([Series(side) for side in _sides(setting)], options.rounds, work)
    finally:
        _forget(host, work)
    rows = [_row(measured, series[: len(peer.FRONTENDS)], case) for measured in series]
    _print(setting, info, series, rows, (load, os.getloadavg()[0]))
    return rows, len({sample.wheels for measured in series for sample in measured.samples}) == 1


def _prepared(case: Case, jobs: int, environment: Path, host: Host, work: Path) -> tuple[Setting, EngineInfo]:
    """Have the images and a warm store before anything is timed."""
    say = Console(stderr=True).print
    (work / "sdist").mkdir()
    subject = take(case.recipe, case.interpreters, host, work / "sdist")
    store = work / "stores/warm"
    for name in ("warm", "edited"):
        (work / name).mkdir()
    say(f"{case.name}: images, tools and requirements: two runs that are not timed", markup=False)
    ours.build(store, subject, host, work / "warm", jobs=jobs)
    ours.build_edited(work, case.edited, store, subject, host, work / "edited", jobs=jobs)
    with Store.open(store) as opened, connect(host, owner=opened.owner, run_id=f"bench-{uuid4().hex}") as engine:
        ready, info = ensure(_IMAGE, engine=engine, host=host, store=opened, progress=say), engine.info()
    setting = Setting(
        case=case,
        host=host,
        subject=subject,
        image=ready.reference,
        environment=environment,
        store=store,
        jobs=jobs,
        project=work,
    )
    return setting, info


def _sides(setting: Setting) -> Iterator[Side]:
    one, host, subject, jobs = setting, setting.host, setting.subject, setting.jobs
    for frontend in peer.FRONTENDS:
        run = partial(peer.build, one.environment, frontend, one.image, subject, host)
        yield Side(name=f"cibuildwheel, {frontend}", run=run)
    yield Side(
        name=_EMPTY,
        run=lambda folder: ours.build(one.store.with_name(uuid4().hex), subject, host, folder, jobs=jobs),
    )
    yield Side(
        name=_EDITED,
        run=lambda folder: ours.build_edited(one.project, one.case.edited, one.store, subject, host, folder, jobs=jobs),
    )
    yield Side(name=_AGAIN, run=lambda folder: ours.build(one.store, subject, host, folder, "--no-cache", jobs=jobs))
    yield Side(name=_CACHED, run=lambda folder: ours.build(one.store, subject, host, folder, jobs=jobs))


def _measured(series: list[Series], rounds: int, work: Path) -> list[Series]:
    """Let the sides take turns; each round begins with another one."""
    say = Console(stderr=True).print
    for number in range(rounds):
        first = number % len(series)
        for measured in (*series[first:], *series[:first]):
            folder = work / f"{number}-{uuid4().hex}"
            folder.mkdir()
            sample = measured.side.run(folder)
            measured.samples.append(sample)
            measured.folders.append(folder)
            say(
                f"round {number + 1}: {measured.side.name}: {sample.wall_s:.1f} s, {len(sample.wheels)} wheels",
                markup=False,
            )
    return series


def _forget(host: Host, work: Path) -> None:
    """Remove the volumes of the stores that were made here."""
    owners = [path.read_text(encoding="ascii").strip() for path in work.glob("stores/*/owner")]
    client = docker.DockerClient(**kwargs_from_env(environment=dict(host.docker)), version="auto")
    for owner in owners:
        for volume in client.volumes.list(filters={"label": f"wheel-factory.owner={owner}"}):
            volume.remove(force=True)
    client.close()


def _row(measured: Series, peers: Sequence[Series], case: Case) -> Row:
    counts = {len(sample.wheels) for sample in measured.samples}
    return Row(
        side=measured.side.name,
        median_s=median(measured.wall_s),
        least_s=min(measured.wall_s),
        most_s=max(measured.wall_s),
        wheels=min(counts),
        ratios=tuple(measured.ratio(other) for other in peers),
        wanted=case.wanted.get(measured.side.name),
    )


def _print(
    setting: Setting, info: EngineInfo, series: Sequence[Series], rows: Sequence[Row], load: tuple[float, float]
) -> None:
    console = Console(width=140, highlight=False)
    console.print(f"{setting.case.name}; {_IMAGE}; cibuildwheel {peer.version(setting.environment)}", markup=False)
    console.print(
        f"{info.cpus} cores, {info.name} {info.version} on {info.driver}; load {load[0]:.1f} before, {load[1]:.1f} "
        f"after; {setting.jobs} jobs of ours; wall time, {len(series[0].samples)} rounds\n"
    )
    table = Table(*(heading.replace("[", "\\[") for heading in _HEADINGS), box=None)
    for row in rows:
        table.add_row(*(text.replace("[", "\\[") for text in _texts(row)))
    console.print(table)
    console.print(f"\n{_WARM}", markup=False)
    for name in (_EMPTY, _EDITED):
        console.print(_shares(next(measured for measured in series if measured.side.name == name), setting.jobs))


_HEADINGS = ("side", "median s", "least", "most", "wheels", *(f"to {name}" for name in peer.FRONTENDS), "wanted")


def _texts(row: Row) -> tuple[str, ...]:
    seconds = (f"{figure:.1f}" for figure in (row.median_s, row.least_s, row.most_s))
    wanted = "" if row.wanted is None else " / ".join(f"{ratio:.2f}" for ratio in row.wanted)
    return (row.side, *seconds, str(row.wheels), *(f"{ratio:.2f}" for ratio in row.ratios), wanted)


def _json(tables: Mapping[str, Sequence[Row]]) -> str:
    return json.dumps({case: [asdict(row) for row in rows] for case, rows in tables.items()}, indent=2) + "\n"


def _markdown(tables: Mapping[str, Sequence[Row]]) -> str:
    lines = []
    for case, rows in tables.items():
        lines += [f"## {case}", "", f"| {' | '.join(_HEADINGS)} |", "|---" * len(_HEADINGS) + "|"]
        lines += [*(f"| {' | '.join(_texts(row))} |" for row in rows), ""]
    return "\n".join(lines)


def _shares(series: Series, jobs: int) -> Table:
    """Draw the shares of the run whose time is the median."""
    chosen = sorted(range(len(series.samples)), key=series.wall_s.__getitem__)[len(series.samples) // 2]
    wall_s = series.wall_s[chosen]
    table = Table(f"{series.side.name}: {wall_s:.1f} s on {jobs} jobs", "times", "seconds", "share", box=None)
    for share in ours.shares(series.folders[chosen], wall_s, jobs):
        table.add_row(share.name, str(share.count or ""), f"{share.seconds:.1f}", f"{share.part:.0%}")
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
