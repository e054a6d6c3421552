"""Programs of containers, run on this machine: what they print is what their readers understand."""

import json
import os
import platform
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path, PurePosixPath

import pyproject_hooks
import pytest

from factory.engine.disk import DiskUsage, watch_command
from factory.guests import program
from factory.images.probe import read_answer
from factory.tags import Interpreter


def output_of(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def test_an_interpreter_says_which_it_is() -> None:
    said = output_of(sys.executable, "-I", "-c", program("probe_python.py"), "/opt/python/x/bin/python")

    is_free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    (release,) = read_answer(said).builders
    assert release.interpreter == Interpreter(sys.version_info.minor, is_free_threaded)
    assert str(release.version) == platform.python_version().rstrip("+")


def test_a_machine_says_what_it_holds() -> None:
    said = output_of("sh", "-c", program("probe.sh"), "probe", program("probe_python.py"))

    assert read_answer(said).libc is not None


def test_a_folder_and_its_disk_are_counted(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(1 << 20))
    usage = DiskUsage(folders=(PurePosixPath(tmp_path),))

    with subprocess.Popen(watch_command(usage.folders), stdout=subprocess.PIPE, start_new_session=True) as watching:
        assert watching.stdout is not None
        while not (usage.held_count and usage.left_count):
            usage.take(watching.stdout.readline())
        os.killpg(watching.pid, signal.SIGKILL)

    assert 1 << 20 <= usage.held_bytes < 2 << 20
    assert usage.left["/"].size_bytes > 0


BACKEND = """
from pathlib import Path

def get_requires_for_build_wheel(settings):
    print("said on stdout, which belongs to the backend")
    return [f"needed=={settings['version']}"]

def build_wheel(folder, settings, metadata):
    (Path(folder) / "demo-1.0-py3-none-any.whl").write_text(settings["version"])
    return "demo-1.0-py3-none-any.whl"
"""


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    """The frontend as the tool bundle holds it, beside pyproject_hooks."""
    bundle = tmp_path / "tools"
    (bundle / "site").mkdir(parents=True)
    (bundle / "frontend.py").write_text(program("frontend.py"))
    (bundle / "site/pyproject_hooks").symlink_to(Path(pyproject_hooks.__file__).parent)
    (tmp_path / "source").mkdir()
    (tmp_path / "source/backend.py").write_text(BACKEND)
    return bundle / "frontend.py"


@pytest.mark.parametrize(
    ("hook", "name", "expected"),
    [("requires", "requires.json", '["needed==7"]'), ("wheel", "demo-1.0-py3-none-any.whl", "7")],
)
def test_a_hook_leaves_its_outcome_in_the_output_folder(
    frontend: Path, tmp_path: Path, hook: str, name: str, expected: str
) -> None:
    request = {
        "hook": hook,
        "source": str(tmp_path / "source"),
        "backend": "backend",
        "backend_path": ["."],
        "settings": {"version": "7"},
        "output": str(tmp_path / "built"),
    }

    output_of(sys.executable, "-I", str(frontend), json.dumps(request))

    assert (tmp_path / "built" / name).read_text() == expected


def looked(tmp_path: Path, *closed: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Look for an interpreter on a PATH of one folder, with the tools of a shell only."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ls").symlink_to("/bin/ls")
    command = ["/bin/sh", "-c", program("no_interpreter.sh"), "no-interpreter", *map(str, closed)]
    env = {"PATH": f"{tools}:{tmp_path}", "PYO3_NO_PYTHON": "1", **env}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_where_no_interpreter_is_in_sight_every_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "python3-config").symlink_to("/bin/true")

    empty = tmp_path / "empty"
    empty.mkdir()

    ended = looked(tmp_path, empty, tmp_path / "absent")

    assert ended.returncode == 0
    assert ended.stdout.splitlines() == [
        "PYO3_NO_PYTHON is 1",
        f"no interpreter in {tmp_path / 'tools'}",
        f"no interpreter in {tmp_path}",
        f"{empty} is empty",
        f"{tmp_path / 'absent'} is empty",
    ]


@pytest.mark.parametrize("name", ["python", "python3", "python3.13", "python3.14t", "pypy3", "graalpy"])
def test_an_interpreter_on_the_path_is_seen(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/bin/true")

    ended = looked(tmp_path)

    assert ended.returncode == 1
    assert f"error: {tmp_path / name} is an interpreter on PATH" in ended.stdout.splitlines()
    assert f"no interpreter in {tmp_path}" not in ended.stdout.splitlines()


@pytest.mark.parametrize("variable", ["PYO3_PYTHON", "PYO3_CONFIG_FILE", "VIRTUAL_ENV", "CONDA_PREFIX"])
def test_a_variable_that_names_one_is_seen(tmp_path: Path, variable: str) -> None:
    ended = looked(tmp_path, **{variable: "/opt/python/cp313-cp313/bin/python"})

    assert (ended.returncode, ended.stdout.splitlines()[0]) == (1, f"error: {variable} is set")


def test_a_folder_with_interpreters_is_seen(tmp_path: Path) -> None:
    ended = looked(tmp_path, tmp_path)

    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (1, f"error: {tmp_path} is not empty")


def test_a_line_runs_where_the_loader_finds_libpython() -> None:
    """On an interpreter that has one; where this one has none, that is what is told."""
    is_shared = bool(sysconfig.get_config_var("Py_ENABLE_SHARED"))
    command = [sys.executable, "-I", "-c", program("libpython.py"), 'echo "$LD_LIBRARY_PATH"; exit 3']

    ended = subprocess.run(
        command,
        env={"LD_LIBRARY_PATH": "/mine", "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    if is_shared:
        library, folders = ended.stdout.splitlines()
        assert folders == f"{Path(library.removeprefix('libpython is ')).parent}:/mine"
        assert ended.returncode == 3
    else:
        assert ended.stderr == f"error: {sys.executable} has no shared libpython\n"
        assert ended.returncode == 1


def test_another_machines_headers_differ_in_what_is_included_behind_pyconfig(tmp_path: Path) -> None:
    machine, folder = tmp_path / "machine.h", tmp_path / "headers"
    machine.write_text("#undef SIZEOF_LONG\n#define SIZEOF_LONG 3\n")
    output_of(sys.executable, "-I", "-c", program("headers.py"), str(folder), str(machine))
    (tmp_path / "a.c").write_text('#include "pyconfig.h"\nlong_is SIZEOF_LONG void_p_is SIZEOF_VOID_P')

    said = output_of("cc", "-E", "-P", f"-I{folder}", str(tmp_path / "a.c"))

    assert said.split() == ["long_is", "3", "void_p_is", "8"]
    assert {header.name for header in folder.iterdir()} >= {"Python.h", "cpython"}
