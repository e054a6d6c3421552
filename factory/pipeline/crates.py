"""Crates: fetched by cargo in a container with network that sees manifests and the lock, never the package's code."""

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from factory.backends.base import CARGO_HOME, SYSTEM_PATH, WORK, Step
from factory.codec import JSON
from factory.digest import Artifact, Digest
from factory.engine.api import ContainerSpec, FileEntry, Mount
from factory.host import Host
from factory.images import ReadyImage
from factory.keys import key
from factory.pipeline.bench import Bench
from factory.pipeline.hands import Hands, certificate_files, filled_volume, network_env
from factory.pipeline.model import Failure
from factory.pipeline.order import Order
from factory.resolve.cargo import FetchFolder, fetch_folder, user_configuration
from factory.resolve.cargo_failures import STALE_LOCK, explain_cargo_failure

_FETCH = WORK / "fetch"
_OWN_CARGO_HOME = WORK / "cargo"
_FETCH_TIMEOUT_S = 900
_LOCK_LIMIT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Crates:
    """The lock that names a build's crates, and where it belongs in the source."""

    lock: Artifact
    lock_path: PurePosixPath


def crates_of(hands: Hands, order: Order, image: ReadyImage) -> Crates | Failure | None:
    """Return the lock of the source's crates: its own, or where the recipe says `locked: false` the one cargo makes.

    None for a source without Cargo.toml.
    """
    if order.project.cargo_manifest is None:
        return None
    folder = fetch_folder(order.tree, manifest=order.project.cargo_manifest)
    own = order.tree.read(folder.lock_path)
    lock_path = PurePosixPath(folder.lock_path)
    if not order.recipe.build.locked:
        return _resolved(hands, order, image, folder)
    if own is None:
        return Failure(
            step="crates",
            message=f"the source has no {lock_path}",
            hint="say build: {locked: false}: cargo then resolves the crates, and the lock it made is recorded",
        )
    return Crates(lock=hands.stages.store.put_bytes(own, lock_path.name), lock_path=lock_path)


def crates_volume(hands: Hands, order: Order, image: ReadyImage, crates: Crates) -> str | Failure:
    """Return the volume that holds these crates as a CARGO_HOME; filled again by the same lock where it is gone."""
    folder = _with_lock(hands, order, crates)
    configuration = _user_configuration(hands.host)
    content = key(
        {
            "folder": str(folder.digest),
            "image": str(image.identity),
            "configuration": [str(Digest.of(entry.content)) for entry in configuration],
        }
    )

    def fill(volume: str) -> Failure | None:
        with hands.bench(f"crates:{order.recipe.name}") as bench:
            _start(hands, bench, image, folder, volume)
            bench.put(configuration, CARGO_HOME)
            return _fetch(hands, bench, folder, locked=True)

    return filled_volume(hands, "crates", content, fill)


def _resolved(hands: Hands, order: Order, image: ReadyImage, folder: FetchFolder) -> Crates | Failure:
    """Let cargo make or mend the lock, and remember it until `--update` or until a manifest changes."""
    inputs: dict[str, JSON] = {"folder": str(folder.digest), "image": str(image.identity)}

    def make() -> Crates | Failure:
        with hands.bench(f"crates:{order.recipe.name}") as bench:
            _start(hands, bench, image, folder, volume=None)
            bench.put(_user_configuration(hands.host), _OWN_CARGO_HOME)
            failure = _fetch(hands, bench, folder, locked=False)
            if failure is not None:
                return failure
            taken = bench.take(_FETCH / folder.lock_path, "crates", limit_bytes=_LOCK_LIMIT_BYTES)
            if isinstance(taken, Failure):
                return taken
            lock_path = PurePosixPath(folder.lock_path)
            return Crates(lock=hands.stages.store.put_bytes(taken[0].content, lock_path.name), lock_path=lock_path)

    return hands.stages.once("crates", inputs, Crates, make)[0]


def _with_lock(hands: Hands, order: Order, crates: Crates) -> FetchFolder:
    if order.project.cargo_manifest is None:
        raise AssertionError("crates come from a manifest")
    folder = fetch_folder(order.tree, manifest=order.project.cargo_manifest)
    lock = FileEntry(path=crates.lock_path, content=hands.stages.store.read(crates.lock.digest))
    return replace(folder, files=(*(file for file in folder.files if file.path != lock.path), lock))


def _start(hands: Hands, bench: Bench, image: ReadyImage, folder: FetchFolder, volume: str | None) -> None:
    mounts = () if volume is None else (Mount(volume=volume, path=CARGO_HOME),)
    network = volume is None or folder.needs_network
    bench.start(ContainerSpec(image=image.reference, label="crates", env={}, network=network, mounts=mounts))
    bench.put(folder.files, _FETCH)
    bench.put(certificate_files(hands.host))


def _fetch(hands: Hands, bench: Bench, folder: FetchFolder, *, locked: bool) -> Failure | None:
    """Let cargo download what the lock names; where that is nothing, it still holds the lock against the manifests."""
    home = CARGO_HOME if locked else _OWN_CARGO_HOME
    env = {
        **network_env(hands.host),
        "PATH": SYSTEM_PATH,
        "HOME": str(WORK),
        "CARGO_HOME": str(home),
        "CARGO_NET_GIT_FETCH_WITH_CLI": "false",
        "CARGO_NET_RETRY": "3" if folder.needs_network else "0",
    }
    step = Step(
        name="crates",
        argv=folder.argv(locked=locked),
        env=env,
        phase="prepare",
        timeout_s=_FETCH_TIMEOUT_S,
        cwd=_FETCH,
    )
    ended = bench.run(step)
    if not isinstance(ended, Failure) or ended.ended != "failed":
        return ended if isinstance(ended, Failure) else None
    said = explain_cargo_failure(bench.last_output)
    if said.kind == "network" and not folder.needs_network:
        said = STALE_LOCK
    return replace(ended, message=said.sentence, hint=said.hint, ended="lost" if said.kind == "network" else "failed")


def _user_configuration(host: Host) -> tuple[FileEntry, ...]:
    """Return the host's own cargo configuration, cut down to where crates come from."""
    for name in ("config.toml", "config"):
        path = host.cargo_home / name
        if path.is_file():
            return (FileEntry(path=PurePosixPath("config.toml"), content=user_configuration(path.read_bytes())),)
    return ()
