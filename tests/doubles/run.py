"""Makers of a run without an engine or a network; the one place that knows how the factory puts a run together."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from threading import Event
from types import MappingProxyType
from typing import TypeVar, cast

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.confined import Bounds, Overrun
from factory.digest import Artifact, Digest
from factory.engine.api import FileEntry, HeldImage
from factory.events.model import Planned, Run, RunStarted
from factory.events.recorder import Recorder
from factory.failure import Failure
from factory.farm.work import carry_out
from factory.host import Host, read_host
from factory.image_facts import ImageFacts
from factory.images.assembly import input_digest
from factory.images.bootstrap import IDENTITY_LABEL, INPUT_LABEL, reference_of
from factory.images.interpreters import MOVERS, Maker
from factory.images.offer import Offer
from factory.images.on_demand import OnDemandSpec
from factory.images.pulled import PulledSpec
from factory.images.ready import ImageServices, ReadyImage, ensure_bootstrapped, ensure_pinned, ensure_pulled
from factory.images.rust import RustBundle
from factory.images.spec import ImageSpec
from factory.memory import ASKS_THE_WORLD, NEVER, Flag, Memory, Stage
from factory.pins import Pin
from factory.planned import PlannedRecipe
from factory.process import begin_again
from factory.recipe.parse import parse_recipe
from factory.resolve import Release, Resolution
from factory.run.options import Selection
from factory.run.planning import plan_recipe
from factory.sessions.services import Services
from factory.sessions.sources import Fetched, SourceServices
from factory.stages.against import Older
from factory.stages.commit import Pinned
from factory.stages.resolve import Resolve
from factory.stages.source import FetchSdist
from factory.store import Store
from factory.store.entry import LedgerEntry, parse_entry
from factory.tags import Interpreter, PlatformTag
from factory.tool_bundle import ToolBundle
from tests.doubles.engine import EngineDouble
from tests.doubles.projects import programs, sdist_of
from tests.makers.objects import make_object
from tests.makers.plans import make_image, make_program_image, make_trial_image

TODAY = date(2026, 11, 22)
COMMIT = "c0ffee" * 6 + "c0ff"
_IN_MEMORY = Path("/dev/shm")
HELPER = "trial-manylinux_2_31_x86_64"
_T = TypeVar("_T")
_R = TypeVar("_R")
_NOTHING: Mapping[type, object] = MappingProxyType({})


@dataclass(slots=True)
class AnsweredMemory(Memory):
    """A memory that is given some outcomes, by their kind: of stages that ask a network or start a tool here.

    Everything else of a stage is the real thing: its key, what is remembered, and who waits for whom.
    """

    answers: Mapping[type, object] = field(default_factory=lambda: _NOTHING)

    def _result(
        self, stage: Stage[_T], make: Callable[[], _R], kept: Callable[[_R], _T | None]
    ) -> tuple[_T | _R, bool]:
        """Do a stage's work unless it is remembered or answered; an answer may be a function of the stage."""
        answer = self.answers.get(stage.result_type)
        if answer is None:
            return Memory._result(self, stage, make, kept)
        answered = cast("Callable[[], _R]", lambda: answer(stage) if callable(answer) else answer)
        return Memory._result(self, stage, answered, kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyTools(ToolBundle):
    """A tool bundle of one file, whose digest does not depend on the factory's programs."""

    @property
    def digest(self) -> Digest:
        """What names this bundle."""
        return Digest.of(b"toy tools")

    def entries(self) -> Iterator[FileEntry]:
        """Yield its file."""
        yield FileEntry(path=PurePosixPath("site/tool.py"), content=b"")


@dataclass(slots=True, kw_only=True)
class World:
    """A store, a machine, and an engine's double, on which recipes are carried out; every run has a new recorder.

    `lost_images` are the names of images that do not come, with what raises instead. `progress` are the lines that the
    making of images reports. `sdists` are projects of which the index has only an sdist of 1.0, each with what its
    build requires. `read` counts the archives that were read, `said` is what the store says of damage. No index has an
    older release, unless `asks_index` has the host's own asked.
    """

    folder: Path
    store: Store
    host: Host
    engine: EngineDouble
    images: tuple[ImageFacts, ...] = field(default_factory=lambda: _IMAGES)
    cancelled: Event = field(default_factory=Event)
    fresh: bool = False
    update: bool = False
    keep: bool = False
    lost_images: dict[str, Exception] = field(default_factory=dict)
    answers: dict[type, object] = field(default_factory=dict)
    progress: list[str] = field(default_factory=list)
    workers: int = 2
    sdists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    runs: int = 0
    read: int = 0
    said: list[str] = field(default_factory=list)
    asks_index: bool = False

    def run(self, *texts: str) -> Run:
        """Plan recipes and carry them out; what happened.

        Raises:
            FactoryError: what stops the run.
        """
        with self.recorder() as recorder:
            planned = [self.planned(text) for text in texts]
            recorder.emit(RunStarted(run="r", at="", version="", folder=str(recorder.folder)))
            for recipe in planned:
                recorder.emit(Planned(plan=recipe.plan))
            carry_out(self.services(recorder), planned, self.image, workers=self.workers, today=TODAY)
            return recorder.run()

    @contextmanager
    def recorder(self) -> Iterator[Recorder]:
        """Open the evidence of one run."""
        self.runs += 1
        with Recorder(self.folder / f"run-{self.runs}", lambda _: None) as recorder:
            yield recorder

    @property
    def evidence(self) -> Path:
        """Where the last run's evidence lies."""
        return self.folder / f"run-{self.runs}"

    def planned(self, text: str) -> PlannedRecipe:
        """Take a recipe's source, which is answered, and plan it."""
        name = next(line.removeprefix("name: ") for line in text.splitlines() if line.startswith("name: "))
        recipe = parse_recipe(text.encode(), self.folder / f"{name}.yaml", today=TODAY)
        services = SourceServices(memory=self.memory(name), host=self.host, reader=self.reader)
        return plan_recipe(recipe, services, Offer(images=self.images, families=("lookalike",)), Selection(today=TODAY))

    def memory(self, name: str = "") -> Memory:
        """Make what remembers; sources are answered with the toy project of that name."""
        answers: dict[type, object] = {
            Pinned: Pinned(commit=COMMIT),
            Resolution: self._resolved,
            RustBundle: RustBundle(file=self.store.put_bytes(bytes(10_240), "rust.tar")),
            Fetched: partial(self._fetched, name),
            **({} if self.asks_index else {Older: Older(wheel=None)}),
        }
        return AnsweredMemory(
            store=self.store,
            cancelled=self.cancelled,
            fresh=self.fresh,
            update=self.update,
            answers=answers | self.answers,
        )

    def reader(self, work: Callable[[], _T], bounds: Bounds) -> _T | Overrun:  # noqa: ARG002 -- the Protocol's parameter
        """Read strangers' files in this process: the tests' own are no strangers'."""
        self.read += 1
        return work()

    def _resolved(self, stage: Resolve) -> Resolution:
        """Resolve requirements to a wheel that nobody opens, and to those that were built of sdists."""
        names = [Requirement(text).name for text in stage.requirements]
        lacking = tuple(
            Release(name=canonicalize_name(name), version=Version("1.0")) for name in names if name in self.sdists
        )
        if lacking and stage.wheels is None:
            return Resolution(files=(), sdists=lacking)
        wheel = self.store.put_bytes(b"a wheel that nobody opens", "setuptools-80.0-py3-none-any.whl")
        built = [
            self.store.put_bytes(self.store.read(digest), f"built{number}-1.0-py3-none-any.whl")
            for number, digest in enumerate(stage.wheels or ())
        ]
        return Resolution(files=(wheel, *built))

    def _fetched(self, recipe: str, stage: Stage[Fetched]) -> Fetched:
        """Fetch the toy project of a recipe, or of the release that is asked for."""
        name = stage.sdist.partition("==")[0] if isinstance(stage, FetchSdist) else recipe
        return Fetched(file=self.store.put_file(sdist_of(name, self.folder, self.sdists.get(name, ()))))

    def refuse_requirements(self, failure: Failure) -> None:
        """Have no requirement resolved from now on."""
        self.answers[Resolution] = failure

    def resolve_to(self, *files: Artifact) -> None:
        """Have every requirement resolved to these files of the store."""
        self.answers[Resolution] = Resolution(files=files)

    def install_emulator(self, machine: str = "x86_64") -> None:
        """Put an emulator on this machine's PATH: of old processors, or of another machine."""
        program = self.folder / f"emulators/qemu-{machine}-static"
        program.parent.mkdir(exist_ok=True)
        program.write_bytes(make_object(program=True))
        program.chmod(0o755)
        self.host = replace(self.host, path=str(program.parent))

    def forget(self, stage: str) -> None:
        """Take a stage's entries out of the ledger."""
        shutil.rmtree(self.store.path / "ledger" / stage)

    def services(self, recorder: Recorder) -> Services:
        """Put together what the work of a run needs."""
        return Services(
            engine=self.engine,
            memory=self.memory(),
            reader=self.reader,
            host=self.host,
            recorder=recorder,
            tools=lambda _: ToyTools(files=(), store=self.store),
            helper=lambda: self.image(HELPER),
            keep=self.keep,
        )

    def image(self, name: str) -> ReadyImage:
        """Have an image that the plan names."""
        if name in self.lost_images:
            raise self.lost_images[name]
        facts = next(image for image in self.images if image.name == name)
        identity = Digest.of(name.encode())
        held = HeldImage(id=str(identity), architecture="amd64", size_bytes=1, labels={}, env={})
        reference = self.engine.hold(held, name)
        return ReadyImage(facts=facts, reference=reference, identity=identity, machine=facts.platform.arch)

    def serve(self, content: bytes = b"pulled") -> Pin:
        """Have an image in a registry; return its pin."""
        pin = Pin.parse(f"registry.example/builder@{Digest.of(content)}")
        image = str(Digest.of(b"image of " + content))
        held = HeldImage(id=image, architecture="amd64", size_bytes=1, labels={}, env={})
        self.engine.registry[pin.reference] = held
        return pin

    def pulled(self, pin: Pin, held: str = "cp311 cp313") -> ReadyImage:
        """Have an image of a pulled family that declares these interpreters."""
        return ensure_pulled(PulledSpec(facts=make_image(held, rust=None), pin=pin), self._image_services())

    def pinned(self, pin: Pin) -> ReadyImage:
        """Have an image that only a recipe names."""
        return ensure_pinned(pin, self._image_services())

    def bootstrapped(self, spec: ImageSpec, label: str = "") -> ReadyImage:
        """Have an image of ours that was imported before; `label` in the place of the digest of its input."""
        asked, identity = label or input_digest(spec).hex, Digest.of(b"packages").hex
        labels = {INPUT_LABEL: asked, IDENTITY_LABEL: identity}
        held = HeldImage(
            id=str(Digest.of(b"imported")), architecture="amd64", size_bytes=1, labels=labels, env={"PATH": "/its/own"}
        )
        self.engine.hold(held, reference_of(spec))
        return ensure_bootstrapped(spec, self._image_services())

    def _image_services(self) -> ImageServices:
        memory = Memory(store=self.store, cancelled=self.cancelled, on_wait=self.progress.append)
        return ImageServices(engine=self.engine, host=self.host, memory=memory, progress=self.progress.append)

    def compile(self, tag: str = "cp313t") -> bytes:
        """Compile an interpreter, or move cp315 out of its suite, and return it; starts `sh` here.

        The scripts write what lies beside them: `source.txt` and `made.txt`; and to `ran` which of them ran.
        """
        self.compiled.mkdir(parents=True, exist_ok=True)
        scripts = {"source.sh.j2": "source", "compile.sh.j2": "made", "cpython.sh": "inside", "packed.sh.j2": "made"}
        for name, made in scripts.items():
            text = f"set -e\necho {made} >>$COMPILED/ran\ncat $COMPILED/{made}.txt >{made}.tar\necho >{made}.manifest\n"
            (self.compiled / name).write_text(text)
            (self.compiled / f"{made}.txt").touch()
        for name in MOVERS:
            (self.compiled.parent / name).parent.mkdir(exist_ok=True)
            (self.compiled.parent / name).touch()
        bootstrapper = self.folder / "home/mmdebstrap"
        bootstrapper.write_text("#!/bin/sh\n")
        bootstrapper.chmod(0o755)
        host = replace(self.host, path=f"{self.host.path}:/usr/bin:/bin")
        memory = Memory(store=self.store, cancelled=self.cancelled, update=self.update, on_wait=self.progress.append)
        maker = Maker(spec=self._compiled_spec(), host=host, memory=memory, progress=self.progress.append)
        return self.store.read(maker.made(Interpreter.parse(tag)).tar.digest)

    @property
    def compiled(self) -> Path:
        """The folder of the scripts that compile."""
        return self.folder / "images/interpreters"

    def _compiled_spec(self) -> OnDemandSpec:
        return OnDemandSpec(
            folder=self.compiled,
            platform=PlatformTag.parse("manylinux_2_41_x86_64"),
            suite="trixie",
            packages=(),
            packed={Interpreter.parse("cp315"): "sid"},
            compiled={Interpreter.parse("cp313t"): ("sid",)},
            fallbacks={},
            delays={},
        )

    def remembered(self) -> Mapping[str, list[LedgerEntry]]:
        """Read every entry of the store's ledger, by stage."""
        folders = sorted((self.store.path / "ledger").iterdir())
        entries = {folder.name: [parse_entry(path.read_bytes()) for path in folder.iterdir()] for folder in folders}
        return {stage: [entry for entry in held if entry is not None] for stage, held in entries.items()}


@contextmanager
def make_world(folder: Path | None = None, **more: str) -> Iterator[World]:
    """Make a world below a folder, whose `home` may hold files already; `more` are variables of the environment.

    Without a folder it lies in memory, where this machine has a place for that: a store waits for its disk often.
    """
    with TemporaryDirectory(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as temporary:
        place = folder or Path(temporary)
        home = place / "home"
        home.mkdir(exist_ok=True)
        own = {"HOME": str(home), "PATH": str(home), "FACTORY_PASS_ENV": "TOKEN", "TOKEN": "t0ps3cret-word"}
        said: list[str] = []
        with Store.open(place / "store", on_damage=said.append) as store:
            engine = EngineDouble(commands=programs, owner=store.owner)
            world = World(folder=place, store=store, host=read_host(own | more), engine=engine, said=said)
            try:
                yield world
            finally:
                if world.cancelled.is_set():
                    begin_again()  # the end of a run keeps tools of ours from starting, in all of this process


def _images() -> tuple[ImageFacts, ...]:
    trials = (
        make_trial_image("cp311", "manylinux_2_31_x86_64"),
        make_trial_image("cp313", "manylinux_2_41_x86_64"),
    )
    programs = (
        make_program_image("cp311", "manylinux_2_36_x86_64"),
        make_program_image("cp313", "manylinux_2_41_x86_64"),
    )
    builds = make_image("cp311 cp313", rust=None)
    return (replace(builds, bundled_rust=Version("1.97")), *trials, *programs)


_IMAGES: tuple[ImageFacts, ...] = _images()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a stage of tests ends with: a word, and files of the store where there are some."""

    word: str
    file: Artifact | None = None
    files: tuple[Artifact, ...] = ()
    named: Mapping[str, Artifact] = field(default_factory=dict)
    inner: "Outcome | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyStage(Stage[Outcome]):
    """A stage of tests, which does work; its input is a word."""

    NAME, VERSION = "build", 1

    input: str = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyAsk(Stage[Outcome]):
    """A stage of tests that asks the world."""

    NAME, VERSION, REDONE_BY = "resolve", 1, ASKS_THE_WORLD

    input: str = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyImage(Stage[Outcome]):
    """A stage of tests whose result is never made anew."""

    NAME, VERSION, REDONE_BY = "bytecode", 1, NEVER

    input: str = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyImageOfTheWorld(Stage[Outcome]):
    """A stage of tests whose result is made anew by `--update` alone."""

    NAME, VERSION, REDONE_BY = "rust", 1, frozenset[Flag]({"update"})

    input: str = "input"


def make_memory(
    store: Store,
    *,
    fresh: bool = False,
    update: bool = False,
    cancelled: Event | None = None,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Memory:
    """Make the memory of one run on a store."""
    return Memory(store=store, cancelled=cancelled or Event(), fresh=fresh, update=update, on_wait=on_wait)
