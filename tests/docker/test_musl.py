"""Wheels for musl, compiled and linked by zig in an image with glibc, and judged by what musl exports."""

from pathlib import Path

import pytest

from factory.wheel.read import read_wheel
from tests.docker.command import Command
from tests.docker.projects import C_MODULE, make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

HERE, FOREIGN = "musllinux_1_2_x86_64", "musllinux_1_2_aarch64"
USES_LIBC = "#include <unistd.h>\n" + C_MODULE.replace("PyLong_FromLong(42)", "PyLong_FromLong(getpid())")


def test_c_comes_out_for_musl_and_needs_its_libc_alone(workshop: Command) -> None:
    recipe = workshop.recipe(make_c_project("small", code=USES_LIBC), platforms=(FOREIGN,), test={"untried": "allow"})

    ran = workshop.build(recipe)

    assert ran.statuses == {f"cp313-cp313-{FOREIGN}": "passed"}, ran.stderr
    (name,) = workshop.wheels
    assert name == f"small-1.0-cp313-cp313-{FOREIGN}.whl"
    assert needed(workshop.folder / "dist" / name) == {
        "small.cpython-313-aarch64-linux-musl.so": ("libc.musl-aarch64.so.1",)
    }


@pytest.mark.slow
def test_markupsafe_comes_out_for_both_machines(command: Command) -> None:
    recipe = command.recipe(
        "markupsafe==3.0.4",
        platforms=(HERE, FOREIGN),
        audit={"modules": ["markupsafe._speedups"]},
        test={"untried": "allow"},
    )

    ran = command.build(recipe)

    assert ran.code == 0, ran.stderr
    assert command.wheels == {f"markupsafe-3.0.4-cp313-cp313-{platform}.whl" for platform in (HERE, FOREIGN)}


def needed(wheel: Path) -> dict[str, tuple[str, ...]]:
    """Return what each object of a wheel asks for."""
    objects = read_wheel(wheel).objects
    return {path.rpartition("/")[2]: tuple(shared.needed) for path, shared in objects.items()}
