"""The program on systems other than Linux: on a Python that lacks what macOS does, or all of POSIX."""

import json
import sys
from pathlib import Path

import pytest

from factory.errors import UsageError
from factory.system import require_known
from tests.cli.macos import AS_ON_MACOS
from tests.cli.program import Ended, Program, write_project
from tests.makers.wheels import make_wheel

AS_ON_WINDOWS = """
import sys
import click  # chooses by the system's name when it is imported

sys.platform = "win32"
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
"""

RUN = "from factory.cli import main; main(prog_name='factory')"

IMPORT_ALL = """
import importlib, pkgutil
import factory

for module in pkgutil.walk_packages(factory.__path__, "factory."):
    if not module.name.startswith("factory.guests."):  # they run in containers
        importlib.import_module(module.name)
        print(module.name)
"""


@pytest.fixture
def factory(tmp_path: Path) -> Program:
    write_project(tmp_path)
    return Program(folder=tmp_path)


def on(system: str, code: str, factory: Program, *arguments: str, **env: str) -> Ended:
    return factory.shell(sys.executable, "-c", system + code, *arguments, **env)


def test_every_module_is_imported_on_macos(factory: Program) -> None:
    done = on(AS_ON_MACOS, IMPORT_ALL, factory)

    assert done.code == 0, done.stderr
    modules = done.stdout.split()
    assert len(modules) > 300
    assert {"factory.cli.build", "factory.engine.connection", "factory.run.build", "factory.web.session"} <= {*modules}


def test_a_recipe_is_planned_on_macos(factory: Program) -> None:
    on_linux = factory("plan", "--json")

    done = on(AS_ON_MACOS, RUN, factory, "plan", "--json")

    assert done.code == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(on_linux.stdout)


def test_wheels_are_judged_on_macos(factory: Program, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)

    done = on(AS_ON_MACOS, RUN, factory, "audit", str(wheel))

    assert done == factory("audit", wheel)
    assert "passed" in done.stdout


def test_a_wheel_that_never_ends_is_given_up_on_macos_too(factory: Program) -> None:
    spin = "from factory.confined import Bounds, confined; print(confined(lambda: [*iter(dict, 1)], Bounds(cpu_s=1)))"

    done = on(AS_ON_MACOS, spin, factory)

    assert "used more than 1 s of CPU time" in done.stdout, done.stderr


def test_doctor_says_what_macos_lacks(factory: Program) -> None:
    done = on(AS_ON_MACOS, RUN, factory, "doctor")

    said = " ".join(done.stdout.split())
    assert "macOS has no memory limit for the process that reads a wheel, only a time limit" in said
    assert "to fix engine: start Docker Desktop, Colima or a Podman machine, or name one in DOCKER_HOST" in said
    assert done.code == 4, "only the engine is needed and missing"


@pytest.mark.parametrize("command", ["plan", "audit", "build", "doctor"])
def test_windows_itself_is_refused_in_a_sentence(factory: Program, command: str) -> None:
    done = on(AS_ON_WINDOWS, RUN, factory, command)

    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == (
        "factory: the factory runs on Linux and macOS, and this system is win32\n"
        "  hint: run it in a Linux virtual machine or, on Windows, in WSL: https://learn.microsoft.com/windows/wsl\n"
    )


def test_systems_are_known_by_the_name_that_python_has_for_them() -> None:
    require_known("linux")
    require_known("darwin")
    with pytest.raises(UsageError, match="this system is freebsd14"):
        require_known("freebsd14")
