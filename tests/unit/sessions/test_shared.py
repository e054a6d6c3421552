"""Containers that follow-up work of one project is done in."""

from collections.abc import Iterator

import pytest

from factory.engine.api import ContainerSpec
from factory.errors import EngineError
from factory.failure import Failure
from factory.sessions.services import Services
from factory.sessions.session import Session
from factory.sessions.shared import SharedContainers
from tests.doubles.run import World


@pytest.fixture
def services(world: World) -> Iterator[Services]:
    with world.recorder() as recorder:
        yield world.services(recorder)


def spec_of(services: Services) -> ContainerSpec:
    return ContainerSpec(image=services.helper().reference, label="loader", env={})


def used(services: Services, project: str = "spam", *, fails: bool = False, size_bytes: int = 1) -> Session:
    """Do some work of a project; return the session of the container that did it."""
    seen = []

    def work(session: Session) -> bool | Failure:
        seen.append(session)
        return Failure(step="load", message="no") if fails else True

    spec = spec_of(services)
    services.shared.use((project, spec), lambda: services.session("loader"), work, size_bytes=size_bytes, most_bytes=2)
    return seen[0]


def test_work_of_one_project_follows_in_one_container(world: World, services: Services) -> None:
    with services.shared:
        first = used(services)
        assert first.container.is_running()
        assert used(services) is first

    assert len(world.engine.started) == 1


def test_each_project_has_a_container_of_its_own(world: World, services: Services) -> None:
    assert used(services, "spam") is not used(services, "eggs")

    assert len(world.engine.started) == 2


def test_work_at_the_same_time_is_done_in_two_containers(world: World, services: Services) -> None:
    spec = spec_of(services)

    def work(_: Session) -> bool:
        used(services)
        return True

    services.shared.use(("spam", spec), lambda: services.session("loader"), work, size_bytes=1, most_bytes=2)

    assert len(world.engine.started) == 2


def test_a_container_whose_work_failed_is_removed(services: Services) -> None:
    first = used(services, fails=True)

    assert not first.container.is_running()
    assert used(services) is not first


def test_a_container_that_got_too_much_is_removed(services: Services) -> None:
    first = used(services, size_bytes=2)
    second = used(services, size_bytes=1)

    assert first is second
    assert not first.container.is_running()


def test_a_container_that_died_meanwhile_is_replaced(services: Services) -> None:
    first = used(services)
    first.close()

    assert used(services) is not first


def test_a_container_whose_work_raises_is_removed(services: Services) -> None:
    seen = []

    def work(session: Session) -> bool:
        seen.append(session)
        raise EngineError("gone")

    spec = spec_of(services)
    with pytest.raises(EngineError, match="gone"):
        services.shared.use(("spam", spec), lambda: services.session("loader"), work, size_bytes=1, most_bytes=2)

    assert not seen[0].container.is_running()


def test_of_many_that_wait_the_longest_is_removed(services: Services) -> None:
    sessions = [used(services, f"spam-{number}") for number in range(6)]

    assert [session.container.is_running() for session in sessions] == [False, False, True, True, True, True]


def test_all_end_with_the_run_and_those_that_are_given_back_later(services: Services) -> None:
    with services.shared:
        first = used(services)
    later = used(services)

    assert not first.container.is_running()
    assert not later.container.is_running()


def test_an_engine_that_is_gone_hides_no_other_error(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Session) -> None:
        raise EngineError("gone")

    def fail(shared: SharedContainers, error: Exception) -> None:
        with shared:
            used(services)
            monkeypatch.setattr(Session, "close", refuse)
            raise error

    with pytest.raises(ValueError, match="first"):
        fail(services.shared, ValueError("first"))
