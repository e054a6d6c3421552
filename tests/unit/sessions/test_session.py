"""A container at work: what its steps end with, what is logged and hidden, and what is copied out of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import pytest

from factory.engine.api import ContainerSpec, FileEntry
from factory.errors import EngineError
from factory.events.model import Event, Progress, StepEnded, StepStarted
from factory.events.recorder import Recorder
from factory.failure import Failure
from factory.sessions.session import Session
from factory.steps import WORK, Step
from tests.doubles.engine import Answer, Call, EngineDouble
from tests.makers.rootfs import X86_64, make_rootfs

STEP = Step(name="build", argv=("make", "all"), env={"COLOUR": "blue"}, phase="build", timeout_s=60)
PASSWORD, TOKEN = "pa55-w0rd", "t0ps3cret-word"


@dataclass
class Desk:
    """A session on a double of the engine, and all that it told."""

    session: Session
    engine: EngineDouble
    folder: Path
    events: list[Event]
    printed: list[str] = field(default_factory=list)

    def answer(self, answer: Answer) -> None:
        self.engine.commands = lambda _: answer

    @property
    def logs(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in (self.folder / "logs/cell").iterdir()}


@contextmanager
def opened(folder: Path, *, network: bool = False) -> Iterator[Desk]:
    engine, events = EngineDouble(), list[Event]()
    image = engine.import_rootfs(make_rootfs(X86_64), reference="small", labels={}, env={})
    with Recorder(folder, events.append) as recorder:
        recorder.conceal([TOKEN])
        session = Session(engine=engine, subject="cell", recorder=recorder, secrets=lambda: frozenset({PASSWORD}))
        desk = Desk(session=session, engine=engine, folder=folder, events=events)
        session.output = lambda _, text: desk.printed.append(text)
        with session:
            session.start(ContainerSpec(image=image, label="cell", env={}, network=network, firewall=image))
            yield desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with opened(tmp_path / "run") as made:
        yield made


def test_a_step_is_run_as_it_says_and_its_log_holds_command_output_and_end(desk: Desk) -> None:
    desk.answer(Answer(output="compiled\n", duration_s=1.5))

    ended = desk.session.run(replace(STEP, passed={"TOKEN": TOKEN}))

    assert not isinstance(ended, Failure)
    (call,) = desk.engine.calls
    assert (call.argv, call.cwd, call.env["COLOUR"], call.env["TOKEN"]) == (STEP.argv, WORK, "blue", TOKEN)
    assert desk.logs == {"01-build.log": "$ make all\ncompiled\n\n[exited 0 after 1.50 s]\n"}
    assert desk.session.seconds == {"build": 1.5}


def test_a_log_is_there_when_its_step_begins_and_grows_while_it_runs(desk: Desk) -> None:
    """It can be followed: the event that names it comes when the file is there, and each line when it is printed."""
    seen: list[str] = []

    def look(_: Call) -> Answer:
        (begun,) = [event for event in desk.events if isinstance(event, StepStarted) and event.step == "build"]
        seen.append((desk.folder / begun.log).read_text())
        return Answer(output="compiled\n")

    desk.engine.commands = look
    desk.session.output = lambda *_: seen.append(desk.logs["01-build.log"])

    desk.session.run(STEP)

    assert seen == ["$ make all\n", "$ make all\ncompiled\n"]


def test_a_log_cannot_steer_the_terminal_of_whoever_follows_it(desk: Desk) -> None:
    desk.answer(Answer(output="a \x1b[31mred\x1b[0m\x07 \u202eline\n"))

    desk.session.run(STEP)

    assert desk.logs["01-build.log"].splitlines()[1] == "a red line"


def test_each_step_is_recorded_when_it_begins_and_when_it_ends(desk: Desk) -> None:
    desk.answer(Answer(code=1))

    desk.session.run(STEP)

    steps = [
        (event.step, event.outcome if isinstance(event, StepEnded) else "begun")
        for event in desk.events
        if isinstance(event, StepStarted | StepEnded)
    ]
    assert steps == [("container", "begun"), ("container", "passed"), ("build", "begun"), ("build", "failed")]


def test_steps_end_with_the_first_that_fails(desk: Desk) -> None:
    desk.engine.commands = lambda call: Answer(code=int("bad" in call.argv), output="error: it is bad\n")

    failure = desk.session.run_all([STEP, replace(STEP, name="repair", argv=("bad",)), replace(STEP, name="audit")])

    assert isinstance(failure, Failure)
    assert (failure.step, failure.message, failure.log) == ("repair", "error: it is bad", "logs/cell/02-repair.log")
    assert sorted(desk.logs) == ["01-build.log", "02-repair.log"]


@pytest.mark.parametrize(
    ("answer", "ended", "message"),
    [
        pytest.param(Answer(duration_s=61), "timeout", "did not end within 60 s", id="time"),
        pytest.param(Answer(code=137, ended="oom"), "failed", "ran out of memory", id="memory"),
        pytest.param(
            Answer(code=137, ended="workspace"), "failed", "its workspace holds more than 17.2 GB", id="workspace"
        ),
        pytest.param(Answer(code=137, ended="disk"), "lost", "disk is nearly full", id="disk"),
        pytest.param(Answer(code=-1, ended="lost"), "lost", "went away", id="lost"),
    ],
)
def test_how_a_step_ended_is_reported_with_what_helps(desk: Desk, answer: Answer, ended: str, message: str) -> None:
    desk.answer(answer)

    failure = desk.session.run(STEP)

    assert isinstance(failure, Failure)
    assert (failure.ended, message in failure.message, bool(failure.hint)) == (ended, True, True)


def test_a_signal_that_ended_a_step_is_said_and_not_what_was_printed_before(desk: Desk) -> None:
    desk.answer(Answer(code=135, output="warning: deprecated\nerror: an old one, mended\n"))

    failure = desk.session.run(STEP)

    assert isinstance(failure, Failure)
    assert failure.message == "was ended by SIGBUS, a bus error"
    assert "/dev/shm holds half" in failure.hint


def test_a_container_that_is_dead_runs_nothing_more(desk: Desk) -> None:
    desk.answer(Answer(duration_s=61))
    desk.session.run(STEP)
    desk.answer(Answer())

    failure = desk.session.run(STEP)

    assert isinstance(failure, Failure)
    assert failure.ended == "lost"
    assert len(desk.engine.calls) == 1


def test_what_was_passed_is_in_no_log_message_or_print(tmp_path: Path) -> None:
    with opened(tmp_path / "run") as desk:
        desk.answer(Answer(code=1, output=f"error: {TOKEN} is refused\n"))
        failure = desk.session.run(STEP)
        shown = [*desk.logs.values(), "".join(desk.printed), str(failure), desk.session.last_output]

    assert not any(TOKEN in text for text in shown)
    assert all("is refused" in text for text in shown)


@pytest.mark.parametrize("network", [True, False])
def test_credentials_are_taken_out_where_a_tool_was_given_them(tmp_path: Path, network: bool) -> None:
    with opened(tmp_path / "run", network=network) as desk:
        desk.answer(Answer(output=f"https://user:other@index.example {PASSWORD}\n"))
        desk.session.run(STEP)
        (log,) = desk.logs.values()

    assert (PASSWORD in log, "user:other@" in log) == ((False, False) if network else (True, True))


def test_files_are_copied_in_and_out(desk: Desk) -> None:
    desk.session.put([FileEntry(path=PurePosixPath("a"), content=b"1")], WORK / "built")

    taken = desk.session.take(WORK / "built", "build", limit_bytes=10)

    assert not isinstance(taken, Failure)
    assert [(str(entry.path), entry.content) for entry in taken] == [("a", b"1")]


@pytest.mark.parametrize(("path", "message"), [("absent", "/work/absent"), ("built", "more than the 0 bytes")])
def test_what_cannot_be_copied_out_is_a_failure_of_the_step(desk: Desk, path: str, message: str) -> None:
    desk.session.put([FileEntry(path=PurePosixPath("a"), content=b"1")], WORK / "built")

    failure = desk.session.take(WORK / path, "build", limit_bytes=0)

    assert isinstance(failure, Failure)
    assert (failure.step, failure.ended, message in failure.message) == ("build", "failed", True)


def test_an_engine_that_loses_the_container_while_files_are_copied_is_no_failure_of_the_step(desk: Desk) -> None:
    desk.engine.kill_run()

    with pytest.raises(EngineError):
        desk.session.take(WORK, "build", limit_bytes=10)


def test_the_workspace_is_kept_with_the_runs_evidence(desk: Desk) -> None:
    desk.session.put([FileEntry(path=PurePosixPath("a"), content=b"1", mode=0o755)], WORK / "deep/er")

    desk.session.save(10)

    kept = desk.folder / "kept/cell/deep/er/a"
    assert kept.read_bytes() == b"1"
    assert kept.stat().st_mode & 0o777 == 0o755


def test_a_workspace_that_is_too_large_is_not_kept_and_that_is_reported(desk: Desk) -> None:
    desk.session.put([FileEntry(path=PurePosixPath("a"), content=b"12")])

    desk.session.save(1)

    last = desk.events[-1]
    assert isinstance(last, Progress)
    assert last.text.startswith("its workspace was not kept: ")


NO_NETWORK = "urllib.error.URLError: <urlopen error [Errno -3] Temporary failure in name resolution>\n"


@pytest.mark.parametrize(
    ("phase", "hint"),
    [
        pytest.param("build", "line 3 of setup.py downloads it", id="in a build, by its source"),
        pytest.param(
            "trial", "a trial has no network: leave the tests that need it out of test: {run: …}", id="in a trial"
        ),
    ],
)
def test_what_a_build_could_not_download_is_told_by_what_its_source_says(
    desk: Desk, phase: Literal["build", "trial"], hint: str
) -> None:
    desk.session.downloads = lambda: "line 3 of setup.py downloads it"
    desk.answer(Answer(code=1, output=NO_NETWORK))

    failure = desk.session.run(replace(STEP, phase=phase))

    assert isinstance(failure, Failure)
    assert failure.hint == hint


def test_where_the_source_says_nothing_of_a_download_the_general_ways_are_told(desk: Desk) -> None:
    desk.answer(Answer(code=1, output=NO_NETWORK))

    failure = desk.session.run(STEP)

    assert isinstance(failure, Failure)
    assert failure.hint.startswith("provide it before the build: build: {system: …}")


def test_a_container_that_does_not_start_leaves_the_session_without_one(tmp_path: Path) -> None:
    with (
        Recorder(tmp_path / "run", lambda _: None) as recorder,
        Session(engine=EngineDouble(), subject="cell", recorder=recorder) as session,
    ):
        with pytest.raises(EngineError, match="no image absent"):
            session.start(ContainerSpec(image="absent", label="cell", env={}))

        assert not session.started
        assert recorder.containers == 0


def test_the_container_ends_with_the_session(tmp_path: Path) -> None:
    with opened(tmp_path / "run") as desk:
        container = desk.session.container
        container.run(["true"], timeout_s=1)

    assert container.run(["true"], timeout_s=1).ended == "lost"
    assert len(desk.engine.calls) == 1


def test_every_container_is_watched_from_the_monitors_image(tmp_path: Path) -> None:
    engine = EngineDouble()
    image = engine.import_rootfs(make_rootfs(X86_64), reference="strange", labels={}, env={})
    with (
        Recorder(tmp_path / "run", lambda _: None) as recorder,
        Session(engine=engine, subject="cell", recorder=recorder, monitor=lambda: "ours") as session,
    ):
        session.start(ContainerSpec(image=image, label="cell", env={}))

    assert [(spec.image, spec.monitor) for spec in engine.started] == [(image, "ours")]


def test_a_step_that_nobody_could_watch_has_failed_and_the_hint_says_what_helps(desk: Desk) -> None:
    desk.answer(Answer(code=137, ended="unwatched"))

    failure = desk.session.run(STEP)

    assert isinstance(failure, Failure)
    assert failure.ended == "failed"
    assert failure.message == "the size of its workspace could not be measured for 120 s"
    assert failure.hint == "create fewer files and folders: one measurement may take 30 s"


@pytest.mark.thorough
def test_a_cause_that_is_known_is_told_with_the_line_to_write(desk: Desk) -> None:
    desk.answer(Answer(code=1, output="cc -c x.c\nx.c:1:10: fatal error: ffi.h: No such file or directory\nbye\n"))

    failure = desk.session.run(STEP)

    assert isinstance(failure, Failure)
    assert failure.message == "x.c:1:10: fatal error: ffi.h: No such file or directory"
    assert "build: {system: {apt: [" in failure.hint
    assert failure.last_lines == ()


def test_where_no_cause_is_known_the_last_lines_are_told_and_what_keeps_the_files(desk: Desk) -> None:
    desk.answer(Answer(code=1, output="".join(f"line {number}\n\n" for number in range(20))))

    failure = desk.session.run(STEP)

    assert isinstance(failure, Failure)
    assert failure.message == "line 19"
    assert failure.last_lines == tuple(f"line {number}" for number in range(12, 20))
    assert "--keep" in failure.hint


def test_a_step_of_a_trial_is_not_told_how_to_build(desk: Desk) -> None:
    desk.answer(Answer(code=1, output="ModuleNotFoundError: No module named 'numpy'\n"))

    failure = desk.session.run(replace(STEP, name="test", phase="trial"))

    assert isinstance(failure, Failure)
    assert failure.hint == "test: {requires: [numpy]}, unless the wheel itself should hold it"
