"""Programs of containers, run on this machine: what they print is what their readers understand."""

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path, PurePosixPath

from factory.engine.disk import DiskUsage, watch_command
from factory.guests import program
from factory.images.probe import read_answer
from factory.tags import Interpreter


def output_of(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout


def test_an_interpreter_says_which_it_is() -> None:
    said = output_of(sys.executable, "-I", "-c", program("probe_python.py"), "/opt/python/x/bin/python")

    is_free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert read_answer(said).builders == {Interpreter(sys.version_info.minor, is_free_threaded)}


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
