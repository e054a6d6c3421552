"""Rust for an image without any: the factory's own, on a loader of its own, linked by the image's cc."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from factory.confined import confined
from factory.engine.docker import connect
from factory.events.model import Planned, Run, RunStarted
from factory.events.recorder import Recorder
from factory.farm.work import carry_out
from factory.host import Host
from factory.images.helper import helper_image
from factory.images.known import declared
from factory.images.offer import Offer
from factory.images.ready import ReadyImage, ensure
from factory.memory import Memory
from factory.recipe.parse import load_recipe
from factory.run.options import Selection
from factory.run.planning import plan_recipe
from factory.sessions.services import Services
from factory.sessions.sources import SourceServices
from factory.store import Store
from factory.tool_bundle import ensure_tools
from tests.docker.command import Command
from tests.docker.projects import make_rust_project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

TODAY = datetime.now(UTC).date()
WITHOUT_RUST = [
    "rm -r /usr/local/bin/rustc /usr/local/bin/cargo /opt/_internal/*/bin/rustc /opt/_internal/*/bin/cargo",
    "rm -r /opt/_internal/*/lib/rustlib",
    "! command -v rustc && ! command -v cargo",
]
SMOKE = """python -c "import nh3; assert nh3.clean('<b onclick=x>hi</b>') == '<b>hi</b>'\""""


@pytest.fixture(scope="module")
def run(workshop: Command, host: Host) -> Run:
    """One run on images that declare no Rust, and have none: a recipe's before-all takes it away."""
    build = {"before-all": WITHOUT_RUST}
    recipes = [
        workshop.recipe(make_rust_project("tiny"), build=build),
        workshop.recipe("nh3==0.3.7", interpreters=("cp39", "cp314"), abi3="cp38", build=build, test={"run": SMOKE}),
    ]
    return carried_out(recipes, store=workshop.store, folder=workshop.folder / "evidence", host=host)


def carried_out(recipes: list[Path], *, store: Path, folder: Path, host: Host) -> Run:
    """Do what `factory build` does, with images whose Rust is not told of."""
    images = tuple(replace(facts, rust=None) for facts in declared())
    offer = Offer(images=images, families=("lookalike",))
    selection = Selection(today=TODAY)
    with (
        Store.open(store) as opened,
        opened.run_lock("rust"),
        Recorder(folder, lambda _: None) as recorder,
        connect(host, owner=opened.owner, run_id="rust") as engine,
    ):
        memory = Memory(store=opened, cancelled=Event())
        recorder.emit(RunStarted(run="rust", at="", version="", folder=str(folder)))
        sources = SourceServices(memory=memory, host=host, reader=confined)
        planned_recipes = [plan_recipe(load_recipe(path, today=TODAY), sources, offer, selection) for path in recipes]
        for planned in planned_recipes:
            recorder.emit(Planned(plan=planned.plan))

        def make_image(name: str) -> ReadyImage:
            return ensure(name, engine=engine, host=host, store=opened, progress=lambda _: None)

        def helper() -> ReadyImage:
            return make_image(helper_image(engine))

        services = Services(
            engine=engine,
            memory=memory,
            reader=confined,
            host=host,
            recorder=recorder,
            tools=lambda machine: ensure_tools(host, opened, machine),
            helper=helper,
        )

        carry_out(services, planned_recipes, make_image, workers=2, today=TODAY)
        return recorder.run()


def test_packages_in_rust_are_built_and_tried(run: Run) -> None:
    told = {record.cell.recipe: (record.status, record.failure) for record in run.records}

    assert told == {"tiny": ("passed", None), "nh3": ("passed", None)}


def test_the_plan_says_whose_rust_compiles(run: Run) -> None:
    assert {cell.builder and cell.builder.rust for plan in run.plans for cell in plan.cells} == {"bundle"}
