"""From which image a run's containers are watched: one that no recipe names or changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from factory.engine.api import Container, ContainerSpec, Engine, Exit
from factory.events.recorder import Recorder
from factory.failure import Failure
from factory.sessions.session import Session
from factory.steps import Step


class Unwatched:
    """A container whose every command ends because nobody could see what it holds."""

    def run(self, *_: object, **__: object) -> Exit:
        return Exit(code=137, output="", duration_s=130.0, ended="unwatched")


class Specs:
    """An engine that keeps the specs that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[ContainerSpec] = []

    @contextmanager
    def container(self, spec: ContainerSpec) -> Iterator[Container]:
        self.asked.append(spec)
        yield cast("Container", Unwatched())


@pytest.fixture
def session(tmp_path: Path) -> Iterator[tuple[Session, Specs]]:
    specs = Specs()
    with (
        Recorder(tmp_path, lambda _: None) as recorder,
        Session(engine=cast("Engine", specs), subject="cell", recorder=recorder, monitor=lambda: "ours") as made,
    ):
        made.start(ContainerSpec(image="strange", label="cell", env={}))
        yield made, specs


def test_every_container_of_a_run_is_watched_from_that_image(session: tuple[Session, Specs]) -> None:
    _, specs = session

    assert [(spec.image, spec.monitor) for spec in specs.asked] == [("strange", "ours")]


def test_a_step_that_nobody_could_watch_has_failed_and_the_hint_says_what_helps(session: tuple[Session, Specs]) -> None:
    made, _ = session

    failure = made.run(Step(name="build", argv=("make",), env={}, phase="build", timeout_s=600))

    assert isinstance(failure, Failure)
    assert failure.ended == "failed"
    assert failure.message == "the size of its workspace could not be measured for 120 s"
    assert failure.hint == "create fewer files and folders: one measurement may take 30 s"
