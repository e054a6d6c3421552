"""What packages run while they are installed has no rights of root's on this machine, whoever makes the image."""

import os
import sys
from pathlib import Path

import pytest

from factory.images.spec import data_folder
from factory.process import Completed, run

SCRIPT = data_folder() / "scripts/unprivileged.py"
PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="root alone needs what this script does for it")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder whose way leads through one that is closed to everybody else, as a store's does."""
    closed = tmp_path / "closed"
    (closed / "work/apart").mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "work/apart/given").write_text("given")
    return closed / "work"


def apart(work: Path, script: str) -> Completed:
    return run([sys.executable, SCRIPT, "apart", "sh", "-c", script], env=PATH, cwd=work, timeout_s=60)


def test_a_command_works_in_its_folder_and_what_it_makes_belongs_to_who_asked(work: Path) -> None:
    ended = apart(work, "cat given && mkdir made && echo made >made/file && id -u >&2")

    assert (ended.returncode, ended.stdout) == (0, b"given"), ended.stderr
    assert (work / "apart/made/file").read_text() == "made\n"
    made = (work / "apart", work / "apart/made", work / "apart/made/file")
    assert {path.stat().st_uid for path in made} == {os.geteuid()}


@pytest.mark.parametrize("code", [0, 7, 97, 100])
def test_a_commands_code_is_the_scripts_and_none_of_them_lets_it_run_again_as_root(work: Path, code: int) -> None:
    ended = apart(work, f"echo ran; exit {code}")

    assert (ended.returncode, ended.stdout, ended.stderr) == (code, b"ran\n", "")


@AS_ROOT
def test_root_in_there_is_nobody_outside(work: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("roots")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "closed").chmod(0o711)
    harm = f"""
        id -u
        cat {tmp_path}/secret || echo not read
        echo >{tmp_path}/closed/new || echo not written
        kill -0 {os.getpid()} || echo not signalled
        mknod device b 8 0 || echo no device
        mount -o remount,rw / || echo not mounted
    """

    ended = apart(work, harm)

    assert ended.stdout.decode().splitlines() == [
        "0", "not read", "not written", "not signalled", "no device", "not mounted",
    ]  # fmt: skip


@AS_ROOT
def test_a_link_in_a_results_place_is_not_followed(work: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("roots")

    apart(work, f"ln -s {tmp_path}/secret packed.tar")

    assert not (work / "apart/packed.tar").is_symlink()
    assert (tmp_path / "secret").stat().st_uid == os.geteuid()


@AS_ROOT
def test_where_no_namespace_can_be_made_the_command_runs_and_a_note_says_as_whom(work: Path) -> None:
    """As in a container without CAP_SYS_ADMIN: this process drops it before the script starts."""
    drop = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    command: list[str | Path] = [*drop, sys.executable, SCRIPT, "apart", "sh", "-c", "cat given; pwd >&2"]

    ended = run(command, env=PATH, cwd=work, timeout_s=60)

    assert (ended.returncode, ended.stdout) == (0, b"given")
    assert "note: root can make no user namespace here" in ended.stderr
    assert f"{work}/apart" in ended.stderr
