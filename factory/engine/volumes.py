"""Volumes, which the engine fills and reads by way of containers that are never started.

Such a container's image holds one empty folder, so that no program of an image can interfere.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import PurePosixPath
from threading import Lock
from typing import BinaryIO, Final, cast
from uuid import uuid4

from factory.digest import Digest
from factory.engine import posture, rootfs, tarstream
from factory.engine.api import Mount, TreeEntry
from factory.engine.faults import ConflictError, MissingError
from factory.engine.run import EngineRun
from factory.errors import EngineError

_FOLDER: Final = "kept"
_FOLDER_PATH: Final = PurePosixPath(_FOLDER)
_IMAGE: Final = "wheel-factory/keeper:1"


class Volumes:
    """The volumes of one engine; every method may be called from any thread."""

    def __init__(self, run: EngineRun) -> None:
        """Make volumes for a run."""
        self._run = run
        self._image_lock = Lock()
        self._image = ""

    def make_workspace(self, name: str, label: str, *, is_read_only: bool) -> None:
        """Make a volume that goes with the run.

        One that its container may only read belongs to the unprivileged user at once, and holds an empty home; any
        other is given to the user through its container.
        """
        labels = self._run.labels(kind="workspace", label=label)
        if not is_read_only:
            self._run.client.create_volume(name, labels)
            return
        with self._reachable(name, labels, f"{_FOLDER}/{posture.HOME.name}"):
            pass  # all that it needs are its owner and the folder

    def fill(self, name: str, entries: Iterable[TreeEntry]) -> None:
        """Create a named cache volume again with these files and nothing else, and compare what it holds then.

        Raises:
            EngineError: the volume does not hold what was written.
        """
        client = self._run.client
        self.remove(name)  # What a run that died left in it must not stay.
        written: dict[PurePosixPath, str] = {}
        labels = posture.labels(owner=self._run.owner, kind="cache")
        with self._run.pending.change(), self._reachable(name, labels) as container:
            client.put_archive(container, "/", tarstream.pack(tarstream.noted(entries, written), _FOLDER_PATH))
            with closing(client.get_archive(container, f"/{_FOLDER}")) as archive:
                read = tarstream.fingerprints(archive)
        if wrong := sorted(path for path in {*written, *read} if written.get(path) != read.get(path)):
            self.remove(name)
            raise EngineError(
                f"the volume {name} does not hold what was written to it: {wrong[0]} differs",
                hint="check the engine's disk, and whether something else writes to its volumes",
            )

    def has(self, name: str) -> bool:
        """Whether a named volume is here."""
        try:
            self._run.client.volume(name)
        except MissingError:
            return False
        return True

    def cached(self) -> tuple[str, ...]:
        """List the cache volumes of the owner by name, sorted."""
        labelled = self._run.client.volumes(posture.label_filter(owner=self._run.owner))
        return tuple(sorted(name for name, labels in labelled.items() if posture.label_of(labels, "kind") == "cache"))

    def remove(self, name: str) -> None:
        """Remove a named volume; one that does not exist is no error.

        A container of this run that uses it may still be under removal.

        Raises:
            ConflictError: another container uses it.
        """
        with suppress(MissingError):
            try:
                self._run.client.remove_volume(name)
            except ConflictError:
                self._run.removals.settle(self._run.client.silence_s)
                self._run.client.remove_volume(name)

    def require(self, mounts: Iterable[Mount]) -> None:
        """Refuse to mount a volume that is not here: the engine would make an empty one that belongs to root.

        Raises:
            EngineError: one is not here.
        """
        for mount in mounts:
            if not self.has(mount.volume):
                raise EngineError(f"the engine has no volume {mount.volume} to mount at {mount.path}")

    @contextmanager
    def _reachable(self, name: str, labels: Mapping[str, str], folder: str = _FOLDER) -> Iterator[str]:
        """Make a volume, and lend the name of a container that is never started, by which it is written and read.

        A new volume belongs to root. No image's own tools are trusted to change that as root, so the engine unpacks an
        archive of one folder, and of one in it where there is to be one, with its owner, over the volume.
        """
        self._run.client.create_volume(name, labels)
        container = f"factory-keeper-{uuid4().hex}"
        marks = self._run.labels(kind="keeper", label=name)
        try:
            body = posture.volume_container(self._image_id(), volume=name, at=_FOLDER, marks=marks)
            self._run.create_container(body, container)
            self._run.client.put_archive(container, "/", [tarstream.folder(folder)])
            yield container
        finally:
            self._run.remove_container(container)

    def _image_id(self) -> str:
        """Return the id of the image that holds one empty folder, made when it is first needed.

        It is recognised by its content: any image can carry its name or its label.
        """
        with self._image_lock, rootfs.spooled([tarstream.folder(_FOLDER)]) as (spool, layer):
            self._image = self._image or self._found_image(layer) or self._made_image(spool, layer)
        return self._image

    def _found_image(self, layer: Digest) -> str | None:
        try:
            image = self._run.client.image(_IMAGE)
        except MissingError:
            return None
        content = cast("Mapping[str, object]", image["RootFS"])
        return str(image["Id"]) if content["Layers"] == [str(layer)] else None

    def _made_image(self, spool: BinaryIO, layer: Digest) -> str:
        client = self._run.client
        machine = {"architecture": str(client.version()["Arch"])}
        labels = posture.labels(kind="keeper")
        client.load(rootfs.docker_archive(spool, layer, reference=_IMAGE, architecture=machine, labels=labels, env={}))
        image = self._found_image(layer)
        if image is None:
            raise EngineError(f"the engine loaded {_IMAGE} but has other files under this name", hint="run again")
        return image
