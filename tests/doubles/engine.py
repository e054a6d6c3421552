"""A container engine in memory: images, volumes and containers with files, whose commands a test answers.

It keeps the promises of `factory.engine.api` that the contract suite checks on the real one, too: who may write where,
what comes out, what is missing, what is dead after a time limit. Tar streams are read and written by the engine's own
code, so that names and limits are judged alike.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from threading import Event, Lock
from typing import Literal

from factory.digest import Digest
from factory.engine import posture, rootfs, tarstream
from factory.engine.api import (
    WORKSPACE,
    ContainerSpec,
    EngineInfo,
    Exit,
    FileEntry,
    HeldImage,
    OnOutput,
    PullProgress,
    StreamEntry,
    TreeEntry,
)
from factory.engine.faults import MissingError
from factory.engine.pull import pull_error
from factory.errors import EngineError, FactoryError, ImageError, Interrupted
from factory.keys import key
from tests.doubles.tree import ROOT, FileTree

_DEADLY = frozenset({"timeout", "workspace", "disk", "unwatched", "lost"})
_KILLED, _NO_CODE = 137, -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command as a container got it; its files may be read and changed."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: PurePosixPath
    spec: ContainerSpec
    files: FileTree
    mounted: Mapping[PurePosixPath, FileTree]

    def read(self, path: PurePosixPath | str) -> bytes | None:
        """Return a file of the container or of a volume that is mounted there."""
        asked = self.cwd / path
        for at, tree in self.mounted.items():
            if asked.is_relative_to(at):
                return tree.read(ROOT / asked.relative_to(at))
        return self.files.read(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a command ends. One that takes longer than its time limit ends by that, and nobody waits for it."""

    code: int = 0
    output: str = ""
    ended: Literal["exited", "oom", "workspace", "disk", "unwatched", "lost"] = "exited"
    duration_s: float = 0.0


Commands = Callable[[Call], Answer]


