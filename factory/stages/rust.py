"""Bring Rust to an image that has none."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from factory.codec import ABSENT
from factory.digest import Digest
from factory.engine.api import FileEntry, Mount
from factory.failure import Failure
from factory.images import rust_std
from factory.images.ready import ReadyImage
from factory.images.rust import RUST, RustBundle, bundled_files, input_digest, make_rust, make_std, rust_spec
from factory.images.rust_std import compile_std, std_spec
from factory.images.shell import Progress
from factory.keys import key
from factory.machines import MUSL_MACHINES, USUAL_MACHINE, WINDOWS_RUST
from factory.memory import KEY, Flag, Stage
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.store import Store

_COMPILED = {**WINDOWS_RUST, **{machine.rust: machine.rust for machine in MUSL_MACHINES.values()}}
"""Rust's triples of targets for which no suite packs the standard library, by what a fitting calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRust(Stage[RustBundle]):
    """The Rust bundle that runs on a machine, made of our data files and the suite's packages."""

    # Making it takes long and has nothing to do with the recipe whose work --no-cache does again.
    NAME, VERSION, REDONE_BY = "rust", 1, frozenset[Flag]({"update"})

    made_of: Digest = field(metadata={KEY: "made of"})
    runs_on: str = field(default=USUAL_MACHINE, metadata={KEY: "runs on", ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeStd(Stage[RustBundle]):
    """Rust's standard library for another machine, of the same version as the bundle."""

    NAME, VERSION, REDONE_BY = "rust-std", 1, frozenset[Flag]({"update"})

    made_of: Digest = field(metadata={KEY: "made of"})
    bundle: Digest
    machine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileStd(Stage[RustBundle]):
    """Rust's standard library for Windows or musl, compiled by the same version as the bundle's."""

    NAME, VERSION, REDONE_BY = "rust-std-compiled", 1, frozenset[Flag]({"update"})

    made_of: Digest = field(metadata={KEY: "made of"})
    bundle: Digest
    target: str


def with_rust(services: Services, image: ReadyImage, machine: str | None = None) -> ReadyImage | Failure:
    """Return an image with the Rust bundle mounted; one that has it mounted is returned as it is.

    `machine` is another one that it is to compile for.

    A volume is filled once per engine; committing Rust as a layer would walk the whole tree of each image.

    Raises:
        ImageError: Rust cannot be assembled.
    """
    if any(mount.path == RUST for mount in image.mounts):
        return image
    stage = MakeRust(made_of=input_digest(rust_spec()), runs_on=image.machine)
    make = partial(make_rust, services.host, services.memory.store, image.machine)
    name = "rust" if image.machine == USUAL_MACHINE else f"rust-on-{image.machine}"
    bundle = services.memory.surely(stage, lambda: _shown(services, name, make))
    content, parts = bundle.file.digest, [bundle]
    if machine is not None:
        std = _std(services, stage, bundle, machine)
        content = key({"bundle": str(bundle.file.digest), "std": str(std.file.digest)})
        parts.append(std)
    volume = filled_volume(services, "rust", content, lambda: _files(services.memory.store, parts))
    if isinstance(volume, Failure):
        return volume
    return image.with_mounts("rust", content, Mount(volume=volume, path=RUST), programs=str(RUST / "bin"))


def _std(services: Services, stage: MakeRust, bundle: RustBundle, machine: str) -> RustBundle:
    places = (services.host, services.memory.store, bundle)
    if (target := _COMPILED.get(machine)) is not None:
        compiled = CompileStd(made_of=rust_std.input_digest(std_spec()), bundle=bundle.file.digest, target=target)
        compile_it = partial(compile_std, *places, target)
        return services.memory.surely(compiled, lambda: _shown(services, f"rust-{target}", compile_it))
    made = MakeStd(made_of=stage.made_of, bundle=bundle.file.digest, machine=machine)
    make = partial(make_std, *places, machine)
    return services.memory.surely(made, lambda: _shown(services, f"rust-{machine}", make))


def _shown(services: Services, name: str, make: Callable[[Progress], RustBundle]) -> RustBundle:
    """Make it as a step of the run, to which it reports its progress."""
    subject = f"image:{name}"
    with services.recorder.step(subject, "image") as mark:
        made = make(services.recorder.progress(subject))
        mark.outcome = "passed"
        return made


@contextmanager
def _files(store: Store, parts: Sequence[RustBundle]) -> Iterator[Iterator[FileEntry]]:
    with ExitStack() as lent:
        tars = [lent.enter_context(store.lend(part.file)) for part in parts]
        yield chain.from_iterable(map(bundled_files, tars))
