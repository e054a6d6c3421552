"""Wheels built, judged and tried in containers for aarch64, which QEMU emulates on x86_64."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic

import pytest

from factory.engine.docker import DockerEngine
from factory.events.model import CellRecord
from factory.host import Host
from factory.images.contract import Promise, check_argv, check_env, read_contract
from factory.images.foreign import machine_here
from factory.images.spec import ImageSpec, declared_specs
from factory.store import Store
from tests.docker.binfmt import is_registered, registered
from tests.docker.command import Command, Ran
from tests.docker.projects import make_c_project
from tests.docker.rust_projects import PYO3_FFI, ffi_module, make_maturin_project
from tests.docker.test_image_contract import Containers

pytestmark = [
    pytest.mark.engine,
    pytest.mark.index,
    pytest.mark.slow,
    pytest.mark.timeout(7800),  # images are made by emulated programs
    pytest.mark.skipif(machine_here() != "x86_64", reason="containers for aarch64 are native here"),
]

HERE, THERE = "manylinux_2_31_x86_64", "manylinux_2_31_aarch64"
OWN_COMPILER = {"toolchain": {"c": ">=10"}}
GATE = {"modules": ["markupsafe._speedups"]}
TEST = {"run": "python -c 'import markupsafe._speedups as s, platform; assert platform.machine() in s.__file__'"}
LONG_S = 7200
UNKEPT = pytest.mark.xfail(
    strict=True,
    reason="gnu_get_libc_version answers with the version of the interpreter's own glibc; os.confstr with the image's",
)
"""The text that the first answers with is part of another one on x86_64, and one of its own on aarch64."""


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A run, and how long it took."""

    ran: Ran
    minutes: float

    def record(self, recipe: str, platform: str = THERE) -> CellRecord:
        return self.ran.records[f"{recipe}/cp313-cp313-{platform}"]


def test_without_an_emulator_the_cells_of_other_platforms_go_on(workshop: Command) -> None:
    if is_registered():
        pytest.skip("this kernel runs programs of aarch64 already")
    recipe = workshop.recipe(make_c_project("both"), platforms=(HERE, THERE), build=OWN_COMPILER)

    ran = workshop.build(recipe)

    assert ran.code != 0
    assert ran.statuses == {f"cp313-cp313-{HERE}": "passed", f"cp313-cp313-{THERE}": "blocked"}, ran.stderr
    assert "is for aarch64, and the container engine, which is on x86_64, does not run its programs" in ran.stderr
    assert "apt-get install qemu-user-static binfmt-support" in ran.stderr


@pytest.fixture(scope="module")
def emulated(workshop: Command) -> Iterator[Timed]:
    """Two recipes: one for both machines, and a crate on PyO3's raw functions; images that are not here are made."""
    tiny = make_maturin_project("tiny", cargo=PYO3_FFI % ("0.29", ""), code=ffi_module("tiny"))
    recipes = (
        workshop.recipe("markupsafe==3.0.4", platforms=(HERE, THERE), build=OWN_COMPILER, audit=GATE, test=TEST),
        workshop.recipe(tiny, platforms=(THERE,), build={**OWN_COMPILER, "locked": False}),
    )
    with registered():
        started = monotonic()
        ran = replace(workshop, timeout_s=LONG_S).build(*recipes, "--families", "lookalike")
        yield Timed(ran=ran, minutes=(monotonic() - started) / 60)


@pytest.mark.parametrize("recipe", ["markupsafe", "tiny"])
def test_a_wheel_is_built_judged_and_tried_in_containers_for_its_machine(
    emulated: Timed, recipe: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = emulated.record(recipe)

    assert record.status == "passed", emulated.ran.stderr
    assert record.cell.machine == "aarch64"
    assert record.cell.builder is not None
    assert (record.cell.builder.image, record.cell.builder.compiler) == (f"lookalike-{THERE}", "image")
    assert record.cell.loader == "trial-bullseye-aarch64"
    tried = [(trial.image, trial.outcome, trial.emulated) for trial in record.trials]
    assert tried == [("trial-trixie-aarch64", "passed", "aarch64")], emulated.ran.stderr
    with capsys.disabled():
        seconds = {step: round(took) for step, took in record.seconds.items()}
        print(f"\n{recipe} for aarch64 under QEMU: {seconds}; the run took {emulated.minutes:.1f} min")  # noqa: T201


def test_the_other_platform_of_a_recipe_has_images_for_its_own_machine(emulated: Timed) -> None:
    record = emulated.record("markupsafe", HERE)

    assert record.cell.builder is not None
    assert (record.status, record.cell.machine, record.cell.builder.image) == ("passed", "x86_64", f"lookalike-{HERE}")
    assert [(trial.image, trial.emulated) for trial in record.trials] == [("trial-trixie", None)]


def test_the_report_says_what_was_emulated(emulated: Timed) -> None:
    said = f"tried under QEMU, which emulates aarch64: tiny/cp313-cp313-{THERE}: cp313"

    assert said in emulated.ran.stderr


def test_an_emulated_run_is_remembered(emulated: Timed, workshop: Command) -> None:
    with registered():
        again = workshop.build(workshop.folder / "tiny.yaml", "--families", "lookalike")

    record = again.records["tiny"]
    assert (record.status, record.from_store) == ("cached", True), again.stderr
    assert emulated.record("tiny").wheel == record.wheel


@pytest.fixture(scope="module")
def containers(engine: DockerEngine, host: Host, workshop: Command) -> Iterator[Containers]:
    with registered(), Store.open(workshop.store) as store, Containers(engine, host, store) as opened:
        yield opened


@pytest.mark.parametrize(
    ("spec", "promise"),
    [
        pytest.param(
            spec, promise, id=f"{spec.facts.name}-{promise.id}", marks=[UNKEPT] if promise.id == "tags-are-true" else []
        )
        for spec in declared_specs()
        if spec.facts.name in {f"lookalike-{THERE}", "trial-bullseye-aarch64"}
        for promise in read_contract(spec)
        if promise.check is not None
    ],
)
def test_an_image_for_aarch64_keeps_its_familys_contract(
    spec: ImageSpec, promise: Promise, containers: Containers
) -> None:
    ended = containers.of(spec.facts.name).run(check_argv(promise), env=check_env(spec), timeout_s=1800)

    assert (ended.ended, ended.code) == ("exited", 0), f"{promise.says}\n{ended.output}"
