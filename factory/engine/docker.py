"""A container engine that speaks Docker's API: dockerd, or podman's service."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from factory.engine import egress, posture, registry, rootfs
from factory.engine.about import described, held_image, options_of
from factory.engine.api import ContainerSpec, EngineInfo, HeldImage, PullProgress, TreeEntry
from factory.engine.cleanup import sweep
from factory.engine.client import Client
from factory.engine.container import DockerContainer
from factory.engine.disk import DiskLimits
from factory.engine.faults import ConflictError, MissingError
from factory.engine.monitor import Monitor
from factory.engine.run import EngineRun, no_image
from factory.engine.volumes import Volumes
from factory.errors import EngineError
from factory.host import Host

SILENCE_S: Final = 60
_SETTLING_S: Final = 1.5  # the most that the end of a run may wait for


def connect(
    host: Host,
    *,
    owner: str,
    run_id: str,
    silence_s: int = SILENCE_S,
    limits: DiskLimits | None = None,
    ipv6: str = posture.NO_IPV6,
) -> "DockerEngine":
    """Connect to the engine that `host` names; everything made through it carries this owner and run.

    Use it as a context: its end removes what is left of the run, and closes the connections. `limits` say when commands
    are stopped to protect the engine, `ipv6` is the kernel's setting that switches IPv6 off.

    Raises:
        EngineError: no engine answers there, or this user may not use it.
    """
    client = Client(host, silence_s=silence_s)
    return DockerEngine(client, owner=owner, run_id=run_id, limits=limits or DiskLimits(), ipv6=ipv6)


class DockerEngine:
    """One engine and one run on it; every method may be called from any thread."""

    def __init__(self, client: Client, *, owner: str, run_id: str, limits: DiskLimits, ipv6: str) -> None:
        """Own a connected client."""
        self._client = client
        self._limits = limits
        self._run = EngineRun(client=client, owner=owner, run_id=run_id)
        self._volumes = Volumes(self._run)
        self._ipv6 = ipv6
        self._options_lock = Lock()
        self._known_options: posture.ContainerOptions | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and not self._run.ended.is_set():
                self._run.removals.settle(self._client.silence_s)  # What the engine did not remove is swept then.
            self.kill_run()
            # What a thread had begun to make when the run was ended exists only now.
            if not self._run.pending.settle(0) and self._run.pending.settle(_SETTLING_S):
                self.kill_run()
        finally:
            self._client.close()

    def info(self) -> EngineInfo:
        """Ask the engine what it is."""
        return described(self._client.version(), self._client.info())

    def find_image(self, labels: Mapping[str, str]) -> str | None:
        """Return the id of the newest image here that carries all of these labels."""
        return next(iter(self.images(labels)), None)

    def images(self, labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        """List the images here that carry all of these labels, the newest first: their ids with all of their labels."""
        asked = [f"{name}={value}" for name, value in labels.items()][:1]  # Podman 4.3 finds nothing by two of them
        images = self._client.images({"label": asked})
        return {image: marks for image, marks in images.items() if labels.items() <= marks.items()}

    def held_image(self, reference: str) -> HeldImage | None:
        """Describe an image by id, name or digest; None where it is not here."""
        try:
            return held_image(self._client.image(reference))
        except MissingError:
            return None

    def pull(self, name: str, digest: str, *, on_progress: Callable[[PullProgress], None]) -> None:
        """Bring an image here from its registry, by digest; what came is compared with it.

        Raises:
            PullError: it did not come; it says whether trying again may help.
            Interrupted: the run was ended meanwhile.
        """
        registry.pull(self._run, name, digest, on_progress=on_progress)

    def registry_digest(self, name: str, tag: str) -> str:
        """Ask a registry which digest a tag has now; nothing is pulled.

        Raises:
            PullError: the registry does not answer.
        """
        return registry.registry_digest(self._run, name, tag)

    def require_served(self, name: str, digest: str, *, within_s: int) -> None:
        """Ask a registry whether it serves an image, by digest; nothing is pulled.

        Raises:
            PullError: it does not, or does not answer in time.
        """
        registry.ask(self._run, f"{name}@{digest}", within_s=within_s)

    def import_rootfs(
        self, tar: Iterable[bytes], *, reference: str, labels: Mapping[str, str], env: Mapping[str, str]
    ) -> str:
        """Make an image of one root filesystem, as a tar stream, with correct architecture metadata; return its id."""
        marks = posture.labels(owner=self._run.owner, kind="image") | dict(labels)
        with rootfs.spooled(tar) as (spool, layer):
            machine = rootfs.architecture_of(spool)
            self._client.load(
                rootfs.docker_archive(spool, layer, reference=reference, architecture=machine, labels=marks, env=env)
            )
        try:
            return str(self._client.image(reference)["Id"])
        except MissingError as error:
            raise no_image(reference) from error

    def remove_image(self, image: str) -> None:
        """Remove an image; one that a container still runs on only loses its name."""
        self._run.removals.settle(self._client.silence_s)
        with suppress(MissingError, ConflictError):
            self._client.remove_image(image)

    @contextmanager
    def container(self, spec: ContainerSpec) -> Iterator[DockerContainer]:
        """Start a container that is removed, with its workspace, when the block ends, however it ends.

        Nobody waits for the removal after a block that did not raise; the end of the run does.

        Raises:
            ImageError: the image is not here.
            EngineError: a mounted volume is not here.
            Interrupted: the run was ended.
        """
        self._volumes.require(spec.mounts)
        name = f"factory-{uuid4().hex}"
        monitor = Monitor(run=self._run, spec=spec, workspace=name, options=self._options())
        removal = partial(self._remove, spec, name, monitor)
        try:
            with self._run.pending.change():
                self._start(spec, name)
            yield self._running(spec, name, monitor)
        except BaseException:
            with self._run.pending.change():
                removal()
            raise
        self._run.remove_later(removal)

    def _start(self, spec: ContainerSpec, name: str) -> None:
        run = self._run
        run.require_running()
        self._volumes.make_workspace(name, spec.label, is_read_only=not spec.workspace_bytes)
        network = egress.open_network(run, spec, name, self._options()) if spec.network else "none"
        options = self._options()
        try:
            self._start_with(options, spec, name, network)
        except EngineError as error:
            if not self._lacks_ipv6(error, options):
                raise
            run.remove_container(name)
            self._start_with(self._options(), spec, name, network)

    def _start_with(self, options: posture.ContainerOptions, spec: ContainerSpec, name: str, network: str) -> None:
        run = self._run
        describe = posture.preparing if spec.prepares else posture.confined
        marks = run.labels(kind="container", label=spec.label)
        run.create_container(describe(spec, workspace=name, marks=marks, options=options, network=network), name)
        run.require_running()  # Whoever ended the run meanwhile may not have seen this container.
        self._client.start(name)

    def _lacks_ipv6(self, error: EngineError, options: posture.ContainerOptions) -> bool:
        """Whether a container did not start because the kernel lacks IPv6, which no call tells before; it is kept."""
        if options.ipv6 is None or options.ipv6.replace(".", "/") not in error.message.replace(".", "/"):
            return False
        with self._options_lock:
            self._known_options = replace(options, ipv6=None)
        return True

    def _running(self, spec: ContainerSpec, name: str, monitor: Monitor) -> DockerContainer:
        return DockerContainer(
            client=self._client,
            name=name,
            image=spec.image,
            workspace_bytes=spec.workspace_bytes,
            user=posture.user_of(spec),
            run_ended=self._run.ended,
            monitor=monitor,
            limits=self._limits,
            owns_workspace=not spec.workspace_bytes,
            marks=posture.labels(owner=self._run.owner, kind="prepared", run="", label=""),
        )

    def _remove(self, spec: ContainerSpec, name: str, monitor: Monitor) -> None:
        monitor.end()
        try:
            self._run.remove_container(name)
        finally:
            monitor.join()
            self._run.remove_volume(name)
            if spec.network:
                egress.close_network(self._run, name)

    def _options(self) -> posture.ContainerOptions:
        """Ask once for the options for every container of this engine."""
        with self._options_lock:
            self._known_options = self._known_options or replace(options_of(self.info()), ipv6=self._ipv6)
        return self._known_options

    def fill_volume(self, name: str, entries: Iterable[TreeEntry]) -> None:
        """Create a named cache volume again with these files and nothing else, and compare what it holds then."""
        self._volumes.fill(name, entries)

    def has_volume(self, name: str) -> bool:
        """Whether a named volume is here."""
        return self._volumes.has(name)

    def cache_volumes(self) -> tuple[str, ...]:
        """List the cache volumes of this owner by name, sorted."""
        return self._volumes.cached()

    def remove_volume(self, name: str) -> None:
        """Remove a named volume; one that does not exist is no error."""
        self._volumes.remove(name)

    def await_answer(self) -> None:
        """Wait until the engine answers, as after a restart.

        Raises:
            EngineError: it is silent, or stayed away, or the run was ended meanwhile.
        """
        self._run.retry.await_answer()

    def kill_run(self) -> None:
        """End every container of this run at once, as after Ctrl-C. None can be started afterwards."""
        self._run.ended.set()
        self._client.end_pulls()
        sweep(self._run, lambda run_id: run_id == self._run.run_id)

    def reap(self, is_running: Callable[[str], bool]) -> int:
        """Remove what dead runs of this owner left: containers, volumes and networks whose run id does not run."""
        return sweep(self._run, lambda run_id: run_id != self._run.run_id and not is_running(run_id))
