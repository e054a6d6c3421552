"""A container of one subject, started when its work needs one, and the logs of what ran in it."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Self

from factory.backends.base import WORK, Step
from factory.engine.api import Container, ContainerSpec, Engine, Exit, FileEntry
from factory.errors import EngineError, FactoryError
from factory.pipeline.diagnose import first_error, network_attempt
from factory.pipeline.model import Failure, Progress, StepOutcome
from factory.pipeline.run import Recorder, written
from factory.source.session import redact

Output = Callable[[str, bytes], None]

_OUTCOMES: dict[str, StepOutcome] = {"timeout": "timeout", "oom": "failed", "lost": "lost"}


@dataclass(slots=True)
class Bench:
    """At most one container for one subject (a cell, a trial, a preparation); none until `start`.

    Logs lie below `recorder.folder`, one file a step, at `logs/<subject>/<nn>-<step>.log`.
    """

    engine: Engine
    subject: str
    recorder: Recorder
    output: Output | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    last_output: str = ""
    _stack: ExitStack = field(default_factory=ExitStack)
    _container: Container | None = None
    _count: int = 0
    _has_network: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def started(self) -> bool:
        """Whether the container runs."""
        return self._container is not None

    def start(self, spec: ContainerSpec) -> None:
        """Start the container; it ends with the block."""
        with self.recorder.step(self.subject, "container") as mark:
            self._container = self._stack.enter_context(self.engine.container(spec))
            mark.outcome = "passed"
        self._has_network = spec.network
        self.recorder.count_container()

    @property
    def container(self) -> Container:
        """The running container."""
        if self._container is None:
            raise RuntimeError(f"nothing was started for {self.subject}")
        return self._container

    def put(self, files: Iterable[FileEntry], to: PurePosixPath = WORK) -> None:
        """Copy files in."""
        self.container.copy_in(files, to)

    def take(self, path: PurePosixPath, step: str, *, limit_bytes: int) -> tuple[FileEntry, ...] | Failure:
        """Copy files out. What a package left there may be too much, badly named or gone: that fails its cell alone."""
        try:
            return tuple(self.container.copy_out(path, limit_bytes=limit_bytes))
        except EngineError:
            raise
        except FactoryError as error:
            return Failure(step=step, message=error.message, hint=error.hint)

    def run(self, step: Step) -> Failure | Exit:
        """Run one step and write its log; a Failure where it did not end with 0."""
        container = self.container
        with self.recorder.step(self.subject, step.name) as mark:
            ended = container.run(
                step.argv,
                env=step.env,
                cwd=step.cwd,
                timeout_s=step.timeout_s,
                on_output=None if self.output is None else self._echo,
            )
            self.last_output = self._safe(ended.output)
            log = self._write_log(step, ended)
            mark.outcome = _OUTCOMES.get(ended.ended) or ("passed" if ended.code == 0 else "failed")
        self.seconds[step.name] = self.seconds.get(step.name, 0.0) + ended.duration_s
        return ended if ended.ended == "exited" and ended.code == 0 else _failure(step, ended, log)

    def run_all(self, steps: Iterable[Step]) -> Failure | None:
        """Run steps in order until one fails."""
        for step in steps:
            if isinstance(ended := self.run(step), Failure):
                return ended
        return None

    def save(self, limit_bytes: int) -> None:
        """Write the workspace's regular files below the run's folder, for `--keep`, and say where, or why not."""
        folder = self.recorder.folder / "kept" / _path_of(self.subject)
        taken = self.take(WORK, "keep", limit_bytes=limit_bytes)
        if isinstance(taken, Failure):
            self.recorder.emit(Progress(subject=self.subject, text=f"its workspace was not kept: {taken.message}"))
            return
        with written(folder):
            for entry in taken:
                target = folder / entry.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(entry.content)
                target.chmod(entry.mode & 0o755 | 0o600)
        self.recorder.emit(Progress(subject=self.subject, text=f"its workspace is kept in {folder}"))

    def log(self, name: str, text: str) -> str:
        """Write a log of this subject; return its path in the run's folder."""
        self._count += 1
        relative = Path("logs") / _path_of(self.subject) / f"{self._count:02}-{name}.log"
        path = self.recorder.folder / relative
        with written(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._safe(text), encoding="utf-8", errors="replace")
        return str(relative)

    def _echo(self, piece: bytes) -> None:
        if self.output is not None:
            self.output(self.subject, self._safe(piece.decode(errors="replace")).encode())

    def _safe(self, text: str) -> str:
        """Take credentials out of what a tool with network printed; it alone was told any."""
        return redact(text) if self._has_network else text

    def _write_log(self, step: Step, ended: Exit) -> str:
        head = f"$ {' '.join(step.argv)}\n"
        tail = f"\n[{ended.ended} {ended.code} after {ended.duration_s:.2f} s]\n"
        return self.log(step.name, head + ended.output + tail)


def _path_of(subject: str) -> Path:
    return Path(*(part for part in subject.replace("@", "/@").split("/") if part not in ("", ".", "..")))


def _failure(step: Step, ended: Exit, log: str) -> Failure:
    match ended.ended:
        case "timeout":
            hint = "raise the recipe's timeout, or look where it hangs"
            return Failure(
                step=step.name, message=f"did not end within {step.timeout_s} s", ended="timeout", log=log, hint=hint
            )
        case "oom":
            hint = "raise build: {memory: …}"
            return Failure(step=step.name, message="ran out of memory", log=log, hint=hint)
        case "lost":
            return Failure(
                step=step.name, message="its container or the engine went away", ended="lost", log=log, hint="run again"
            )
        case "exited":
            return _exited(step, ended, log)


def _exited(step: Step, ended: Exit, log: str) -> Failure:
    message = first_error(ended.output)
    attempt = network_attempt(ended.output)
    if attempt is None:
        return Failure(step=step.name, message=message, log=log)
    return Failure(
        step=step.name,
        message=f"{attempt.tool} tried to get {attempt.wanted} from the network, and builds are offline",
        log=log,
        hint=f"declare it in the recipe: {attempt.declare}",
    )
