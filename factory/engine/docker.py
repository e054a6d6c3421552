"""A container engine that speaks Docker's API: dockerd, or podman's service."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import PurePosixPath
from threading import Event, Lock
from types import TracebackType
from typing import BinaryIO, Final, Self, cast
from uuid import uuid4

from factory.digest import Digest
from factory.engine import egress, posture, rootfs, tarstream
from factory.engine.about import described, options_of
from factory.engine.api import ContainerSpec, EngineInfo, Entry, HeldImage, Mount, PullProgress
from factory.engine.client import PULL_SILENCE_S, Client
from factory.engine.container import DockerContainer
from factory.engine.disk import DiskLimits
from factory.engine.faults import ConflictError, MissingError, SilentError, UnreachableError
from factory.engine.monitor import Monitor
from factory.engine.pending import Pending
from factory.engine.pull import PullError, PullLines, pull_error
from factory.engine.retry import Retry
from factory.errors import EngineError, ImageError, Interrupted
from factory.host import Host

SILENCE_S: Final = 60
_AT_ONCE: Final = 8
_SETTLING_S: Final = 1.5

_KEPT: Final = "kept"
_KEPT_PATH: Final = PurePosixPath(_KEPT)
_KEEPER: Final = "wheel-factory/keeper:1"


def connect(
    host: Host, *, owner: str, run_id: str, silence_s: int = SILENCE_S, limits: DiskLimits | None = None
) -> "DockerEngine":
    """Connect to the engine that `host` names; everything made through it carries this owner and run.

    To be used as a context: its end removes what is left of the run, and closes the connections. `limits` are when
    commands are stopped for the engine's sake.

    Raises:
        EngineError: no engine answers there, or this user may not use it.
    """
    return DockerEngine(Client(host, silence_s=silence_s), owner=owner, run_id=run_id, limits=limits or DiskLimits())


class DockerEngine:
    """One engine and one run on it; every method may be called from any thread."""

    def __init__(self, client: Client, *, owner: str, run_id: str, limits: DiskLimits) -> None:
        """Own a connected client."""
        self._client = client
        self._limits = limits
        self._owner = owner
        self._run_id = run_id
        self._ended = Event()
        self._retry = Retry(client=client, run_ended=self._ended)
        self._pending = Pending()
        self._keeper_lock = Lock()
        self._keeper = ""
        self._options_lock = Lock()
        self._known_options: posture.ContainerOptions | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.kill_run()
            # What a thread had begun to make when the run was ended is there only now.
            if not self._pending.settle(0) and self._pending.settle(_SETTLING_S):
                self.kill_run()
        finally:
            self._client.close()

    def info(self) -> EngineInfo:
        """Ask the engine who it is."""
        return described(self._client.version(), self._client.info())

    def find_image(self, labels: Mapping[str, str]) -> str | None:
        """Return the id of the newest image here that carries all of these labels."""
        return next(iter(self.images(labels)), None)

    def images(self, labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        """List the images here that carry all of these labels, the newest first: their ids with all of their labels."""
        asked = [f"{name}={value}" for name, value in labels.items()][:1]  # Podman 4.3 finds nothing by two of them
        found = self._client.images({"label": asked})
        return {image: marks for image, marks in found.items() if labels.items() <= marks.items()}

    def held_image(self, reference: str) -> HeldImage | None:
        """Describe an image by id, name or digest; None where it is not here."""
        try:
            found = self._client.image(reference)
        except MissingError:
            return None
        config = cast("Mapping[str, object]", found["Config"] or {})
        pairs = (text.partition("=") for text in cast("list[str]", config.get("Env") or []))
        return HeldImage(
            id=str(found["Id"]),
            architecture=str(found["Architecture"]),
            size_bytes=cast("int", found["Size"]),
            labels=cast("Mapping[str, str]", config.get("Labels") or {}),
            env={name: value for name, _, value in pairs},
        )

    def pull(self, name: str, digest: str, *, on_progress: Callable[[PullProgress], None]) -> None:
        """Bring an image here from its registry, by digest; what came is compared with it.

        Raises:
            PullError: it did not come, and whether it may come later.
            Interrupted: the run was ended meanwhile.
        """
        lines = PullLines(reference=f"{name}@{digest}", on_progress=on_progress)
        try:
            self._refuse_after_end()
            with closing(self._client.pull(name, digest)) as said:
                for line in said:
                    lines.take(line)
        except EngineError as error:
            self._refuse_after_end()
            raise _not_pulled(lines.reference, error) from error
        if self.held_image(lines.reference) is None:
            raise pull_error(lines.reference, "the engine says that it came, and does not have it")

    def registry_digest(self, name: str, tag: str) -> str:
        """Ask a registry which digest a tag has now; nothing is pulled.

        Raises:
            PullError: the registry does not say.
        """
        reference = f"{name}:{tag}"
        try:
            found = self._client.distribution(reference)
        except MissingError as error:
            if error.message == "Not Found":  # of the call itself: Podman 4.3 does not have it
                hint = "ask by another engine, named in DOCKER_HOST, or write the digest yourself"
                raise ImageError("this engine asks no registry for digests", hint=hint) from error
            raise _not_pulled(reference, error) from error
        except EngineError as error:
            raise _not_pulled(reference, error) from error
        return cast("Mapping[str, str]", found["Descriptor"])["digest"]

    def import_rootfs(
        self, tar: Iterable[bytes], *, reference: str, labels: Mapping[str, str], env: Mapping[str, str]
    ) -> str:
        """Make an image of one root filesystem, as a tar stream, with correct architecture metadata; return its id."""
        marks = posture.labels(owner=self._owner, kind="image") | dict(labels)
        with rootfs.spooled(tar) as (spool, layer):
            machine = rootfs.architecture_of(spool)
            self._client.load(
                rootfs.docker_archive(spool, layer, reference=reference, architecture=machine, labels=marks, env=env)
            )
        return str(self._image(reference)["Id"])

    def remove_image(self, image: str) -> None:
        """Remove an image; one that a container still runs on only loses its name."""
        with suppress(MissingError, ConflictError):
            self._client.remove_image(image)

    @contextmanager
    def container(self, spec: ContainerSpec) -> Iterator[DockerContainer]:
        """Start a container that is removed, with its workspace, when the block ends, however it ends.

        Raises:
            ImageError: the image is not here.
            EngineError: a mounted volume is not here: the engine would make an empty one of root's.
            Interrupted: the run was ended.
        """
        self._refuse_missing(spec.mounts)
        name = f"factory-{uuid4().hex}"
        monitor = self._monitor(spec, workspace=name)
        making = ExitStack()
        try:
            making.enter_context(self._pending.change())
            self._refuse_after_end()
            with self._kept(name, self._marks(kind="workspace", label=spec.label)):
                pass  # the workspace needs no more than its owner
            marks = self._marks(kind="container", label=spec.label)
            description = posture.preparing if spec.prepares else posture.confined
            network = self._open_network(spec, name) if spec.network else "none"
            self._create(description(spec, workspace=name, marks=marks, options=self._options(), network=network), name)
            self._refuse_after_end()
            self._client.start(name)
            making.close()
            yield DockerContainer(
                client=self._client,
                name=name,
                image=spec.image,
                workspace_bytes=spec.workspace_bytes,
                user=posture.user_of(spec),
                run_ended=self._ended,
                monitor=monitor,
                limits=self._limits,
                marks=posture.labels(owner=self._owner, kind="prepared", run="", label=""),
            )
        finally:
            monitor.end()
            making.close()
            with self._pending.change():
                self._remove(spec, name, monitor)

    def _remove(self, spec: ContainerSpec, name: str, monitor: Monitor) -> None:
        try:
            self._discard(name)
        finally:
            monitor.join()
            self._retry.remove(partial(self._client.remove_volume, name))
            if spec.network:
                self._close_network(name)

    def _monitor(self, spec: ContainerSpec, *, workspace: str) -> Monitor:
        return Monitor(
            client=self._client,
            retry=self._retry,
            spec=spec,
            workspace=workspace,
            marks=self._marks(kind="watcher", label=spec.label),
            options=self._options(),
            run_ended=self._ended,
            pending=self._pending,
        )

    def _options(self) -> posture.ContainerOptions:
        """Ask once for the options for every container of this engine."""
        with self._options_lock:
            self._known_options = self._known_options or options_of(self.info())
        return self._known_options

    def _open_network(self, spec: ContainerSpec, name: str) -> str:
        """Make a network for one container, and start its firewall; return the engine's word for sharing it."""
        if spec.firewall is None:
            raise ValueError(f"{spec.label}: a container with network needs the image of its firewall")
        firewall = _firewall_of(name)
        self._client.create_network(egress.bridge(self._marks(kind="network", label=spec.label)), name)
        marks = self._marks(kind="guard", label=spec.label)
        self._create(posture.firewall(spec.firewall, marks=marks, options=self._options(), network=name), firewall)
        self._refuse_after_end()
        self._client.start(firewall)
        egress.block_ranges(self._client, firewall)
        return f"container:{firewall}"

    def _close_network(self, name: str) -> None:
        self._discard(_firewall_of(name))
        self._retry.remove(partial(self._client.remove_network, name))

    def fill_volume(self, name: str, entries: Iterable[Entry]) -> None:
        """Make a named cache volume anew that holds these files and nothing else, and compare what lies there."""
        self.remove_volume(name)
        written: dict[PurePosixPath, str] = {}
        with self._pending.change(), self._kept(name, posture.labels(owner=self._owner, kind="cache")) as keeper:
            self._client.put_archive(keeper, "/", tarstream.pack(tarstream.noted(entries, written), _KEPT_PATH))
            with closing(self._client.get_archive(keeper, f"/{_KEPT}")) as archive:
                read = tarstream.fingerprints(archive)
        if wrong := sorted(path for path in {*written, *read} if written.get(path) != read.get(path)):
            self.remove_volume(name)
            raise EngineError(
                f"the volume {name} does not hold what was written to it: {wrong[0]} differs",
                hint="is the engine's disk sound, and does something else write to its volumes?",
            )

    def has_volume(self, name: str) -> bool:
        """Whether a named volume is here."""
        try:
            self._client.volume(name)
        except MissingError:
            return False
        return True

    def remove_volume(self, name: str) -> None:
        """Remove a named volume; one that does not exist is no error."""
        with suppress(MissingError):
            self._client.remove_volume(name)

    def await_answer(self) -> None:
        """Wait until the engine answers, as after a restart.

        Raises:
            EngineError: it is silent, or stayed away, or the run was ended meanwhile.
        """
        self._retry.await_answer()

    def kill_run(self) -> None:
        """End every container of this run at once: the way out of Ctrl-C. None can be started afterwards."""
        self._ended.set()
        self._client.end_pulls()
        self._sweep(lambda run_id: run_id == self._run_id)

    def reap(self, is_running: Callable[[str], bool]) -> int:
        """Remove what dead runs of this owner left: containers, volumes and networks whose run id does not run."""
        return self._sweep(lambda run_id: run_id != self._run_id and not is_running(run_id))

    def _sweep(self, doomed: Callable[[str], bool]) -> int:
        mine = posture.label_filter(owner=self._owner)
        containers = self._doomed(self._client.containers(mine), {"container", "keeper", "guard", "watcher"}, doomed)
        volumes = self._doomed(self._client.volumes(mine), {"workspace"}, doomed)
        networks = self._doomed(self._client.networks(mine), {"network"}, doomed)
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # one after the other, a run's end would take seconds
            list(pool.map(self._discard, containers))
            list(pool.map(lambda volume: self._retry.remove(partial(self._client.remove_volume, volume)), volumes))
            list(pool.map(lambda name: self._retry.remove(partial(self._client.remove_network, name)), networks))
        return len(containers)

    def _doomed(
        self, found: Mapping[str, Mapping[str, str]], kinds: set[str], doomed: Callable[[str], bool]
    ) -> list[str]:
        """Pick by kind and run. A user's own container of an image of ours inherits the image's owner, not these."""
        return [
            each
            for each, marks in found.items()
            if posture.label_of(marks, "kind") in kinds and doomed(posture.label_of(marks, "run"))
        ]

    def _discard(self, container: str) -> None:
        """Remove by name, so that what was created without an answer goes, too."""
        self._retry.remove(partial(self._client.remove, container))

    @contextmanager
    def _kept(self, name: str, marks: Mapping[str, str]) -> Iterator[str]:
        """Make a volume and lend a container on it that is never started, by which the engine reads and writes it.

        A new volume belongs to root, and no image's own tools are trusted to change that as root: the engine unpacks a
        folder's owner over it.
        """
        self._client.create_volume(name, marks)
        keeper = f"factory-keeper-{uuid4().hex}"
        keeper_marks = self._marks(kind="keeper", label=name)
        try:
            self._create(
                posture.volume_container(self._keeper_image(), volume=name, at=_KEPT, marks=keeper_marks), keeper
            )
            self._client.put_archive(keeper, "/", [tarstream.folder(_KEPT)])
            yield keeper
        finally:
            self._discard(keeper)

    def _keeper_image(self) -> str:
        """Return the id of an image that holds one empty folder, made when it is first needed.

        It is known by its content: any image can carry its name or its label.
        """
        with self._keeper_lock, rootfs.spooled([tarstream.folder(_KEPT)]) as (spool, layer):
            self._keeper = self._keeper or self._found_keeper(layer) or self._make_keeper(spool, layer)
        return self._keeper

    def _found_keeper(self, layer: Digest) -> str | None:
        try:
            image = self._client.image(_KEEPER)
        except MissingError:
            return None
        content = cast("Mapping[str, object]", image["RootFS"])
        return str(image["Id"]) if content["Layers"] == [str(layer)] else None

    def _make_keeper(self, spool: BinaryIO, layer: Digest) -> str:
        machine = {"architecture": str(self._client.version()["Arch"])}
        marks = posture.labels(kind="keeper")
        self._client.load(
            rootfs.docker_archive(spool, layer, reference=_KEEPER, architecture=machine, labels=marks, env={})
        )
        found = self._found_keeper(layer)
        if found is None:
            raise EngineError(f"the engine loaded {_KEEPER}, and holds other files under this name", hint="run again")
        return found

    def _refuse_missing(self, mounts: Iterable[Mount]) -> None:
        for mount in mounts:
            if not self.has_volume(mount.volume):
                raise EngineError(f"the engine has no volume {mount.volume} to mount at {mount.path}")

    def _create(self, body: posture.Json, name: str) -> None:
        try:
            self._client.create(body, name)
        except MissingError as error:
            raise _no_image(str(body["Image"])) from error

    def _image(self, reference: str) -> posture.Json:
        try:
            return self._client.image(reference)
        except MissingError as error:
            raise _no_image(reference) from error

    def _marks(self, *, kind: str, label: str) -> dict[str, str]:
        return posture.labels(owner=self._owner, run=self._run_id, kind=kind, label=label)

    def _refuse_after_end(self) -> None:
        if self._ended.is_set():
            raise Interrupted("this run was ended")


def _firewall_of(container: str) -> str:
    return f"{container}-guard"


def _not_pulled(reference: str, error: EngineError) -> EngineError:
    """Tell an engine that went away from a registry that did."""
    if isinstance(error, PullError) or (isinstance(error, UnreachableError) and not isinstance(error, SilentError)):
        return error
    if isinstance(error, SilentError):
        return pull_error(reference, f"timeout: nothing came for {PULL_SILENCE_S} s")
    return pull_error(reference, error.message)


def _no_image(reference: str) -> ImageError:
    return ImageError(f"the engine has no image {reference}", hint="`factory image list` shows those it has")
