"""Bring a release of the Rust project to an image, from the server that this machine names."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, starmap
from typing import TYPE_CHECKING

from factory.digest import Artifact, Digest
from factory.engine.api import FileEntry, Mount
from factory.errors import ImageError, SourceError
from factory.failure import Failure
from factory.images.ready import BroughtRust, ReadyImage
from factory.images.rust import RUST
from factory.images.rust_channel import Channel, Component, SilentServerError, read_channel, refuse_unfit
from factory.images.rust_component import component_files, refuse_unusable
from factory.keys import key
from factory.machines import MACHINES, rust_target
from factory.memory import NEVER, Flag, Stage
from factory.plan.model import RustRelease
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.source.tree import Tree
from factory.source.unpack import unpack_component
from factory.stages.rust import with_rust

if TYPE_CHECKING:
    from factory.images.rust_server import RustServer

_BROKEN = (
    "the server has it so: name another release, such as build: {toolchain: {rust: '1.89'}}, or another server in "
    "RUSTUP_DIST_SERVER; after the server was mended, `factory build --update` asks it again"
)
_LAYOUT = 1  # rises when the same files are placed otherwise; it is in the key of every build by a release


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRelease(Stage[Artifact]):
    """The manifest of a release of Rust, or of `stable`, as a server has it."""

    # `stable` is another release in six weeks; --no-cache does a recipe's work again, which this is not.
    NAME, VERSION, REDONE_BY = "rust-release", 1, frozenset[Flag]({"update"})

    server: str
    release: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchComponent(Stage[Artifact]):
    """A component of a release by its sha256; no server can give another."""

    NAME, VERSION, REDONE_BY = "rust-component", 1, NEVER

    sha256: Digest


def with_release(
    services: Services, image: ReadyImage, release: RustRelease, machine: str | None = None
) -> ReadyImage | Failure:
    """Return an image with a release of Rust mounted that compiles for its own machine and for another `machine`.

    One that has a Rust mounted is returned as it is. Where the server does not answer, it may be the bundle.

    Raises:
        ImageError: the bundle cannot be assembled.
    """
    if any(mount.path == RUST for mount in image.mounts):
        return image
    from factory.images.rust_server import RustServer  # noqa: PLC0415 -- most commands need no HTTP

    subject = f"image:rust-{release.name}"
    try:
        server = RustServer(services.host, services.memory.cancelled)
        channel = _channel(services, server, release, subject)
        components = channel.components(*_triples(image, machine))
        content = key({"layout": _LAYOUT, "components": [str(component.digest) for component in components]})
        volume = filled_volume(services, "rust", content, lambda: _files(services, server, components, subject))
    except SilentServerError as error:
        if release.or_bundle:
            services.recorder.progress(subject)(f"{error.message}; Debian's Rust is brought instead")
            return with_rust(services, image, machine)
        return Failure(step="rust", message=error.message, hint=error.hint)
    except ImageError as error:
        return Failure(step="rust", message=error.message, hint=error.hint)
    if isinstance(volume, Failure):
        return volume
    mount = Mount(volume=volume, path=RUST)
    return image.with_release(BroughtRust(version=str(channel.version), content=content, mount=mount))


def _triples(image: ReadyImage, machine: str | None) -> tuple[str, tuple[str, ...]]:
    """Return what rustc and cargo run on, and what there has to be a standard library for."""
    host = MACHINES[image.machine].rust
    return host, (host, host if machine is None else rust_target(machine))


def _channel(services: Services, server: "RustServer", release: RustRelease, subject: str) -> Channel:
    """Return the manifest of a release, which is asked for once, and refuse one that the plan cannot use."""

    def ask() -> Artifact:
        with services.recorder.step(subject, "image") as mark:
            services.recorder.progress(subject)(f"asking for Rust {release.name}")
            content = server.manifest(release.name)
            read_channel(content, release.name)  # What is no manifest is not remembered.
            mark.outcome = "passed"
        return services.memory.store.put_bytes(content, f"channel-rust-{release.name}.toml")

    manifest = services.memory.surely(AskRelease(server=server.place, release=release.name), ask)
    channel = read_channel(services.memory.store.read(manifest.digest), release.name)
    refuse_unfit(channel, release.name, release.wanted)
    return channel


def _fetched(services: Services, server: "RustServer", component: Component, subject: str) -> Artifact:
    def fetch() -> Artifact:
        with services.recorder.step(subject, "image") as mark:
            services.recorder.progress(subject)(f"downloading {component.filename}")
            file = server.component(component, services.memory.store)
            mark.outcome = "passed"
            return file

    file = services.memory.surely(FetchComponent(sha256=component.digest), fetch)
    return replace(file, filename=component.filename)


@contextmanager
def _files(
    services: Services, server: "RustServer", components: Sequence[Component], subject: str
) -> Iterator[Iterator[FileEntry] | Failure]:
    """Fetch and read every component before the first file of one is written.

    Raises:
        ImageError: one cannot be fetched.
    """
    files = [_fetched(services, server, component, subject) for component in components]
    with ExitStack() as lent:
        try:
            trees = [_tree(services, lent, *pair) for pair in zip(components, files, strict=True)]
        except SourceError as error:
            yield Failure(step="rust", message=error.message, hint=error.hint or _BROKEN)
            return
        yield chain.from_iterable(starmap(component_files, zip(trees, components, strict=True)))


def _tree(services: Services, lent: ExitStack, component: Component, file: Artifact) -> Tree:
    tree = unpack_component(lent.enter_context(services.memory.store.lend(file)), services.reader)
    refuse_unusable(tree, component)
    return tree