@dataclass(slots=True, kw_only=True)
class EngineDouble:
    """One engine and one run on it; every method may be called from any thread.

    `commands` answers what containers run. `on_start` is called before a container starts, and may raise. `registry`
    holds, by `name@digest`, what can be pulled. `architecture` is its machine. `started` and `calls` are what was asked
    of it.
    """

    commands: Commands = lambda _: Answer()
    on_start: Callable[[ContainerSpec], None] = lambda _: None
    owner: str = "double"
    architecture: str = "x86_64"
    registry: dict[str, HeldImage] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, FileTree] = field(default_factory=dict)
    started: list[ContainerSpec] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    waits: int = 0
    ended: Event = field(default_factory=Event)
    _images: dict[str, HeldImage] = field(default_factory=dict)
    _references: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def info(self) -> EngineInfo:
        """Say what Docker says of a small machine."""
        return EngineInfo(
            name="Docker",
            version="28.0",
            api="1.48",
            driver="memory",
            architecture=self.architecture,
            cpus=2,
            memory_bytes=8 << 30,
            seccomp="builtin",
            limits_cpus=True,
        )

    def find_image(self, labels: Mapping[str, str]) -> str | None:
        """Return the id of the newest image here that carries all of these labels."""
        return next(iter(self.images(labels)), None)

    def images(self, labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        """List the images here that carry all of these labels, the newest first."""
        newest = reversed(self._images.values())
        return {image.id: image.labels for image in newest if labels.items() <= image.labels.items()}

    def held_image(self, reference: str) -> HeldImage | None:
        """Describe an image by id, name or digest; None where it is not here."""
        return self._images.get(self._references.get(reference, reference))

    def pull(self, name: str, digest: str, *, on_progress: Callable[[PullProgress], None]) -> None:
        """Take an image out of the registry."""
        self._refuse_after_end()
        reference = f"{name}@{digest}"
        if reference not in self.registry:
            raise pull_error(reference, f"manifest for {reference} not found: manifest unknown")
        on_progress(PullProgress(layers=1, layers_done=1, bytes_done=1, bytes_total=1))
        self.hold(self.registry[reference], reference)

    def registry_digest(self, name: str, tag: str) -> str:
        """Return the digest that a tag has in the registry."""
        reference = f"{name}:{tag}"
        if reference not in self.tags:
            raise pull_error(reference, f"manifest for {reference} not found: manifest unknown")
        return self.tags[reference]

    def require_served(self, name: str, digest: str, *, within_s: int) -> None:  # noqa: ARG002 -- it answers at once
        """Refuse an image that the registry does not have."""
        reference = f"{name}@{digest}"
        if reference not in self.registry:
            raise pull_error(reference, f"manifest for {reference} not found: manifest unknown")

    def import_rootfs(
        self, tar: Iterable[bytes], *, reference: str, labels: Mapping[str, str], env: Mapping[str, str]
    ) -> str:
        """Make an image of one root filesystem; equal ones make one image."""
        marks = posture.labels(owner=self.owner, kind="image") | dict(labels)
        with rootfs.spooled(tar) as (spool, layer):
            architecture = str(rootfs.architecture_of(spool)["architecture"])
            size_bytes = spool.seek(0, 2)
        made = key({"layer": str(layer), "labels": marks, "env": dict(env), "architecture": architecture})
        image = HeldImage(id=str(made), architecture=architecture, size_bytes=size_bytes, labels=marks, env=dict(env))
        return self.hold(image, reference)

    def hold(self, image: HeldImage, reference: str = "") -> str:
        """Have an image here, under a name; return its id."""
        with self._lock:
            self._images.pop(image.id, None)
            self._images[image.id] = image
            self._references |= {reference: image.id} if reference else {}
        return image.id

    def remove_image(self, image: str) -> None:
        """Remove an image; one that does not exist is no error."""
        with self._lock:
            gone = self._references.get(image, image)
            self._images.pop(gone, None)
            self._references = {name: held for name, held in self._references.items() if held != gone}

    @contextmanager
    def container(self, spec: ContainerSpec) -> Iterator["ContainerDouble"]:
        """Start a container that is gone when the block ends."""
        for mount in spec.mounts:
            if mount.volume not in self.volumes:
                raise EngineError(f"the engine has no volume {mount.volume} to mount at {mount.path}")
        self._refuse_after_end()
        if spec.network and spec.firewall is None:
            raise ValueError(f"{spec.label}: a container with network needs the image of its firewall")
        image = self.held_image(spec.image)
        if image is None:
            raise ImageError(f"the engine has no image {spec.image}", hint="`factory image list` shows those it has")
        self.on_start(spec)
        self.started.append(spec)
        container = ContainerDouble(engine=self, spec=spec, image=image)
        try:
            yield container
        finally:
            container.is_dead = True

    def fill_volume(self, name: str, entries: Iterable[TreeEntry]) -> None:
        """Make a volume anew that holds these files and nothing else."""
        self.volumes.pop(name, None)
        tree = self.volumes[name] = FileTree()
        tree.unpack(tarstream.pack(entries), ROOT)

    def has_volume(self, name: str) -> bool:
        """Whether a volume is here."""
        return name in self.volumes

    def cache_volumes(self) -> tuple[str, ...]:
        """List the volumes, all of which are this owner's."""
        return tuple(sorted(self.volumes))

    def remove_volume(self, name: str) -> None:
        """Remove a volume; one that does not exist is no error."""
        self.volumes.pop(name, None)

    def await_answer(self) -> None:
        """Count who waits; this engine answers at once, unless the run is ended."""
        self.waits += 1
        if self.ended.is_set():
            raise EngineError("this run was ended")

    def kill_run(self) -> None:
        """End every container, and let none start."""
        self.ended.set()

    def reap(self, is_running: Callable[[str], bool]) -> int:  # noqa: ARG002 -- the Protocol's parameter
        """Remove nothing: no other run was here."""
        return 0

    def _refuse_after_end(self) -> None:
        if self.ended.is_set():
            raise Interrupted("this run was ended")


@dataclass(slots=True, kw_only=True)
class ContainerDouble:
    """A running container with its files: a workspace, and what commands wrote elsewhere."""

    engine: EngineDouble
    spec: ContainerSpec
    image: HeldImage
    files: FileTree = field(default_factory=FileTree)
    is_dead: bool = False

    def run(
        self,
        argv: Iterable[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath = WORKSPACE,
        timeout_s: float,
        on_output: OnOutput | None = None,
    ) -> Exit:
        """Have one command answered. After a timeout the container is dead."""
        if self._is_gone():
            return Exit(code=_NO_CODE, output="", duration_s=0.0, ended="lost")
        call = self._call(tuple(argv), env or {}, cwd)
        self.engine.calls.append(call)
        answer = self.engine.commands(call)
        if answer.output and on_output is not None:
            on_output(answer.output.encode())
        ended = self._ended(answer, timeout_s)
        self.is_dead = self.is_dead or ended.ended in _DEADLY
        return ended

    @property
    def entry(self) -> tuple[str, ...]:
        """The command by which a client would run something in it."""
        return ("enter", self.spec.label)

    def copy_in(self, files: Iterable[TreeEntry], to: PurePosixPath = WORKSPACE) -> None:
        """Write files below a folder of the workspace."""
        if not to.is_relative_to(WORKSPACE) or ".." in to.parts:
            raise FactoryError(f"{to} is outside the workspace; files are copied into the workspace only")
        self._require()
        self.files.unpack(tarstream.pack(files, to.relative_to(WORKSPACE)), WORKSPACE)

    def copy_out(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[FileEntry]:
        """Read the regular files at or below a path."""
        yield from (entry.whole() for entry in self.stream_out(path, limit_bytes=limit_bytes))

    def stream_out(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[StreamEntry]:
        """Read the same files without holding one."""
        self._require()
        yield from tarstream.regular_files(self._pack(path), limit_bytes=limit_bytes)

    def copy_tree(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[TreeEntry]:
        """Read the files and the links at or below a path."""
        self._require()
        yield from tarstream.entries(self._pack(path), limit_bytes=limit_bytes)

    def _pack(self, path: PurePosixPath) -> Iterator[bytes]:
        try:
            yield from self.files.pack(path)
        except MissingError as error:
            hint = "only the workspace and mounted volumes can be read, not /tmp"
            raise FactoryError(f"the container holds no {path}", hint=hint) from error

    def is_running(self) -> bool:
        """Whether nobody has killed it."""
        return not self._is_gone()

    def commit(self, *, reference: str, labels: Mapping[str, str]) -> str:
        """Make an image of what was written outside the workspace."""
        self._require()
        marks = posture.labels(owner=self.engine.owner, kind="prepared", run="", label="")
        carried = {**self.image.labels, **marks, **labels}
        written = {path: str(Digest.of(content)) for path, content in self.files.below(ROOT).items()}
        kept = {path: digest for path, digest in written.items() if not path.startswith(("work/", "tmp/"))}
        made = key({"image": self.image.id, "labels": carried, "files": kept})
        return self.engine.hold(replace(self.image, id=str(made), labels=carried), reference)

    def _call(self, argv: tuple[str, ...], env: Mapping[str, str], cwd: PurePosixPath) -> Call:
        volumes = {mount.path: self.engine.volumes[mount.volume] for mount in self.spec.mounts}
        variables = {**posture.VARIABLES, **self.image.env, **self.spec.env, **env}
        return Call(argv=argv, env=variables, cwd=cwd, spec=self.spec, files=self.files, mounted=volumes)

    def _ended(self, answer: Answer, timeout_s: float) -> Exit:
        exit_ = Exit(
            code=answer.code, output=answer.output, duration_s=min(answer.duration_s, timeout_s), ended=answer.ended
        )
        if self.engine.ended.is_set() and answer.code != 0:
            return replace(exit_, ended="lost")
        return replace(exit_, code=_KILLED, ended="timeout") if answer.duration_s > timeout_s else exit_

    def _is_gone(self) -> bool:
        return self.is_dead or self.engine.ended.is_set()

    def _require(self) -> None:
        """Refuse to copy from or to a container that was removed."""
        if self.engine.ended.is_set():
            raise MissingError("no such container")
