"""Git, as this machine runs it: no hook, no prompt, and nothing that a repository's own configuration names."""

import errno
import os
import shutil
from pathlib import Path
from typing import BinaryIO, Final

from factory.errors import SourceError
from factory.host import Host
from factory.process import Completed, run

PROTOCOLS: Final = ("https", "ssh", "file")

_PROGRAM: Final = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*")
_QUIET_FETCH: Final = ("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.recurseSubmodules=false")
_ONE_PACK: Final = ("-c", "fetch.unpackLimit=1")  # whatever comes is one file, so that a file's limit is its limit
_LIMITED: Final = ("/bin/sh", "-c", 'trap "" XFSZ; ulimit -f "$1"; shift; exec "$@"', "sh")
_BLOCK_BYTES: Final = 512  # POSIX, ulimit -f
_TIMEOUT_S: Final = 120
_NETWORK_TIMEOUT_S: Final = 1800


def is_here(host: Host) -> bool:
    """Whether git is installed."""
    return shutil.which("git", path=host.path) is not None


def require(host: Host, what: str) -> None:
    """Refuse to go on without git.

    Raises:
        SourceError: git is not installed; `what` needs it.
    """
    if not is_here(host):
        raise SourceError(f"git is not installed, and {what} needs it", hint="install git: apt-get install git")


def ask(folder: Path, host: Host, *arguments: str, stdin: bytes = b"", stdout: BinaryIO | None = None) -> Completed:
    """Run git in a folder, offline; what this user configured counts for nothing either."""
    env = {**host.tool_env, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ALLOW_PROTOCOL": "none"}
    return run([*_PROGRAM, *arguments], env=env, cwd=folder, timeout_s=_TIMEOUT_S, stdin=stdin, stdout=stdout)


def ask_remote(folder: Path, host: Host, *arguments: str, pack_bytes: int) -> Completed:
    """Run git where it asks a server: by this user's own proxies, certificates, credentials and configuration.

    Of protocols only `PROTOCOLS` are spoken, whatever is configured. Nobody is asked for a password. Where a
    server sends more than `pack_bytes`, writing on fails with EFBIG (setrlimit(2)): `was_too_much` tells.
    """
    certificates = {"GIT_SSL_CAINFO": str(host.certificates)} if host.certificates else {}
    agent = {"SSH_AUTH_SOCK": host.ssh_agent} if host.ssh_agent else {}
    env = {
        **host.tool_env,
        **certificates,
        **agent,
        "HOME": str(host.home),
        "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        "GIT_TERMINAL_PROMPT": "0",
        "GCM_INTERACTIVE": "never",
    }
    limited = [*_LIMITED, str(pack_bytes // _BLOCK_BYTES), *_PROGRAM, *_QUIET_FETCH, *_ONE_PACK]
    return run([*limited, *arguments], env=env, cwd=folder, timeout_s=_NETWORK_TIMEOUT_S)


def was_too_much(said: Completed) -> bool:
    """Whether git ended because a pack exceeded its limit."""
    return os.strerror(errno.EFBIG) in said.stderr


def first_line(said: Completed) -> str:
    """Return what git complained of first."""
    lines = [line.strip() for line in said.stderr.splitlines() if line.strip()]
    complaints = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: "))]
    return next(iter(complaints or lines), f"it ended with {said.returncode}")
