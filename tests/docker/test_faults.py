"""A fault of the factory's own in a whole run, and a job of its own that never ends: what the others get all the same.

The faults are built in (tests/faults.py): which package meets one of the real ones changes with every mend.
"""

import signal
from pathlib import Path
from time import monotonic, sleep

import docker
import pytest

from factory.events.model import StepEnded
from tests.docker.command import CP313, Command, left_behind
from tests.docker.events import events_of, has_ended, is_building, wait_for
from tests.docker.projects import make_c_project, make_slow_project
from tests.faults import with_fault

pytestmark = [pytest.mark.engine, pytest.mark.index]

SOON_S = 40
"""What a very busy machine may take for what takes less than two seconds otherwise; the job itself never ends."""


def broken(command: Command, place: str, function: str, fault: str) -> Command:
    """The same command with a fault built in for whatever is called `faulty`."""
    return Command(
        store=command.store, folder=command.folder, prefix=with_fault(place, function, "faulty", fault), program=()
    )


def test_a_fault_in_one_recipes_cell_ends_that_cell_and_all_else_is_released(command: Command) -> None:
    good, faulty = command.recipe(make_c_project("innocent")), command.recipe(make_c_project("faulty"))
    arguments = (faulty, good, "--junit", "run.xml")

    ended = broken(command, "factory.farm.perform", "build_cell", "recursion").build(*arguments)
    evidence = ended.failure("faulty")
    again = command.build(*arguments)

    assert ended.code == 70, ended.stderr
    assert {ended.records[name].status for name in ("innocent",)} == {"passed"}
    assert (evidence.ended, evidence.step) == ("error", "build")
    assert evidence.message.startswith("internal error: RecursionError")
    assert "Traceback" in (ended.run_folder / evidence.log).read_text()
    assert "Traceback" not in ended.stderr
    assert command.wheels >= {f"innocent-1.0-{CP313}.whl"}
    assert again.code == 0, "a fault is not remembered"
    assert again.records["faulty"].status == "passed"


@pytest.mark.slow
def test_a_fault_of_ours_removes_no_wheel_that_was_released_before(command: Command) -> None:
    recipe = command.recipe(make_c_project("faulty2"))
    first = command.build(recipe)

    ended = broken(command, "factory.farm.perform", "build_cell", "key").build(recipe, "--no-cache")

    assert (first.code, ended.code) == (0, 70), first.stderr + ended.stderr
    assert command.wheels == {f"faulty2-1.0-{CP313}.whl"}


def test_a_fault_while_one_recipe_is_planned_leaves_the_others_with_keep_going(command: Command) -> None:
    good, faulty = command.recipe(make_c_project("planned")), command.recipe(make_c_project("faulty3"))

    ended = broken(command, "factory.run.planning", "plan_recipe", "recursion").build(faulty, good, "--keep-going")

    assert ended.code == 70, ended.stderr
    assert ended.run is not None
    (failed,) = ended.run.failed_recipes
    assert (failed.recipe, failed.exit_code) == ("faulty3", 70)
    assert failed.hint.startswith("please report it, with .factory/runs/")
    log = command.folder / failed.hint.removeprefix("please report it, with ")
    assert "RecursionError" in log.read_text()
    assert ended.records["planned"].status == "passed"
    assert command.wheels == {f"planned-1.0-{CP313}.whl"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_job_of_ours_that_never_ends_does_not_keep_a_signal_from_ending_the_run(
    command: Command, daemon: docker.DockerClient, number: signal.Signals
) -> None:
    quick, slow = command.recipe(make_c_project(f"quick{number}")), command.recipe(make_slow_project(f"slow{number}"))
    hung = command.recipe(make_c_project("faulty4"))
    hanging = broken(command, "factory.farm.perform", "build_cell", "hang")
    child = hanging.start("build", quick, slow, hung, "--jobs", "3", "--json", "run.json")
    wait_for(command.folder, child, has_ended(f"quick{number}"))
    wait_for(command.folder, child, is_building(f"slow{number}"))

    began = monotonic()
    child.send_signal(number)
    ended = hanging.end(child)

    assert monotonic() - began < SOON_S
    assert ended.code == 130, ended.stderr
    assert "interrupted: 1 of 3 wheels finished" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.run is not None
    assert left_behind(daemon, command.owner) == set()
    assert f"quick{number}-1.0-{CP313}.whl" in command.wheels


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_planning_that_never_ends_does_not_keep_a_signal_from_ending_the_run(
    command: Command, number: signal.Signals
) -> None:
    recipe = command.recipe(make_c_project("faulty5"))
    hanging = broken(command, "factory.run.planning", "plan_recipe", "hang")
    child = hanging.start("build", recipe, "--json", "run.json")
    wait_until_planned(command.folder)

    began = monotonic()
    child.send_signal(number)
    ended = hanging.end(child)

    assert monotonic() - began < SOON_S
    assert ended.code == 130, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once_what_the_first_does_not_reach(command: Command) -> None:
    """Here a release that never ends: a first signal lets it come to its end."""
    recipe = command.recipe(make_c_project("faulty6"))
    hanging = broken(command, "factory.run.build", "release", "hang")
    child = hanging.start("build", recipe)
    wait_for(command.folder, child, has_ended("faulty6"))
    sleep(1)
    child.send_signal(signal.SIGINT)
    sleep(1)
    assert child.poll() is None, "the release goes on"

    child.send_signal(signal.SIGINT)
    ended = hanging.end(child)

    assert ended.code == 130
    assert ended.stderr.endswith("factory: interrupted twice, stopped at once. The next run cleans up.\n")


def wait_until_planned(folder: Path) -> None:
    until = monotonic() + 60
    while not any(getattr(event, "step", "") == "source" for event in events_of(folder)):
        assert monotonic() < until
        sleep(0.05)
    assert not any(isinstance(event, StepEnded) and event.step == "source" for event in events_of(folder))
