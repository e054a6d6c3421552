"""Wheels for musl, compiled and linked by zig in an image with glibc, and tried in an image without."""

from pathlib import Path

import pytest

from factory.wheel.read import read_wheel
from tests.docker.command import Command, Ran
from tests.docker.projects import C_MODULE, make_c_project, make_rust_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

HERE, FOREIGN = "musllinux_1_2_x86_64", "musllinux_1_2_aarch64"
USES_LIBC = "#include <unistd.h>\n" + C_MODULE.replace("PyLong_FromLong(42)", "PyLong_FromLong(getpid())")

CPP_MODULE = C_MODULE.replace("#include <Python.h>", "#include <Python.h>\n#include <string>").replace(
    "PyLong_FromLong(42)", 'PyLong_FromLong(std::stol(std::string("4") + "2"))'
)
WITHOUT_GLIBC = "python -c 'import os; assert not os.path.exists(\"/lib64/ld-linux-x86-64.so.2\")'"


def test_c_comes_out_for_musl_and_needs_its_libc_alone(workshop: Command) -> None:
    recipe = workshop.recipe(make_c_project("small", code=USES_LIBC), platforms=(FOREIGN,), test={"untried": "allow"})

    ran = workshop.build(recipe)

    assert ran.statuses == {f"cp313-cp313-{FOREIGN}": "passed"}, ran.stderr
    (name,) = workshop.wheels
    assert name == f"small-1.0-cp313-cp313-{FOREIGN}.whl"
    assert needed(workshop.folder / "dist" / name) == {
        "small.cpython-313-aarch64-linux-musl.so": ("libc.musl-aarch64.so.1",)
    }


def test_c_is_tried_where_there_is_no_glibc(command: Command) -> None:
    asks = {"run": [WITHOUT_GLIBC, "python -c 'import os, plain; assert plain.answer() == os.getpid()'"]}

    ran = command.build(command.recipe(make_c_project("plain", code=USES_LIBC), platforms=(HERE,), test=asks))

    assert_tried_on_musl(ran, command)


@pytest.mark.slow
def test_so_are_cpp_and_rust(command: Command) -> None:
    cpp = make_c_project("cpp", sources=["cpp.cpp"], code="", files={"cpp.cpp": CPP_MODULE.replace("NAME", "cpp")})

    ran = command.build(
        command.recipe(cpp, platforms=(HERE,), test=answers("cpp")),
        command.recipe(make_rust_project("rusty"), platforms=(HERE,), test={"run": WITHOUT_GLIBC}),
    )

    assert_tried_on_musl(ran, command)


def assert_tried_on_musl(ran: Ran, command: Command) -> None:
    """Every wheel passed its trial on the userland with musl, and asks for no other libc."""
    assert ran.code == 0, ran.stderr
    assert {trial.image for record in ran.records.values() for trial in record.trials} == {"musl-trixie"}
    for name in command.wheels:
        assert set(needed(command.folder / "dist" / name).values()) == {("libc.musl-x86_64.so.1",)}


@pytest.mark.slow
def test_nh3_comes_out_for_both_machines(command: Command) -> None:
    smoke = {"run": "python -c \"import nh3; assert nh3.clean('<script>') == ''\"", "untried": "allow"}
    recipe = command.recipe("nh3==0.3.7", platforms=(HERE, FOREIGN), audit={"modules": ["nh3.nh3"]}, test=smoke)

    ran = command.build(recipe)

    assert ran.code == 0, ran.stderr
    assert command.wheels == {f"nh3-0.3.7-cp38-abi3-{platform}.whl" for platform in (HERE, FOREIGN)}


def answers(name: str) -> dict[str, list[str]]:
    """Commands that call the answer of a module where there is no glibc."""
    return {"run": [WITHOUT_GLIBC, f"python -c 'import {name}; assert {name}.answer() == 42'"]}


def needed(wheel: Path) -> dict[str, tuple[str, ...]]:
    """Return what each object of a wheel asks for."""
    objects = read_wheel(wheel).objects
    return {path.rpartition("/")[2]: tuple(shared.needed) for path, shared in objects.items()}
