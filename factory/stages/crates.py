"""Fetch crates by cargo, in a container with network that holds manifests and the lock but none of the package's code.

Registry tokens and proxies are passed to it, so its image is one of ours, never one that a recipe prepared or named.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from factory.diagnoses.cargo import STALE_LOCK, explain_cargo_failure
from factory.digest import Digest
from factory.engine.api import ContainerSpec, FileEntry, TreeEntry
from factory.errors import SourceError
from factory.failure import Ended, Failure
from factory.host import Host
from factory.images.ready import ReadyImage
from factory.keys import key
from factory.memory import ASKS_THE_WORLD, Stage
from factory.planned import PlannedRecipe
from factory.redaction import redact
from factory.resolve.cargo import (
    FetchFolder,
    UserConfiguration,
    usable_tokens,
    user_configuration,
)
from factory.sessions.services import Services, certificate_files, loopback_hint, network_env
from factory.sessions.session import Session
from factory.sessions.volumes import filled_volume
from factory.stages.manifests import Lock, Manifests, folder_of, lock_of, manifests_of
from factory.stages.rust import with_rust
from factory.steps import WORK, Step, search_path

_FETCH = WORK / "fetch"
_OWN_CARGO_HOME = WORK / "cargo"
_FETCH_TIMEOUT_S = 900
LOCK_LIMIT_BYTES = 16 << 20
_CRATES_LIMIT_BYTES = 16 << 30
_NONE = UserConfiguration()


@dataclass(frozen=True, slots=True, kw_only=True)
class Crates:
    """The locks that name a build's crates: one, unless its extensions are crates that share no workspace."""

    locks: tuple[Lock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveCrates(Stage[Crates]):
    """The lock that cargo makes of manifests, where the recipe does not ask for the source's own."""

    NAME, VERSION, REDONE_BY = "crates", 2, ASKS_THE_WORLD

    folder: Digest
    image: Digest
    configuration: Digest


def crates_of(services: Services, planned: PlannedRecipe, image: ReadyImage) -> Crates | Failure | None:
    """Return the locks of the source's crates: its own or, with the recipe's `locked: false`, those that cargo makes.

    None for a source without Cargo.toml.
    """
    try:
        manifests = manifests_of(services.memory, planned)
    except SourceError as error:
        return Failure(step="crates", message=error.message, hint=error.hint)
    if manifests is None:
        return None
    if not planned.recipe.build.locked:
        return _resolved(services, planned, image, manifests)
    if len(manifests.own) < len(manifests.lock_paths):
        raise AssertionError("planning refuses a source without a lock")
    return Crates(locks=manifests.own)


def crates_volume(services: Services, planned: PlannedRecipe, image: ReadyImage, crates: Crates) -> str | Failure:
    """Return the volume that holds these crates as a CARGO_HOME; where it is gone, the lock fills it again."""
    fetcher = _fetcher(services, image)
    if isinstance(fetcher, Failure):
        return fetcher
    folder = _with_locks(services, planned, crates)
    # Where nothing is downloaded the user's configuration changes nothing, and must not change the key.
    configuration = _user_configuration(services.host) if folder.needs_network else _NONE
    content = key(
        {
            "folder": str(folder.digest),
            "image": str(fetcher.identity),
            "configuration": str(Digest.of(configuration.content)),
        }
    )
    return filled_volume(
        services, "crates", content, lambda: _fetched(services, planned.recipe.name, fetcher, folder, configuration)
    )


@contextmanager
def _fetched(
    services: Services, recipe: str, fetcher: ReadyImage, folder: FetchFolder, configuration: UserConfiguration
) -> Iterator[Iterable[TreeEntry] | Failure]:
    """Let cargo fetch into its container's workspace, and read what it fetched."""
    with services.session(f"crates:{recipe}") as session:
        _start(services, session, fetcher, folder, configuration, network=folder.needs_network)
        failure = _fetch(services, session, fetcher, folder, configuration, locked=True)
        yield failure or session.container.copy_tree(_OWN_CARGO_HOME, limit_bytes=_CRATES_LIMIT_BYTES)


def _resolved(services: Services, planned: PlannedRecipe, image: ReadyImage, manifests: Manifests) -> Crates | Failure:
    """Let cargo make or update the lock, which is remembered until `--update` or until a manifest changes."""
    fetcher = _fetcher(services, image)
    if isinstance(fetcher, Failure):
        return fetcher
    configuration = _user_configuration(services.host)

    def resolve() -> Crates | Failure:
        folder = folder_of(planned)
        with services.session(f"crates:{planned.recipe.name}") as session:
            _start(services, session, fetcher, folder, configuration, network=True)
            failure = _fetch(services, session, fetcher, folder, configuration, locked=False)
            if failure is not None:
                return failure
            locks = [_take(services, session, path) for path in folder.lock_paths]
            missing = next((lock for lock in locks if isinstance(lock, Failure)), None)
            return missing or Crates(locks=tuple(lock for lock in locks if isinstance(lock, Lock)))

    stage = ResolveCrates(
        folder=manifests.folder, image=fetcher.identity, configuration=Digest.of(configuration.content)
    )
    return services.memory.once(stage, resolve)[0]


def _fetcher(services: Services, image: ReadyImage) -> ReadyImage | Failure:
    """Return the image that cargo fetches in: ours that the build's image was made from, else a plain one with Rust.

    For programs it is the plain one, so that their crates are fetched once for all interpreters and their images.
    """
    own = None if image.facts.role == "program" else image.own
    if own is not None:
        return own
    helper = services.helper()
    if image.rust is None or image.machine != helper.machine:
        return with_rust(services, helper)
    return helper.with_release(image.rust)


def _take(services: Services, session: Session, path: str) -> Lock | Failure:
    taken = session.take(_FETCH / path, "crates", limit_bytes=LOCK_LIMIT_BYTES)
    return taken if isinstance(taken, Failure) else lock_of(services.memory.store, path, taken[0].content)


def lock_files(services: Services, crates: Crates) -> tuple[FileEntry, ...]:
    """Return the locks as files of the source."""
    store = services.memory.store
    return tuple(FileEntry(path=lock.path, content=store.read(lock.file.digest)) for lock in crates.locks)


def _with_locks(services: Services, planned: PlannedRecipe, crates: Crates) -> FetchFolder:
    folder = folder_of(planned)
    locks = {file.path: file for file in lock_files(services, crates)}
    return replace(folder, files=(*(file for file in folder.files if file.path not in locks), *locks.values()))


def _start(
    services: Services,
    session: Session,
    fetcher: ReadyImage,
    folder: FetchFolder,
    configuration: UserConfiguration,
    *,
    network: bool,
) -> None:
    session.start(
        ContainerSpec(
            image=fetcher.reference,
            label="crates",
            env={},
            network=network,
            firewall=services.helper().reference if network else None,
            mounts=fetcher.mounts,
        )
    )
    session.put(folder.files, _FETCH)
    session.put(_files(configuration), _OWN_CARGO_HOME)
    session.put(certificate_files(services.host))


def _fetch(
    services: Services,
    session: Session,
    fetcher: ReadyImage,
    folder: FetchFolder,
    configuration: UserConfiguration,
    *,
    locked: bool,
) -> Failure | None:
    """Let cargo download what the lock names; where that is nothing, it still compares the lock with the manifests."""
    env = {
        **network_env(services.host),
        **usable_tokens(services.host.cargo_tokens, configuration.registries, folder.registries),
        "PATH": search_path(system=fetcher.path),
        "HOME": str(WORK),
        "CARGO_HOME": str(_OWN_CARGO_HOME),
        "CARGO_NET_GIT_FETCH_WITH_CLI": "false",  # a git program would run helpers that a configuration names
        "CARGO_NET_RETRY": "3" if folder.needs_network else "0",
    }
    steps = [
        Step(name="crates", argv=argv, env=env, phase="prepare", timeout_s=_FETCH_TIMEOUT_S, cwd=_FETCH)
        for argv in folder.commands(locked=locked)
    ]
    ended = session.run_all(steps)
    if ended is None or ended.ended != "failed":
        return ended
    diagnosis = explain_cargo_failure(redact(session.last_output))
    if diagnosis.kind == "network" and not folder.needs_network:
        diagnosis = STALE_LOCK  # cargo asked for a crate although the lock names none that has to be downloaded
    elif diagnosis.kind == "network" and (named := _loopback(services.host, configuration)):
        diagnosis = replace(diagnosis, hint=loopback_hint(named))
    outcome: Ended = "lost" if diagnosis.kind == "network" else "failed"
    return replace(ended, message=diagnosis.sentence, hint=diagnosis.hint, ended=outcome)


def _loopback(host: Host, configuration: UserConfiguration) -> tuple[str, ...]:
    """Return what names a loopback address, which inside a container is another one."""
    return (*host.loopback_proxies, *(("a URL of your cargo configuration",) if configuration.is_loopback else ()))


def _user_configuration(host: Host) -> UserConfiguration:
    """Return the part of the user's cargo configuration that says where crates come from."""
    for name in ("config", "config.toml"):  # cargo, too, prefers the older name where both exist
        path = host.cargo_home / name
        if path.is_file():
            return user_configuration(path.read_bytes())
    return _NONE


def _files(configuration: UserConfiguration) -> tuple[FileEntry, ...]:
    return (
        (FileEntry(path=PurePosixPath("config.toml"), content=configuration.content),) if configuration.content else ()
    )
