"""What the gate passes is remembered; a day enters the key only where a waiver ends on one."""

from datetime import date, timedelta

import pytest

from factory.audit import Audit, Expectation
from factory.catalogue import Waiver
from factory.digest import Artifact
from factory.stages.audit import audited
from factory.stages.reading import Readings
from tests.doubles.projects import PLAIN, stored_wheel, wheel_of
from tests.doubles.run import TODAY, World
from tests.makers.objects import make_module

TOMORROW = TODAY + timedelta(days=1)
MODULE = "plain/core.cpython-313-x86_64-linux-gnu.so"


def expectation(world: World, until: date | None = None) -> Expectation:
    """Expect the wheel that the recipe owes, with one waiver."""
    (cell,) = world.planned(PLAIN).plan.cells
    return Expectation(
        tags=cell.wheel_tag.expanded,
        platform=cell.platform,
        floor=cell.floor,
        waivers=(Waiver(rule="wheel-too-large", reason="it is a toy", until=until),),
        stage="repaired",
    )


def good_wheel(world: World) -> Artifact:
    filename, content = wheel_of("plain", "cp313", "cp313", "manylinux_2_31_x86_64")
    return world.store.put_bytes(content, filename)


def audits_of(world: World, wheel: Artifact, expected: Expectation, *days: date) -> tuple[list[Audit], int]:
    """Judge a wheel on some days; return the verdicts, and how many of them were not remembered."""
    with world.recorder() as recorder:
        services = world.services(recorder)
        readings = Readings(store=world.store, reader=services.reader)
        verdicts = [audited(services, "plain/cell", readings, wheel, expected, day) for day in days]
    return verdicts, (world.evidence / "events.jsonl").read_text().count('"StepStarted"')


@pytest.mark.parametrize(
    ("until", "times"),
    [
        pytest.param(None, 1, id="no waiver ends"),
        pytest.param(TOMORROW, 2, id="a waiver ends"),
    ],
)
def test_another_day_matters_only_where_a_waiver_ends(world: World, until: date | None, times: int) -> None:
    verdicts, judged = audits_of(world, good_wheel(world), expectation(world, until), TODAY, TOMORROW)

    assert all(verdict.passed for verdict in verdicts)
    assert judged == times


def test_a_wheel_that_the_gate_refuses_is_judged_again(world: World) -> None:
    filename = "plain-1.0-cp313-cp313-manylinux_2_31_x86_64.whl"
    content = stored_wheel(filename, {MODULE: make_module(needed=["libpython3.13.so.1.0"])})

    verdicts, judged = audits_of(world, world.store.put_bytes(content, filename), expectation(world), TODAY, TODAY)

    assert [verdict.passed for verdict in verdicts] == [False, False]
    assert judged == 2
