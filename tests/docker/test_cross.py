"""Wheels for other machines, compiled here without emulation, and tried by those machines' Python under QEMU."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker.command import Command, Ran
from tests.docker.projects import C_MODULE, SIZES, Project, make_c_project, make_rust_project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

ANSWERS = {
    "run": "python -c 'import far, platform; assert far.answer() == 42; assert platform.machine() == \"MACHINE\"'"
}
MACHINES = {
    "aarch64": "manylinux_2_17_aarch64",
    "armv7l": "manylinux_2_17_armv7l",
    "ppc64le": "manylinux_2_24_ppc64le",
    "riscv64": "manylinux_2_31_riscv64",
    "s390x": "manylinux_2_17_s390x",
}
TRIED_ON = {"ppc64le": "cp311", "riscv64": "cp313", "s390x": "cp311"}
"""Interpreters of suites that mirrors have whole: of Debian 13 some lack libraries for the rarer machines."""
LONG_S = 3600
OLD = ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64")
PACKAGES = {
    "rpds-py==0.27.1": "python -c 'import rpds; assert rpds.HashTrieMap({1: 2})[1] == 2'",
    "kiwisolver==1.4.9": 'python -c \'import kiwisolver as k; assert k.Variable("x").name() == "x"\'',
}
NH3 = {"run": "python -c \"import nh3; assert nh3.clean('<b onclick=x>hi</b>') == '<b>hi</b>'\""}


@pytest.fixture(scope="module")
def emulating(qemu: Path) -> dict[str, str]:
    return {"PATH": f"{qemu}:/usr/bin:/bin:/usr/sbin:/sbin"}


def recipe_for(workshop: Command, machine: str, project: Project) -> Path:
    interpreters = (TRIED_ON.get(machine, "cp313"),)
    name = f"{project.name}-{machine}"
    return workshop.recipe(project, name=name, interpreters=interpreters, platforms=(MACHINES[machine],))


@pytest.fixture(scope="module")
def ran(workshop: Command, emulating: dict[str, str]) -> Ran:
    test = {"run": ANSWERS["run"].replace("MACHINE", "aarch64")}
    aarch64 = MACHINES["aarch64"]
    dies = 'if (!getenv("NOWHERE")) abort(); return PyModule_Create'
    broken = "#include <stdlib.h>\n" + C_MODULE.replace("return PyModule_Create", dies)
    return replace(workshop, timeout_s=LONG_S).build(
        workshop.recipe(make_c_project("far"), interpreters=("cp39", "cp313"), platforms=(aarch64,), test=test),
        *(recipe_for(workshop, machine, make_c_project("sized", code=SIZES + C_MODULE)) for machine in MACHINES),
        workshop.recipe(make_c_project("broken", code=broken), platforms=(aarch64,)),
        *(recipe_for(workshop, machine, make_rust_project("crated")) for machine in MACHINES),
        env=emulating,
    )


def test_the_targets_python_runs_the_tests(ran: Ran) -> None:
    records = [record for address, record in ran.records.items() if address.startswith("far/")]

    trials = [trial for record in records for trial in record.trials]
    assert [(str(trial.interpreter), trial.outcome, trial.emulated) for trial in trials] == [
        ("cp39", "passed", "aarch64"),
        ("cp313", "passed", "aarch64"),
    ], ran.stderr
    assert "tried under QEMU, which emulates aarch64: far/cp313-cp313-manylinux_2_17_aarch64: cp313" in ran.stderr


def test_a_module_that_dies_there_fails_its_trial(ran: Ran) -> None:
    failure = ran.failure("broken")

    assert (failure.step, failure.ended) == ("import", "failed")
    assert "broken cannot be imported" in failure.message


@pytest.mark.parametrize("machine", MACHINES)
def test_a_crate_is_compiled_for_a_machine_and_tried_on_it(ran: Ran, machine: str) -> None:
    record = ran.records[f"crated-{machine}"]

    assert [(trial.outcome, trial.emulated) for trial in record.trials] == [("passed", machine)], ran.stderr


@pytest.mark.parametrize("machine", MACHINES)
def test_c_that_asks_for_the_sizes_of_a_machine_is_tried_on_it(ran: Ran, machine: str) -> None:
    record = ran.records[f"sized-{machine}"]

    assert [(trial.outcome, trial.emulated) for trial in record.trials] == [("passed", machine)], ran.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_keeps_the_promise_of_manylinux_2_17_on_two_machines(
    package: str, command: Command, emulating: dict[str, str]
) -> None:
    ran = replace(command, timeout_s=LONG_S).build(
        command.recipe(package, platforms=OLD, test={"run": PACKAGES[package]}), env=emulating
    )

    assert ran.code == 0, ran.stderr
    assert len(command.wheels) == len(OLD)


def test_so_does_psutil_whose_setup_script_fixes_its_floor(command: Command, emulating: dict[str, str]) -> None:
    recipe = command.recipe(
        "psutil==7.0.0",
        platforms=OLD,
        abi3="cp36",
        build={"floor": "project"},
        test={"run": "python -c 'import psutil; assert psutil.Process().pid > 0'"},
    )

    ran = replace(command, timeout_s=LONG_S).build(recipe, env=emulating)

    assert ran.code == 0, ran.stderr
    assert len(command.wheels) == len(OLD)


def test_nh3_is_one_wheel_for_each_machine(command: Command, emulating: dict[str, str]) -> None:
    recipes = []
    for interpreter in ("cp311", "cp313"):
        machines = [machine for machine in MACHINES if TRIED_ON.get(machine, "cp313") == interpreter]
        here = ("manylinux_2_17_x86_64",) if interpreter == "cp313" else ()
        platforms = (*here, *(MACHINES[machine] for machine in machines))
        recipe = command.recipe(
            "nh3==0.3.7",
            name=f"nh3-{interpreter}",
            abi3="cp38",
            interpreters=(interpreter,),
            platforms=platforms,
            test=NH3,
        )
        recipes.append(recipe)

    ran = replace(command, timeout_s=LONG_S).build(*recipes, env=emulating)

    assert ran.code == 0, ran.stderr
    assert {trial.outcome for record in ran.records.values() for trial in record.trials} == {"passed"}
