"""What the systems that run the factory have apart: the only module that uses what Linux alone has.

Wheels are built in containers of a Linux engine, whatever runs the factory itself: Linux, or another POSIX system.
"""

import os
import platform
import sys
from pathlib import Path
from typing import Final

from factory.errors import UsageError

_RUNS_ON: Final = {"linux": "Linux", "darwin": "macOS"}


def require_known(name: str = sys.platform) -> None:
    """Refuse a system on which the factory does not run, by the name that `sys.platform` has for it.

    Raises:
        UsageError: it is such a system.
    """
    if name not in _RUNS_ON:
        raise UsageError(
            f"the factory runs on {' and '.join(_RUNS_ON.values())}, and this system is {name}",
            hint="run it in a Linux virtual machine or, on Windows, in WSL: https://learn.microsoft.com/windows/wsl",
        )


def shortcoming() -> str:
    """Say in a clause what protects less on this system than on Linux; empty on Linux."""
    if memory_now() is not None:
        return ""
    name = _RUNS_ON.get(sys.platform, sys.platform)
    return f"{name} has no memory limit for the process that reads a wheel, only a time limit"


def starting_an_engine() -> str:
    """Say how a container engine is started here."""
    if sys.platform == "linux":
        way = "start it (`sudo systemctl start docker`)"
    else:
        way = "start Docker Desktop, Colima or a Podman machine"
    return way


def machine() -> str:
    """Return the machine that this process runs on, as its system calls it: `aarch64`, and on macOS `arm64`."""
    return platform.machine()


def processors() -> int:
    """Count the processors that this process may use; all of the machine's where the system does not say."""
    if sys.platform == "linux":
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return count


def lasting_path(descriptor: int, path: Path) -> Path:
    """Return a path of an open folder for this process, which stays valid if the folder is renamed (proc_pid_fd(5)).

    Other systems than Linux have none: there it is `path`, made absolute.
    """
    return Path(f"/proc/self/fd/{descriptor}") if sys.platform == "linux" else path.absolute()


def memory_now() -> int | None:
    """Return the bytes of address space that this process has now, to which a limit of memory adds.

    None on other systems than Linux: macOS refuses such a limit, since it reserves more than any program uses.
    """
    size_bytes: int | None = None
    if sys.platform == "linux":
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        size_bytes = int(pages) * os.sysconf("SC_PAGE_SIZE")
    return size_bytes
