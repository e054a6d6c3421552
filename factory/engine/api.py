"""What the factory asks of a container engine, as a Protocol; values only, no wheels, plans or tags.

Container paths are `PurePosixPath`. Files cross as tar streams, never as host mounts, so that a remote daemon works.
Everything made through an `Engine` carries labels of its owner (one per store) and run, and dies with the run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, Protocol

WORKSPACE = PurePosixPath("/work")
PIDS = 4096
EARLIEST_S = 315_532_800  # 1980-01-01: a zip, and so a wheel, cannot say an older time

OnOutput = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Who answers: name and version, API version, storage driver, processors and memory it may use.

    `seccomp` is the profile that filters its containers' system calls, None where nothing does; `limits_cpus` is
    whether its kernel can limit their processors.
    """

    name: str
    version: str
    api: str
    driver: str
    architecture: str
    cpus: int
    memory_bytes: int
    seccomp: str | None
    limits_cpus: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldImage:
    """An image that the engine holds, as its configuration describes it; `architecture` is the engine's word for it."""

    id: str
    architecture: str
    size_bytes: int
    labels: Mapping[str, str]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """How far a pull is: the layers known so far and those that are here, and the bytes of what is downloaded."""

    layers: int
    layers_done: int
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A named volume at a container path, read-only whatever runs there; host paths cannot be said."""

    volume: str
    path: PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One container of a run.

    The posture is always the same: unprivileged user, no capability, no new privileges, read-only root, `/tmp` and
    `/dev/shm` as tmpfs, pids and memory limits, an init, nothing of the host mounted. `WORKSPACE` is a writable
    anonymous volume that belongs to the unprivileged user and goes with the container.
    `network` is off unless a step needs it. It is then a network without other containers; `firewall` names an image of
    ours with a Python in /usr/bin, by which the link-local ranges are closed before this container is created.
    `tmpfs_bytes` bounds /tmp, `workspace_bytes` what the workspace may hold while a command runs; with 0 it is
    read-only. `label` names the cell.

    Commands are watched from a second container, of the image `monitor`. That must be one that no recipe influences;
    None says that `image` is.

    One that `prepares` an image is the exception: root, with the few capabilities that package managers need, and a
    writable root filesystem, which `commit` makes an image of. Package code never runs in it.
    """

    image: str
    label: str
    env: Mapping[str, str]
    network: bool = False
    firewall: str | None = None
    prepares: bool = False
    mounts: tuple[Mount, ...] = ()
    memory_bytes: int = 4 << 30
    pids: int = PIDS
    tmpfs_bytes: int = 2 << 30
    workspace_bytes: int = 16 << 30
    monitor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How one command in a container ended.

    `output` is stdout and stderr as the engine hands them over (each in order, between them nearly so), capped: beyond
    the cap the middle is dropped and `truncated` says so.
    `ended` is `exited` (see `code`), `timeout`, `oom` (the memory limit killed it), `workspace` (it held more than it
    may), `disk` (the engine's has too little room left), `unwatched` (nobody could see for too long what it holds) or
    `lost` (the container or the engine went away under it; `code` means nothing then).
    """

    code: int
    output: str
    duration_s: float
    ended: Literal["exited", "timeout", "oom", "workspace", "disk", "unwatched", "lost"] = "exited"
    truncated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One regular file to copy in; `mode` is its permission bits, `mtime_s` its modification time."""

    path: PurePosixPath
    content: bytes
    mode: int = 0o644
    mtime_s: int = EARLIEST_S


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEntry:
    """One link to copy in: symbolic, its `target` relative to its folder, or `hard`, to a file written before it.

    `mode` is the permission bits of a hard link, which are its file's too.
    """

    path: PurePosixPath
    target: str
    hard: bool = False
    mode: int = 0o777


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEntry:
    """One regular file whose bytes come in `pieces`, and are held nowhere as a whole."""

    path: PurePosixPath
    size_bytes: int
    pieces: Iterable[bytes]
    mode: int = 0o644
    mtime_s: int = EARLIEST_S

    def whole(self) -> FileEntry:
        """Read all pieces, and hold the file."""
        return FileEntry(path=self.path, content=b"".join(self.pieces), mode=self.mode, mtime_s=self.mtime_s)


Entry = FileEntry | StreamEntry | LinkEntry


class Container(Protocol):
    """A running container."""

    def run(
        self,
        argv: Iterable[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath = WORKSPACE,
        timeout_s: float,
        on_output: OnOutput | None = None,
    ) -> Exit:
        """Run one command to its end as the container's user. After a timeout the container is dead."""
        ...

    def copy_in(self, files: Iterable[FileEntry | StreamEntry], to: PurePosixPath = WORKSPACE) -> None:
        """Write files below a folder of the workspace, owned by the unprivileged user."""
        ...

    def copy_out(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[FileEntry]:
        """Read the regular files at or below a path; links and devices are skipped, paths are relative to it.

        Raises:
            FactoryError: the path does not exist, or more than `limit_bytes` would come out.
        """
        ...

    def stream_out(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[StreamEntry]:
        """Read the same files without holding one: an entry's pieces are gone once the next entry is asked for.

        Raises:
            FactoryError: as `copy_out`, also while pieces are read.
        """
        ...

    def copy_tree(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[Entry]:
        """Read the files, as `stream_out` does, and the links at or below a path.

        Raises:
            FactoryError: as of `stream_out`, or a link leads out of the folder.
        """
        ...

    def commit(self, *, reference: str, labels: Mapping[str, str]) -> str:
        """Make an image of a root filesystem that was prepared, on top of the image it began with; return its id.

        Nothing else of the container goes with it: not its workspace, /tmp, mounts, nor any command's environment.
        The labels must name everything that the first image's labels say and this image's do not.
        """
        ...


class Engine(Protocol):
    """A container engine. Raises EngineError where it does not answer, ImageError where an image is missing."""

    def info(self) -> EngineInfo:
        """Ask the engine who it is."""
        ...

    def find_image(self, labels: Mapping[str, str]) -> str | None:
        """Return the id of the newest image here that carries all of these labels."""
        ...

    def images(self, labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        """List the images here that carry all of these labels: their ids with all of their labels."""
        ...

    def held_image(self, reference: str) -> HeldImage | None:
        """Describe an image by id, name or digest; None where it is not here."""
        ...

    def pull(self, name: str, digest: str, *, on_progress: Callable[[PullProgress], None]) -> None:
        """Bring an image here from its registry, by digest; what came is compared with it.

        Raises:
            ImageError: it did not come; a PullError says whether it may come later.
            Interrupted: the run was ended meanwhile.
        """
        ...

    def registry_digest(self, name: str, tag: str) -> str:
        """Ask a registry which digest a tag has now; nothing is pulled.

        Raises:
            ImageError: the registry does not say.
        """
        ...

    def import_rootfs(
        self, tar: Iterable[bytes], *, reference: str, labels: Mapping[str, str], env: Mapping[str, str]
    ) -> str:
        """Make an image of one root filesystem, as a tar stream, with correct architecture metadata; return its id."""
        ...

    def remove_image(self, image: str) -> None:
        """Remove an image; one that a container still runs on only loses its name."""
        ...

    def container(self, spec: ContainerSpec) -> AbstractContextManager[Container]:
        """Start a container that is removed, with its workspace, when the block ends, however it ends."""
        ...

    def fill_volume(self, name: str, entries: Iterable[Entry]) -> None:
        """Make a named cache volume anew that holds these files and nothing else; it outlives the run.

        No program runs while the volume can be written: the engine unpacks the files by way of a container that is
        never started. The volume is then read back, and every file's digest compared.

        Raises:
            EngineError: the volume does not hold what was written.
        """
        ...

    def has_volume(self, name: str) -> bool:
        """Whether a named volume is here."""
        ...

    def remove_volume(self, name: str) -> None:
        """Remove a named volume; one that does not exist is no error."""
        ...

    def await_answer(self) -> None:
        """Wait until the engine answers, as after a restart; not while it is silent, nor once the run is ended.

        Raises:
            EngineError: it stayed away for too long. Who waits later is told so at once.
        """
        ...

    def kill_run(self) -> None:
        """End every container of this run at once: the way out of Ctrl-C."""
        ...

    def reap(self, is_running: Callable[[str], bool]) -> int:
        """Remove what dead runs of this owner left: containers and their volumes whose run id does not run."""
        ...
