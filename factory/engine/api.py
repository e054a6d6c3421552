"""What the factory asks of a container engine, as a Protocol.

Container paths are `PurePosixPath`. Files are sent as tar streams, never as host mounts, so that a remote daemon works.
Everything made through an `Engine` carries labels of its owner (one per store) and of its run, and ends with the run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Literal, Protocol

WORKSPACE = PurePosixPath("/work")
PIDS = 4096
EARLIEST_S = 315_532_800  # 1980-01-01: a zip, and so a wheel, cannot hold an earlier time

OnOutput = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """An engine's name and version, API version, storage driver, and the processors and memory that it may use.

    `seccomp` is the profile that filters the system calls of its containers, None where no profile does; `limits_cpus`
    is whether its kernel can limit their processors.
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
    """An image that the engine has, as its configuration describes it; `architecture` is in the engine's spelling.

    `created` is when it was made, None where its maker does not say.
    """

    id: str
    architecture: str
    size_bytes: int
    labels: Mapping[str, str]
    env: Mapping[str, str]
    created: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """The progress of a pull: layers known and complete, and bytes of the layers that are downloaded."""

    layers: int
    layers_done: int
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A named volume at a container path, always read-only; host paths cannot be mounted."""

    volume: str
    path: PurePosixPath


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One container of a run.

    The posture is always the same: unprivileged user, no capability, no new privileges, read-only root, `/tmp` and
    `/dev/shm` as tmpfs, pids and memory limits, an init, nothing of the host mounted. `WORKSPACE` is a writable
    anonymous volume that belongs to the unprivileged user and goes with the container.
    `network` is off unless a step needs it. It is then a network without other containers; `firewall` names an image of
    ours that has a Python, whose container blocks link-local addresses before this one is created.
    `tmpfs_bytes` limits /tmp, `workspace_bytes` what the workspace may hold while a command runs; 0 makes it
    read-only. `label` names the cell. `hidden` are folders of the image in whose place commands see an empty one.

    Commands are watched from a second container, of the image `monitor`, which no recipe may influence; None means that
    `image` is such an image.

    A container that `prepares` an image is the exception: it runs as root, with the few capabilities that package
    managers need, on a writable root filesystem, which `commit` makes an image of. Package code never runs in it.
    """

    image: str
    label: str
    env: Mapping[str, str]
    network: bool = False
    firewall: str | None = None
    prepares: bool = False
    mounts: tuple[Mount, ...] = ()
    hidden: tuple[PurePosixPath, ...] = ()
    memory_bytes: int = 4 << 30
    pids: int = PIDS
    tmpfs_bytes: int = 2 << 30
    workspace_bytes: int = 16 << 30
    monitor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How one command in a container ended.

    `output` is stdout and stderr as the engine sends them (each in order, the two interleaved nearly so). Beyond a cap
    the middle is dropped, and `truncated` is set.
    `ended` is `exited` (see `code`), `timeout`, `oom` (the memory limit killed it), `workspace` (it held more than it
    may), `disk` (the engine's disk is nearly full), `unwatched` (the workspace could not be measured for too long) or
    `lost` (the container or the engine went away; `code` means nothing then).
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
    """One link to copy in: symbolic, with a `target` relative to its folder, or `hard`, to a file written before it.

    `mode` is the permission bits of a hard link, which its file shares.
    """

    path: PurePosixPath
    target: str
    hard: bool = False
    mode: int = 0o777


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEntry:
    """One regular file whose bytes come in `pieces`, so that the whole file is never in memory."""

    path: PurePosixPath
    size_bytes: int
    pieces: Iterable[bytes]
    mode: int = 0o644
    mtime_s: int = EARLIEST_S

    def whole(self) -> FileEntry:
        """Read all pieces into memory."""
        return FileEntry(path=self.path, content=b"".join(self.pieces), mode=self.mode, mtime_s=self.mtime_s)


TreeEntry = FileEntry | StreamEntry | LinkEntry


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
        """Run one command to its end as the container's user. A timeout kills the container."""
        ...

    def copy_in(self, files: Iterable[TreeEntry], to: PurePosixPath = WORKSPACE) -> None:
        """Write files and links below a folder of the workspace, owned by the unprivileged user."""
        ...

    def copy_out(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[FileEntry]:
        """Read the regular files at or below a path; links and devices are skipped, paths are relative to it.

        Raises:
            FactoryError: the path does not exist, or more than `limit_bytes` would come out.
        """
        ...

    def stream_out(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[StreamEntry]:
        """Read the same files in pieces: an entry's pieces must be read before the next entry is asked for.

        Raises:
            FactoryError: as for `copy_out`, also while pieces are read.
        """
        ...

    def copy_tree(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[TreeEntry]:
        """Read the files, as `stream_out` does, and the links at or below a path.

        Raises:
            FactoryError: as for `stream_out`, or a link leads out of the folder.
        """
        ...

    @property
    def entry(self) -> tuple[str, ...]:
        """The command, without what it runs, by which docker's own client runs something in it in a terminal."""
        ...

    def is_running(self) -> bool:
        """Whether the engine still has it running; an engine that does not answer has not."""
        ...

    def commit(self, *, reference: str, labels: Mapping[str, str]) -> str:
        """Make an image of a root filesystem that was prepared, on top of the image it began with; return its id.

        Nothing else of the container becomes part of it: no workspace, /tmp, mounts or environment of a command.
        Every label of the first image must be given again, or given another value.
        """
        ...


class Engine(Protocol):
    """A container engine. Raises EngineError where it does not answer, ImageError where an image is missing."""

    def info(self) -> EngineInfo:
        """Ask the engine what it is."""
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
            ImageError: it did not come; a PullError says whether trying again may help.
            Interrupted: the run was ended meanwhile.
        """
        ...

    def registry_digest(self, name: str, tag: str) -> str:
        """Ask a registry which digest a tag has now; nothing is pulled.

        Raises:
            ImageError: the registry does not answer.
        """
        ...

    def require_served(self, name: str, digest: str, *, within_s: int) -> None:
        """Ask a registry whether it serves an image, by digest; nothing is pulled.

        Raises:
            ImageError: it does not, or does not answer in time.
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
        """Start a container that is removed, with its workspace, when the block ends, however it ends.

        After a block that did not raise, the removal may still be under way; the end of the run waits for it.
        """
        ...

    def fill_volume(self, name: str, entries: Iterable[TreeEntry]) -> None:
        """Create a named cache volume again with these files and nothing else; it outlives the run.

        No program runs while the volume can be written: the engine unpacks the files through a container that is never
        started. The volume is then read back, and the digest of every file compared.

        Raises:
            EngineError: the volume does not hold what was written.
        """
        ...

    def has_volume(self, name: str) -> bool:
        """Whether a named volume is here."""
        ...

    def cache_volumes(self) -> tuple[str, ...]:
        """List the cache volumes of this owner by name, sorted."""
        ...

    def remove_volume(self, name: str) -> None:
        """Remove a named volume; one that does not exist is no error."""
        ...

    def await_answer(self) -> None:
        """Wait until the engine answers, as after a restart.

        Raises:
            EngineError: it is silent, or stayed away for too long, or the run was ended. Later calls raise at once.
        """
        ...

    def kill_run(self) -> None:
        """End every container of this run at once, as after Ctrl-C."""
        ...

    def reap(self, is_running: Callable[[str], bool]) -> int:
        """Remove what dead runs of this owner left: containers, volumes and networks of run ids that do not run."""
        ...
