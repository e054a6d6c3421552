"""The container from which another one's workspace is measured.

It has a process namespace of its own, a user that the package cannot become, and an image that no recipe influences:
a build cannot stop the figures by what it does to its own processes, limits, programs and folders.
"""

from contextlib import closing
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final
from uuid import uuid4

from factory.engine import posture
from factory.engine.api import WORKSPACE, ContainerSpec
from factory.engine.disk import DiskUsage, watch_command
from factory.engine.output import payloads
from factory.engine.run import EngineRun
from factory.errors import EngineError

_TURN_S: Final = 0.25  # how late the end of the watched container may be noticed
_AGAIN_S: Final = 1.0  # before another monitor is started, so that an engine in trouble is not flooded


@dataclass(slots=True, kw_only=True)
class Monitor:
    """Measures the workspace of the container that `spec` describes, from the first `look` until that is removed.

    A thread of its own starts the container, so that nobody waits for it, and starts another one where it dies.
    `trouble` is the engine's answer where it does not start one.
    """

    run: EngineRun
    spec: ContainerSpec
    workspace: str
    options: posture.ContainerOptions
    trouble: EngineError | None = None
    _usage: DiskUsage = field(init=False)
    _thread: Thread | None = None
    _over: Event = field(default_factory=Event)
    _left: EngineError | None = None

    def __post_init__(self) -> None:
        self._usage = DiskUsage(folders=(WORKSPACE,))

    def look(self) -> DiskUsage:
        """Return the newest figures; there are none at first."""
        if self._thread is None:
            self._thread = Thread(target=self._watch, name=f"watch {self.spec.label}", daemon=True)
            self._thread.start()
        return self._usage

    def end(self) -> None:
        """Ask the thread to remove its container."""
        self._over.set()

    def join(self) -> None:
        """Wait until the container is removed; its volumes can be removed only then.

        Raises:
            EngineError: the engine does not remove it.
        """
        if self._thread is not None:
            self._thread.join()
        if self._left is not None:
            raise self._left

    def _is_over(self) -> bool:
        return self._over.is_set() or self.run.ended.is_set()

    def _watch(self) -> None:
        while not self._is_over() and self._left is None:
            name = f"factory-watcher-{uuid4().hex}"
            try:
                self._read(name)
            except EngineError as error:
                self.trouble = error
            self._remove(name)
            self._over.wait(_AGAIN_S)

    def _read(self, name: str) -> None:
        marks = self.run.labels(kind="watcher", label=self.spec.label)
        body = posture.monitor(self.spec, workspace=self.workspace, marks=marks, options=self.options)
        with self.run.pending.change():
            self.run.client.create(body, name)
            if self._is_over():  # What it watches may have been removed while it was created.
                self._remove(name)
                return
            self.run.client.start(name)
        command = watch_command((WORKSPACE,))
        stream = self.run.client.execute(name, command, env=[], cwd="/", user=posture.ROOT)
        self.trouble = None
        with closing(stream):
            for piece in payloads(lambda: stream.receive(_TURN_S)):
                if self._is_over():
                    return
                self._usage.take(piece)

    def _remove(self, name: str) -> None:
        try:
            self.run.remove_container(name)
        except EngineError as error:
            self._left = error
