"""The factory beside cibuildwheel: one package, one image, ratios of wall time.

    make bench        or: .venv/bin/python -m bench.overhead --rounds 5 --interpreters cp311 cp313 cp314

Wall time only: the work is done in containers, whose CPU no process here can count. Sides take turns, so that what else
the machine does falls on all of them; the medians are compared, and each ratio is the median of its rounds' ratios.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
_EMPTY, _AGAIN, _CACHED = "factory, empty store", "factory --no-cache", "factory, nothing changed"
_WARM = """\
warm on both sides: the build image. cibuildwheel keeps nothing else: each run has a new container, and gets its
requirements from the index. An empty store keeps nothing either: requirements, tools and the sdist are fetched anew;
--no-cache resolves and runs everything again, but finds requirements' files, tools and trial images.
more than the peer does: each wheel is audited before and after repair, resolved by the oldest loader, and tried in a
clean container of another distribution; builds have no network. jobs: cibuildwheel builds one after the other.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What stays the same in all rounds."""

    host: Host
    subject: Subject
    image: str
    environment: Path
    store: Path
    jobs: int


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


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 where the sides did not make the same wheels."""
    options = _options().parse_args(arguments)
    host = read_host()
    with TemporaryDirectory(prefix="overhead-") as name:
        work = Path(name)
        setting, info = _prepared(options, host, work)
        load = os.getloadavg()[0]
        try:
            series = _measured([Series(side) for side in _sides(setting)], options.rounds, work)
        finally:
            _forget(host, work)
        _print(setting, info, series, (load, os.getloadavg()[0]))
    return int(len({sample.wheels for measured in series for sample in measured.samples}) != 1)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The factory beside cibuildwheel, as ratios of wall time.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/markupsafe.yaml"))
    parser.add_argument(
        "--interpreters", nargs="+", type=Interpreter.parse, default=[Interpreter(11), Interpreter(13), Interpreter(14)]
    )
    return parser


def _prepared(options: argparse.Namespace, host: Host, work: Path) -> tuple[Setting, EngineInfo]:
    """Have the images, the peer and a warm store before anything is timed."""
    say = Console(stderr=True).print
    (work / "sdist").mkdir()
    subject = take(options.recipe, tuple(options.interpreters), host, work / "sdist")
    store, warm = work / "stores/warm", work / "warm"
    warm.mkdir()
    say("images, tools and requirements: one run that is not timed")
    ours.build(store, subject, host, warm, jobs=options.jobs)
    say("cibuildwheel, in an environment of its own")
    environment = peer.install(work / "cibuildwheel", host)
    with Store.open(store) as opened, connect(host, owner=opened.owner, run_id=f"bench-{uuid4().hex}") as engine:
        ready, info = ensure(_IMAGE, engine=engine, host=host, store=opened, progress=say), engine.info()
    setting = Setting(
        host=host, subject=subject, image=ready.reference, environment=environment, store=store, jobs=options.jobs
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


def _print(setting: Setting, info: EngineInfo, series: Sequence[Series], load: tuple[float, float]) -> None:
    console = Console(width=140, highlight=False)
    recipe, names = setting.subject.recipe, ", ".join(map(str, setting.subject.interpreters))
    machine = f"{info.cpus} cores, {info.name} {info.version} on {info.driver}"
    console.print(f"{recipe.name} on {names}; {_IMAGE}; cibuildwheel {peer.version(setting.environment)}", markup=False)
    console.print(
        f"{machine}; load {load[0]:.1f} before, {load[1]:.1f} after; {setting.jobs} jobs of ours; "
        f"wall time, {len(series[0].samples)} rounds\n"
    )
    console.print(_ratios(series))
    console.print(f"\n{_WARM}", markup=False)
    for name in (_EMPTY, _AGAIN):
        console.print(_shares(next(measured for measured in series if measured.side.name == name), setting.jobs))


def _ratios(series: Sequence[Series]) -> Table:
    table = Table(
        "side",
        "median s",
        "least",
        "most",
        "wheels",
        *(f"ratio to {name}".replace("[", "\\[") for name in peer.FRONTENDS),
        box=None,
    )
    peers = series[: len(peer.FRONTENDS)]
    for measured in series:
        wall, counts = measured.wall_s, sorted({len(sample.wheels) for sample in measured.samples})
        figures = [f"{figure:.1f}" for figure in (median(wall), min(wall), max(wall))]
        ratios = [f"{measured.ratio(other):.2f}" for other in peers]
        table.add_row(measured.side.name.replace("[", "\\["), *figures, " or ".join(map(str, counts)), *ratios)
    return table


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
