"""A container for one subject, started when it is needed, and the logs of what ran in it."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePath, PurePosixPath
from shlex import join, quote
from typing import Final, Literal, Self

from factory.diagnoses.cases import Diagnosis
from factory.diagnoses.causes.cause import Kind
from factory.diagnoses.causes.table import explain_command
from factory.diagnoses.commands import first_error, is_crowded, last_lines, wanted_libpython
from factory.diagnoses.deaths import death
from factory.diagnoses.network import network_attempt
from factory.diagnoses.owners import Ask, listed
from factory.engine.api import PIDS, Container, ContainerSpec, Engine, Exit, FileEntry, StreamEntry, TreeEntry
from factory.engine.disk import UNWATCHED_S
from factory.errors import EngineError, FactoryError, OutputError, StoreError
from factory.events.logs import Log
from factory.events.model import Progress
from factory.events.recorder import Recorder, path_of
from factory.failure import Failure
from factory.redaction import redact
from factory.sessions.following import Following
from factory.steps import WORK, Step
from factory.terminal import clean

AGAIN, SHELL = WORK / "again", WORK / "shell"
"""Scripts for a person who looks at a container: repeat the step that failed, and open a shell as it saw things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A step that failed in a container that still runs, and the command that opens a shell there.

    `is_running` asks the engine whether the container still does.
    """

    subject: str
    step: str
    failure: Failure
    command: tuple[str, ...]
    is_running: Callable[[], bool]


JOBS_VARIABLES: Final = ("CARGO_BUILD_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL")
"""By which cargo and CMake are told how many jobs to run; what a recipe sets itself (`build.env`) stays."""

OnStopped = Callable[[Stopped], None]
"""Called with a step that failed; its container is removed after the call."""

Output = Callable[[str, str], None]
"""Takes a subject and what its step has printed: whole lines, fit to print, without secrets."""

_OFFLINE = {"prepare": "builds", "build": "builds", "repair": "repairs", "trial": "trials"}
_OUTCOMES: dict[str, Literal["failed", "timeout", "lost"]] = {
    "timeout": "timeout",
    "oom": "failed",
    "workspace": "failed",
    "disk": "lost",
    "unwatched": "failed",
    "lost": "lost",
}


def nobody(_: str, __: str) -> None:
    """Take what a step prints where nobody follows it."""


@dataclass(slots=True)
class Session:
    """At most one container for one subject (a cell, a trial, a preparation); none until `start`.

    `monitor` returns the image from which the container's workspace is measured. `secrets` are the credentials that
    tools with network were given; neither they nor what the recorder conceals are in any log. `ask` says which system
    package has what a command lacks, `downloads` what the scripts of a source download, and what to write.
    Each step has a log below `recorder.folder`, `logs/<subject>/<nn>-<step>.log`, written while it runs.
    `output` is called with the same text; without `whole_output`, only with some of what a log does not hold.
    `on_stopped` is called with every step that fails. `compile_jobs` says how many compile jobs a build may have.
    """

    engine: Engine
    subject: str
    recorder: Recorder
    monitor: Callable[[], str | None] = lambda: None
    output: Output = nobody
    whole_output: bool = True
    secrets: Callable[[], frozenset[str]] = frozenset
    ask: Ask = listed
    downloads: Callable[[], str] = lambda: ""
    on_stopped: OnStopped | None = None
    compile_jobs: Callable[[], int | None] = lambda: None
    seconds: dict[str, float] = field(default_factory=dict)
    last_output: str = ""
    _stack: ExitStack = field(default_factory=ExitStack)
    _container: Container | None = None
    _has_network: bool = False
    _workspace_bytes: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the container that this session started."""
        self._stack.close()

    @property
    def started(self) -> bool:
        """Whether the container runs."""
        return self._container is not None

    def start(self, spec: ContainerSpec) -> None:
        """Start the container; it ends with the block."""
        with self.recorder.step(self.subject, "container") as mark:
            container = self._stack.enter_context(self.engine.container(replace(spec, monitor=self.monitor())))
            mark.outcome = "passed"
        self.use(container, spec)
        self.recorder.count_container()

    def use(self, container: Container, spec: ContainerSpec) -> None:
        """Run steps in a container that somebody else started, and will end."""
        self._container = container
        self._has_network, self._workspace_bytes = spec.network, spec.workspace_bytes

    @property
    def container(self) -> Container:
        """The running container."""
        if self._container is None:
            raise RuntimeError(f"the session of {self.subject} has started no container")
        return self._container

    def put(self, files: Iterable[TreeEntry], to: PurePosixPath = WORK) -> None:
        """Copy files in."""
        self.container.copy_in(files, to)

    def take(self, path: PurePosixPath, step: str, *, limit_bytes: int) -> tuple[FileEntry, ...] | Failure:
        """Copy files out. A package may have left too much, bad names or nothing, which is a failure of the step."""
        taken: list[FileEntry] = []
        failure = self.take_each(path, step, lambda entry: taken.append(entry.whole()), limit_bytes=limit_bytes)
        return failure or tuple(taken)

    def take_each(
        self, path: PurePosixPath, step: str, keep: Callable[[StreamEntry], None], *, limit_bytes: int
    ) -> Failure | None:
        """Copy files out as `take` does, one at a time, so that none is in memory as a whole unless `keep` holds it."""
        try:
            for entry in self.container.stream_out(path, limit_bytes=limit_bytes):
                keep(entry)
        except (EngineError, OutputError, StoreError):  # The engine's fault or this machine's, not the package's.
            raise
        except FactoryError as error:
            return Failure(step=step, message=error.message, hint=error.hint)
        return None

    def run(self, step: Step) -> Failure | Exit:
        """Run one step, and write its log meanwhile; a Failure where it did not end with 0."""
        container, env = self.container, self._env(step)
        with (
            self.recorder.open_log(self.subject, step.name) as log,
            self.recorder.step(self.subject, step.name, log.path) as mark,
        ):
            log.write(self._safe(f"$ {' '.join(step.argv)}\n"))
            following = self._following(log)
            ended = container.run(
                step.argv,
                env=env,
                cwd=step.cwd,
                timeout_s=step.timeout_s,
                on_output=following.add,
            )
            following.end()
            # From here on nobody sees the raw output: messages and hints are taken from `ended`, too.
            ended = replace(ended, output=self._safe(ended.output))
            self.last_output = ended.output
            log.end(clean(ended.output), f"\n[{ended.ended} {ended.code} after {ended.duration_s:.2f} s]\n")
            mark.outcome = _OUTCOMES.get(ended.ended) or ("passed" if ended.code == 0 else "failed")
        self.seconds[step.name] = self.seconds.get(step.name, 0.0) + ended.duration_s
        if ended.ended == "exited" and ended.code == 0:
            return ended
        failure = self._failure(step, ended, log.path)
        if self.on_stopped is not None and ended.ended == "exited":  # after any other end the container is gone
            self._stop(step, env, failure, self.on_stopped)
        return failure

    def _env(self, step: Step) -> Mapping[str, str]:
        """Return a step's variables; how many jobs it may have changes no result, and is in no key."""
        jobs = self.compile_jobs() if step.phase == "build" else None
        shares = {} if jobs is None else dict.fromkeys(JOBS_VARIABLES, str(jobs))
        return {**shares, **step.env, **step.passed}

    def _stop(self, step: Step, env: Mapping[str, str], failure: Failure, on_stopped: OnStopped) -> None:
        variables = "".join(f"export {name}={quote(text)}\n" for name, text in env.items())
        start = f"#!/bin/sh\n{variables}cd {quote(str(step.cwd))}\n"
        scripts = {AGAIN: f"{start}exec {join(step.argv)}\n", SHELL: f"{start}exec sh -i\n"}
        for path, text in scripts.items():
            self.put([FileEntry(path=PurePosixPath(path.name), content=text.encode(), mode=0o755)], path.parent)
        command = (*self.container.entry, str(SHELL))
        on_stopped(
            Stopped(
                subject=self.subject,
                step=step.name,
                failure=failure,
                command=command,
                is_running=self.container.is_running,
            )
        )

    def run_all(self, steps: Iterable[Step]) -> Failure | None:
        """Run steps in order until one fails."""
        for step in steps:
            if isinstance(ended := self.run(step), Failure):
                return ended
        return None

    def save(self, limit_bytes: int) -> None:
        """Write the workspace's regular files below the run's folder (`--keep`), and report where, or why not."""
        folder = PurePath("kept") / path_of(self.subject)

        def keep(entry: StreamEntry) -> None:
            # A package chooses the mode: without set-uid bits, and so that this user can read and delete the file.
            self.recorder.write(folder / entry.path, entry.pieces, entry.mode & 0o755 | 0o600)

        failure = self.take_each(WORK, "keep", keep, limit_bytes=limit_bytes)
        text = f"its workspace is kept in {self.recorder.folder / folder}"
        if failure is not None:
            text = f"its workspace was not kept: {failure.message}"
        self.recorder.emit(Progress(subject=self.subject, text=text))

    def log(self, name: str, text: str) -> str:
        """Write a log of this subject; return its path in the run's folder."""
        return self.recorder.log(self.subject, name, self._safe(text))

    def _following(self, log: Log) -> Following:
        return Following(
            log=log,
            show=partial(self.output, self.subject),
            whole=self.whole_output,
            safe=self._hidden,
            hidden=self.secrets() | self.recorder.spelt,
        )

    def _safe(self, text: str) -> str:
        """Take out the values that a build was passed and, where there was network, the tools' credentials."""
        hidden = self._hidden(text)
        # Invisible characters may split a value that is whole again in print; otherwise the log keeps what was printed.
        seen = clean(hidden)
        hidden_again = self._hidden(seen)
        return hidden if hidden_again == seen else hidden_again

    def _hidden(self, text: str) -> str:
        text = self.recorder.hide(text)
        return redact(text, self.secrets()) if self._has_network else text

    def _failure(self, step: Step, ended: Exit, log: str) -> Failure:
        if ended.ended == "exited":
            return _exited(step, ended, log, self)
        message, hint = {
            "timeout": (
                f"did not end within {step.timeout_s} s",
                "raise the recipe's timeout, or find out where it hangs",
            ),
            "oom": ("ran out of memory", "raise build: {memory: …}"),
            "workspace": (
                f"its workspace holds more than {_sized(self._workspace_bytes)}",
                "raise build: {disk: …}, or let the build write less",
            ),
            "disk": (
                "the container engine's disk is nearly full",
                "free space, or inodes, where the engine keeps its volumes (`docker system df` lists what is there)",
            ),
            "unwatched": (
                f"the size of its workspace could not be measured for {UNWATCHED_S} s",
                "create fewer files and folders: one measurement may take 30 s",
            ),
            "lost": ("its container or the engine went away", "run again"),
        }[ended.ended]
        return Failure(step=step.name, message=message, ended=_OUTCOMES[ended.ended], log=log, hint=hint)


