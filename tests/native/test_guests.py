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
