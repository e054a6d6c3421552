"""Run a command without root's rights on this machine, also where root makes an image.

    unprivileged.py FOLDER COMMAND…

The command is root in a user namespace of its own, whose identities own nothing here, and its working folder is FOLDER,
which it owns for as long: what packages run while they are installed changes FOLDER, and nothing else of this machine.
Root alone can map identities without further settings; for anybody else mmdebstrap makes a namespace itself. Where root
may make none, as in many containers, the command runs as root, and a note says so.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
FIRST, COUNT = 1_000_000_000, 65_536
"""Host identities of the namespace: far above those that systemd and shadow give out by themselves."""

PLACE = "/mnt"
"""Where the command finds FOLDER, whose own path leads through folders that are closed to it."""

NO_NAMESPACE = 97
NOTE = "note: root can make no user namespace here: what packages run while they are installed runs as root\n"

libc = ctypes.CDLL(None, use_errno=True)


def call(function: Callable[..., int], *arguments: object) -> None:
    """Call into the C library.

    Raises:
        OSError: it failed.
    """
    if function(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def mount(source: str, target: str, kind: str, flags: int) -> None:
    """Mount, as mount(2) says."""
    call(libc.mount, source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None)


def give(folder: Path, owner: int) -> None:
    """Make a folder and all that lies in it somebody's."""
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.lchown(os.path.join(place, name), owner, owner)


def wait_for(child: int) -> int:
    """Wait for a child; return its exit code as a shell says it."""
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return ended if ended >= 0 else 128 - ended


def die_with_parent() -> None:
    """End when the parent does, whatever ends it."""
    call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def enter(folder: Path, is_alone: int, may_go_on: int) -> None:
    """Enter a namespace, and wait until its identities are mapped; FOLDER then lies at PLACE."""
    die_with_parent()
    call(libc.unshare, CLONE_NEWNS)
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    mount(str(folder), PLACE, "", MS_BIND)
    call(libc.unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)
    os.write(is_alone, b"1")
    if os.read(may_go_on, 1) != b"1":
        raise OSError("its identities were not mapped")
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    die_with_parent()  # a process that becomes somebody else forgets it
    os.chdir(PLACE)


def require_proc() -> None:
    """Mount a /proc as mmdebstrap will, which not every container allows: where it fails, nothing was changed yet."""
    Path("proc").mkdir()
    mount("proc", "proc", "proc", 0)
    call(libc.umount2, b"proc", 0)
    Path("proc").rmdir()


def run(command: list[str]) -> int:
    """Run the command below a first process of the namespace, with whose end everything in it ends."""
    first = os.fork()
    if first:
        return wait_for(first)
    code = NO_NAMESPACE
    try:
        die_with_parent()
        require_proc()
        child = os.fork()
        if child == 0:
            os.execvpe(command[0], command, {**os.environ, "TMPDIR": PLACE})
        code = wait_for(child)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
    os._exit(code)


def apart(folder: Path, command: list[str]) -> int:
    """Run the command in a namespace of its own; NO_NAMESPACE where there can be none."""
    (alone, is_alone), (go_on, may_go_on) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        code = NO_NAMESPACE
        try:
            os.close(may_go_on)
            enter(folder, is_alone, go_on)
            code = run(command)
        except OSError as error:
            sys.stderr.write(f"{error}\n")
        os._exit(code)
    os.close(is_alone)
    if os.read(alone, 1) == b"1":
        for name in ("gid_map", "uid_map"):
            Path(f"/proc/{child}/{name}").write_text(f"0 {FIRST} {COUNT}\n")
        os.write(may_go_on, b"1")
    return wait_for(child)


def main() -> int:
    """Run the command, and give the folder back."""
    folder, command = Path(sys.argv[1]).resolve(), sys.argv[2:]
    if os.geteuid() == 0:
        try:
            give(folder, FIRST)
            code = apart(folder, command)
        finally:
            give(folder, 0)
        if code != NO_NAMESPACE:
            return code
        sys.stderr.write(NOTE)
        os.environ["TMPDIR"] = str(folder)
    os.chdir(folder)
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