def _sized(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.3g} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.3g} MB"  # noqa: PLR2004


_KEEP = "the log has everything that was printed; `factory build --keep` keeps the files of the build as well"
_LINKED = (
    "an extension module finds Python's functions in the interpreter that loads it; with PyO3 before 0.26, set "
    "build: {features: [pyo3/extension-module]}"
)


def _exited(step: Step, ended: Exit, log: str, session: Session) -> Failure:
    # The linker's own error, "cannot find -lpython3.13", would send the user looking for a missing package.
    if (libpython := wanted_libpython(ended.output)) is not None:
        return Failure(step=step.name, message=f"links {libpython}, which no wheel may do", log=log, hint=_LINKED)
    # What was printed before a signal explains nothing: an old warning, or an error that was mended.
    if (died := death(ended.code, ended.output)) is not None:
        return Failure(step=step.name, message=died.sentence, log=log, hint=died.hint)
    attempt = network_attempt(ended.output, is_trial=step.phase == "trial")
    if attempt is None:
        return _explained(step, ended, log, session.ask)
    tried = f"{attempt.tool} tried to get {attempt.wanted} from the network, and {_OFFLINE[step.phase]} are offline"
    if attempt.is_cause:
        hint = attempt.declare if step.phase == "trial" else session.downloads() or attempt.declare
        return Failure(step=step.name, message=tried, log=log, hint=hint)
    failure = _explained(step, ended, log, session.ask)
    way = "" if failure.last_lines else f"{failure.hint}; "
    return replace(failure, hint=f"{way}before that, {tried}")


def _explained(step: Step, ended: Exit, log: str, ask: Ask) -> Failure:
    """Say why a command failed, with the way out; where none is known, with the last lines that it printed."""
    known = _known(step, ended.output, ask)
    message = first_error(ended.output) if known is None else known.sentence
    if known is not None and known.hint:
        return Failure(step=step.name, message=message, log=log, hint=known.hint)
    if is_crowded(ended.output):
        hint = f"let it run fewer at once: a container may have {PIDS} processes and threads"
        return Failure(step=step.name, message=message, log=log, hint=hint)
    return Failure(step=step.name, message=message, log=log, hint=_KEEP, last_lines=last_lines(ended.output))


def _known(step: Step, output: str, ask: Ask) -> Diagnosis[Kind] | None:
    if step.phase in ("prepare", "build"):
        return explain_command(output, "build", ask)
    return explain_command(output, "test") if step.name == "test" else None
