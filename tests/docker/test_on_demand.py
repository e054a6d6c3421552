"""Interpreters that no image holds: made once, mounted where they are asked for, and as good as those of the images."""

from pathlib import Path
from threading import Event

import pytest

from factory.engine.api import ContainerSpec, Mount
from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.contract import check_argv, read_contract
from factory.images.interpreters import Maker
from factory.images.known import spec_named
from factory.images.on_demand import on_demand_spec
from factory.images.ready import ensure
from factory.images.spec import ImageSpec
from factory.memory import Memory
from factory.steps import image_python
from factory.store import Store
from factory.tags import Interpreter
from tests.docker.command import PLATFORM, Command, Ran
from tests.docker.rust_projects import make_maturin_project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

BUILDER = "lookalike-manylinux_2_31_x86_64"
PROMISES = ("standard-library", "c-and-cxx-extensions", "build-variables", "one-glibc-in-a-process")

BOTH_ABIS = """
[dependencies]
pyo3 = {version = "0.29", default-features = false, features = ["macros", "abi3-py311", "abi3t-py315"]}
"""
MODULE = """\
use pyo3::prelude::*;
#[pymodule(gil_used = false)]
mod both {
    #[pyo3::pyfunction]
    fn answer() -> i32 { 42 }
}
"""
ASKS = {"run": "python -c 'from both import answer; assert answer() == 42'"}
FIRST, SECOND = f"cp311-abi3-{PLATFORM}", f"cp315-abi3.abi3t-{PLATFORM}"


@pytest.fixture(scope="module")
def both(workshop: Command) -> Ran:
    crate = make_maturin_project("both", cargo=BOTH_ABIS, code=MODULE, requires="maturin>=1.14,<2")
    recipe = workshop.recipe(
        crate,
        interpreters=("cp311", "cp313", "cp315"),
        abi3=["cp311", "cp315t"],
        build={"locked": False},
        test=ASKS,
    )
    return workshop.build(recipe)


def test_two_floors_of_one_crate_make_a_wheel_each(both: Ran) -> None:
    assert both.code == 0, both.stderr
    made = {path.name for path in (both.folder / "dist").glob("*.whl")}
    assert made == {f"both-1.0-{FIRST}.whl", f"both-1.0-{SECOND}.whl"}


def test_each_is_tried_on_every_listed_interpreter_that_it_claims(both: Ran) -> None:
    tried = {
        record.cell.id: {str(trial.interpreter): trial.outcome for trial in record.trials}
        for record in both.records.values()
    }

    assert tried == {
        FIRST: {"cp311": "passed", "cp313": "passed", "cp315": "passed"},
        SECOND: {"cp315": "passed"},
    }


def test_a_package_in_c_is_built_and_tried_on_the_newest_python(command: Command) -> None:
    recipe = command.recipe("markupsafe==3.0.4", interpreters=("cp315",), audit={"modules": ["markupsafe._speedups"]})

    ran = command.build(recipe)

    assert ran.code == 0, ran.stderr
    assert command.wheels == {f"markupsafe-3.0.4-cp315-cp315-{PLATFORM}.whl"}


@pytest.fixture(scope="module", params=["cp313t", "cp315"])
def brought(request: pytest.FixtureRequest, workshop: Command, host: Host) -> Mount:
    """The volume that an interpreter lies in after a build with it."""
    interpreter = Interpreter.parse(request.param)
    ran = workshop.build(workshop.recipe("markupsafe==3.0.4", interpreters=(str(interpreter),)))
    assert ran.code == 0, ran.stderr
    with Store.open(workshop.store) as store:
        memory = Memory(store=store, cancelled=Event())
        made = Maker(spec=on_demand_spec(), host=host, memory=memory, progress=print).made(interpreter)
        volume = f"factory-python-{store.owner[:8]}-{made.tar.digest.short}"
    return Mount(volume=volume, path=image_python(interpreter).parents[1])


@pytest.mark.parametrize("promise", PROMISES)
def test_it_keeps_what_the_images_interpreters_promise(
    promise: str, brought: Mount, engine: DockerEngine, host: Host, shared_store: Path
) -> None:
    spec = spec_named(BUILDER)
    assert isinstance(spec, ImageSpec)
    (kept,) = [kept for kept in read_contract(spec) if kept.id == promise]
    with Store.open(shared_store) as store:
        image = ensure(BUILDER, engine=engine, host=host, store=store, progress=print).reference

    with engine.container(ContainerSpec(image=image, label=promise, env={}, mounts=(brought,))) as container:
        ended = container.run(check_argv(kept), env={"TAGS": brought.path.name, "HOME": "/tmp"}, timeout_s=300)

    assert (ended.ended, ended.code) == ("exited", 0), f"{kept.says}\n{ended.output}"
