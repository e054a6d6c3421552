"""A running container."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath
from threading import Event
from time import monotonic, sleep
from typing import Final, Literal, Protocol, TypeVar, cast

from factory.engine import posture, tarstream
from factory.engine.api import WORKSPACE, Exit, FileEntry, OnOutput, StreamEntry, TreeEntry
from factory.engine.client import Client
from factory.engine.disk import DiskLimits, DiskWatch, Verdict
from factory.engine.faults import ConflictError, MissingError, UnreachableError
from factory.engine.monitor import Monitor
from factory.engine.output import CappedOutput, payloads
from factory.engine.stream import ExecStream
from factory.errors import EngineError, FactoryError

_TICK_S: Final = 10.0
_MOMENT_S: Final = 0.01
_LAST_S: Final = 1.0
_PAUSE_S: Final = 0.1
_LOOK_S: Final = 10.0
_DYING_S: Final = 3.0
_REASON_S: Final = 1.0
_KILLED: Final = 137  # 128 and SIGKILL, as a shell reports it
_NO_CODE: Final = -1
_OOM_COUNTERS: Final = (
    "/sys/fs/cgroup/memory.events",  # cgroup v2
    "/sys/fs/cgroup/memory/memory.oom_control",  # cgroup v1
)

T_co = TypeVar("T_co", bound=TreeEntry, covariant=True)
T = TypeVar("T", bound=TreeEntry)
_Ended = Literal["exited", "timeout", "oom", "workspace", "disk", "unwatched", "lost"]
_Stopped = Literal["timeout"] | Verdict


class _Reading(Protocol[T_co]):
    def __call__(self, tar: Iterable[bytes], *, limit_bytes: int) -> Iterator[T_co]: ...


@dataclass(slots=True, kw_only=True)
class DockerContainer:
    """One confined container; one command at a time is run in it.

    `workspace_bytes` is what its workspace may hold, as the `monitor` sees it; `user` is who its commands run as,
    `marks` are the labels of an image that is made of it. `run_ended` is set before its run's containers are killed.
    Unless its unprivileged user `owns_workspace` already, it is given the workspace before the first command, by the
    stream that brings the first files where some come first.
    """

    client: Client
    name: str
    image: str
    workspace_bytes: int
    user: str
    marks: Mapping[str, str]
    run_ended: Event
    monitor: Monitor
    limits: DiskLimits
    owns_workspace: bool
    _ran_s: float = 0.0
    _oom_kills: int = 0

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
        started = monotonic()
        output = CappedOutput()
        try:
            if not self.owns_workspace:
                self.copy_in(())
            variables = [f"{name}={value}" for name, value in (env or {}).items()]
            stream = self.client.execute(self.name, list(argv), env=variables, cwd=str(cwd), user=self.user)
            watch = self._new_watch() if self.workspace_bytes else None
            with closing(stream):
                stopped = self._follow(stream, started + timeout_s, output, on_output, watch)
            code, ended = self._stop(stopped) if stopped else self._verdict(stream.exec_id, started + timeout_s, watch)
        except EngineError as error:
            # In a container that still runs, any other refusal is an error of the engine and not the command's end.
            if not isinstance(error, (MissingError, ConflictError, UnreachableError)) and self.is_running():
                raise
            is_memory = not isinstance(error, UnreachableError) and self._ran_out_of_memory()
            code, ended = (_KILLED, "oom") if is_memory else (_NO_CODE, "lost")
        if code != 0 and self.run_ended.is_set():
            ended = "lost"  # it was killed, or something that it waits for was: its exit code is no failure of its own
        duration_s = monotonic() - started
        self._ran_s += duration_s
        return Exit(code=code, output=output.text(), duration_s=duration_s, ended=ended, truncated=output.truncated)

    def copy_in(self, files: Iterable[TreeEntry], to: PurePosixPath = WORKSPACE) -> None:
        """Write files and links below a folder of the workspace, owned by the unprivileged user."""
        if not to.is_relative_to(WORKSPACE) or ".." in to.parts:
            raise FactoryError(f"{to} is outside the workspace; files are copied into the workspace only")
        first = () if self.owns_workspace else tarstream.handed_over()
        packed = tarstream.pack(files, to.relative_to(WORKSPACE))
        self.client.put_archive(self.name, str(WORKSPACE), chain(first, packed))
        self.owns_workspace = True

    def copy_out(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[FileEntry]:
        """Read the regular files at or below a path; links and devices are skipped, paths are relative to it."""
        yield from (entry.whole() for entry in self.stream_out(path, limit_bytes=limit_bytes))

    def stream_out(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[StreamEntry]:
        """Read the same files in pieces: an entry's pieces must be read before the next entry is asked for."""
        yield from self._read(path, tarstream.regular_files, limit_bytes)

    def copy_tree(self, path: PurePosixPath, *, limit_bytes: int) -> Iterator[TreeEntry]:
        """Read the files and the links at or below a path."""
        yield from self._read(path, tarstream.entries, limit_bytes)

    def _read(self, path: PurePosixPath, reading: "_Reading[T]", limit_bytes: int) -> Iterator[T]:
        with closing(self.client.get_archive(self.name, str(path))) as archive:
            try:
                yield from reading(archive, limit_bytes=limit_bytes)
            except MissingError as error:
                hint = "only the workspace and mounted volumes can be read, not /tmp"
                raise FactoryError(f"the container holds no {path}", hint=hint) from error

    @property
    def entry(self) -> tuple[str, ...]:
        """The command, without what it runs, by which docker's own client runs something in it in a terminal."""
        return ("docker", "exec", "--interactive", "--tty", "--user", self.user, self.name)

    def commit(self, *, reference: str, labels: Mapping[str, str]) -> str:
        """Make an image of a root filesystem that was prepared, on top of the image it began with; return its id."""
        base = cast("posture.Json", self.client.image(self.image)["Config"] or {})
        config, changes = posture.committed(base, {**self.marks, **labels})
        return self.client.commit(self.name, reference, config, changes)

    def _follow(
        self,
        stream: ExecStream,
        deadline: float,
        output: CappedOutput,
        on_output: OnOutput | None,
        watch: DiskWatch | None = None,
    ) -> _Stopped | None:
        """Pass output on until it ends; return the limit that the command exceeds before, if any.

        A command can end while a process that it started keeps its output open. Its own last output may still be on
        its way then, so that only a silence after the command's end is the end of its output.
        """
        is_over = False

        def wait_s() -> float:
            ticks = (deadline - monotonic(), _TICK_S if watch is None else watch.wait_s)
            return _LAST_S if is_over else max(_MOMENT_S, min(_TICK_S, *ticks))

        for piece in payloads(lambda: stream.receive(wait_s())):
            if piece:
                output.add(piece)
                if on_output is not None:
                    on_output(piece)
            if monotonic() >= deadline:
                return "timeout"
            if watch is not None and (passed := watch.verdict()) is not None:
                return passed
            if not piece:
                if is_over:
                    return None
                is_over = not self.client.exec_state(stream.exec_id)["Running"]
        return None

    def _new_watch(self) -> DiskWatch:
        return DiskWatch(
            limit_bytes=self.workspace_bytes, look=self.monitor.look, limits=self.limits, ran_s=self._ran_s
        )

    def _verdict(self, exec_id: str, deadline: float, watch: DiskWatch | None) -> tuple[int, _Ended]:
        """Tell how a command ended whose output is over; wait for one that has only closed its output."""
        pause_s = _MOMENT_S
        while (state := self.client.exec_state(exec_id))["Running"]:
            if monotonic() >= deadline:
                return self._stop("timeout")
            if watch is not None and (passed := watch.verdict()) is not None:
                return self._stop(passed)
            if not self.is_running():  # A command of a dead container may be reported as running for ever.
                break
            sleep(pause_s)
            pause_s = min(2 * pause_s, 1.0)
        code = state["ExitCode"]
        if code == 0:
            return 0, "exited"
        return self._fault(code if isinstance(code, int) else _NO_CODE)

    def _fault(self, code: int) -> tuple[int, _Ended]:
        """Tell a command that failed from one whose container died, or whose memory limit was hit.

        The engine reports a death late: a container in which nothing can be started any more is given some time.
        """
        kills = self._count_oom_kills()
        give_up = monotonic() + _DYING_S
        while (state := self.client.state(self.name))["Running"] and kills is None and monotonic() < give_up:
            sleep(_PAUSE_S)
        if not state["Running"]:
            return (_KILLED, "oom") if self._ran_out_of_memory() else (_NO_CODE, "lost")
        before, self._oom_kills = self._oom_kills, kills or self._oom_kills
        return code, "oom" if self._oom_kills > before else "exited"

    def _ran_out_of_memory(self) -> bool:
        """Ask why the container died; the engine learns of a death and of its reason separately, in either order."""
        give_up = monotonic() + _REASON_S
        with suppress(EngineError):
            while not (known := bool(self.client.state(self.name)["OOMKilled"])) and monotonic() < give_up:
                sleep(_PAUSE_S)
            return known
        return False

    def _count_oom_kills(self) -> int | None:
        """Ask the container's own control group: the engine does not report kills among a command's processes.

        None when no answer comes, as from a container that is dying. The count is kept from one failure to the next, so
        that a kill which an earlier command survived is attributed to the next command that fails.
        """
        counters = CappedOutput()
        with suppress(MissingError, ConflictError):
            stream = self.client.execute(self.name, ["cat", *_OOM_COUNTERS], env=[], cwd="/", user=self.user)
            with closing(stream):
                self._follow(stream, monotonic() + _LOOK_S, counters, None)
        match = re.search(r"^oom_kill (\d+)$", counters.text(), re.MULTILINE)
        return int(match[1]) if match else None

    def _stop(self, passed: _Stopped) -> tuple[int, _Ended]:
        if passed == "unwatched" and (trouble := self.monitor.trouble) is not None:
            message = f"the engine could not start the container that measures the workspace: {trouble.message}"
            raise EngineError(message, hint=trouble.hint)
        # Where the kill fails the container is gone or dying; the end of its block removes it, or says why it cannot.
        with suppress(EngineError):
            self.client.kill(self.name)
        return _KILLED, passed

    def is_running(self) -> bool:
        """Whether the engine still has it running."""
        with suppress(EngineError):
            return bool(self.client.state(self.name)["Running"])
        return False
