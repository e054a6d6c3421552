"""Run a command without root's rights on this machine, also where root makes an image.

    unprivileged.py FOLDER COMMAND…

The command is root in a user namespace of its own, whose identities own nothing here, and its working folder is FOLDER,
which it owns for as long: what packages run while they are installed changes FOLDER, and nothing else of this machine.
Root alone can map identities without further settings; for anybody else mmdebstrap makes a namespace itself. Where root
may make none, as in many containers, the command runs as root, and a note says so.
HERE in the command's environment is FOLDER, and DOWNLOADS, where it names a folder, one that the command can only read.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
FIRST, COUNT = 1_000_000_000, 65_536
"""Host identities of the namespace: far above those that systemd and shadow give out by themselves."""

PLACE = "/mnt"
"""Where the command finds FOLDER, whose own path leads through folders that are closed to it."""

DOWNLOADS = "downloads"
"""Where in FOLDER it finds the downloads."""

ALONE, BEGUN = b"a", b"b"  # what the processes of this script tell each other
FAILED = 97
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
    """Put a file system or a folder in its place; the words are those of the system call."""
    call(libc.mount, source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None)


def remove_links(folder: Path) -> None:
    """Remove links that lie where results do: followed by root, they would lead anywhere."""
    for path in folder.iterdir():
        if path.is_symlink():
            path.unlink()


def give(folder: Path, owner: int) -> None:
    """Make a folder and all that lies in it somebody's."""
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.lchown(Path(place, name), owner, owner)


def wait_for(child: int) -> int:
    """Wait for a child; return its exit code as a shell says it."""
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return ended if ended >= 0 else 128 - ended


def die_with_parent() -> None:
    """End when the parent does, whatever ends it."""
    call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def enter(folder: Path, is_alone: int, go_on: int) -> None:
    """Enter a namespace, and wait until its identities are mapped; FOLDER then lies at PLACE."""
    die_with_parent()
    call(libc.unshare, CLONE_NEWNS)
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    mount(str(folder), PLACE, "", MS_BIND)
    if downloads := os.environ.get("DOWNLOADS"):
        mount(downloads, f"{PLACE}/{DOWNLOADS}", "", MS_BIND)
        mount("none", f"{PLACE}/{DOWNLOADS}", "", MS_REMOUNT | MS_BIND | MS_RDONLY)
    call(libc.unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)
    os.write(is_alone, ALONE)
    if os.read(go_on, 1) != ALONE:
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


def run(command: list[str], has_begun: int) -> int:
    """Run the command below a first process of the namespace, with whose end everything in it ends."""
    first = os.fork()
    if first:
        return wait_for(first)
    code = FAILED
    try:
        die_with_parent()
        require_proc()
        os.write(has_begun, BEGUN)
        child = os.fork()
        if child == 0:
            places = {"TMPDIR": PLACE, "HERE": PLACE, "DOWNLOADS": f"{PLACE}/{DOWNLOADS}"}
            os.execvpe(command[0], command, {**os.environ, **places})  # noqa: S606 -- what it is for
        code = wait_for(child)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
    os._exit(code)


def apart(folder: Path, command: list[str]) -> int | None:
    """Run the command in a namespace of its own and return its code; None where there can be none.

    Whether it was begun is said by this script's own processes: a code is the command's to choose.
    """
    (heard, said), (go_on, may_go_on) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            os.close(may_go_on)
            enter(folder, said, go_on)
            code = run(command, said)
        except OSError as error:
            sys.stderr.write(f"{error}\n")
        os._exit(code)
    os.close(said)
    if os.read(heard, 1) == ALONE:
        for name in ("gid_map", "uid_map"):
            Path(f"/proc/{child}/{name}").write_text(f"0 {FIRST} {COUNT}\n")
        os.write(may_go_on, ALONE)
    has_begun = os.read(heard, 1) == BEGUN
    code = wait_for(child)
    return code if has_begun else None


def main() -> int:
    """Run the command, and give the folder back."""
    folder, command = Path(sys.argv[1]).resolve(), sys.argv[2:]
    os.environ["HERE"] = str(folder)
    if os.geteuid() == 0:
        try:
            if os.environ.get("DOWNLOADS"):
                (folder / DOWNLOADS).mkdir(exist_ok=True)
            give(folder, FIRST)
            code = apart(folder, command)
        finally:
            remove_links(folder)
            give(folder, 0)
        if code is not None:
            return code
        sys.stderr.write(NOTE)
        os.environ["TMPDIR"] = str(folder)
    os.chdir(folder)
    return os.execvp(command[0], command)  # noqa: S606 -- what it is for


if __name__ == "__main__":
    sys.exit(main())
