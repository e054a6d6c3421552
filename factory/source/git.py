"""Runs git without hooks, prompts, or anything that a repository's own configuration names."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Literal

from factory.diagnoses.git import complaint
from factory.errors import SourceError
from factory.host import Host
from factory.process import Completed, run

PROTOCOLS: Final = ("https", "ssh", "file")

# Hooks and the file system monitor are programs; a folder of another user is safe to read without them.
_PROGRAM: Final = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*")
_QUIET_FETCH: Final = ("-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "fetch.recurseSubmodules=false")
_ONE_PACK: Final = ("-c", "fetch.unpackLimit=1")  # a fetch writes one file, so the limit on files limits it
_WITHOUT_LOGIN: Final = ("-c", "credential.helper=")
_WITHOUT_REDIRECTS: Final = ("-c", "http.followRedirects=false")
_LIMITED: Final = ("/bin/sh", "-c", 'trap "" XFSZ; ulimit -f "$1"; shift; exec "$@"', "sh")
_BLOCK_BYTES: Final = 512  # POSIX, ulimit -f
_TIMEOUT_S: Final = 120  # for what is on this machine
_NETWORK_TIMEOUT_S: Final = 1800
_MOST_BYTES: Final = 1 << 20  # of answers that are not lists
_CHUNK_BYTES: Final = 1 << 20
_LINE_BYTES: Final = 100  # a digest, a type and a size, each as long as can be

Login = Literal["user", "no redirects", "none"]
"""As whom git asks a server: this user, this user without following redirects, or without any login."""

_NOBODY: Final = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}

# A few bytes of deltas can describe an object of gigabytes: large ones are streamed, or refused before allocation.
_MEMORY: Final = {"GIT_ALLOC_LIMIT": "256m"}
_MEMORY_OF_TWO: Final = {"GIT_ALLOC_LIMIT": "640m"}  # git serves the repository as well, and streams less of it
_STREAMED: Final = ("-c", "core.bigFileThreshold=16m", "-c", "core.packedGitLimit=256m", "-c", "pack.threads=1")


def is_here(host: Host) -> bool:
    """Whether git is installed."""
    return shutil.which("git", path=host.path) is not None


def require(host: Host, what: str) -> None:
    """Require git.

    Raises:
        SourceError: git is not installed; `what` needs it.
    """
    if not is_here(host):
        raise SourceError(f"git is not installed, and {what} needs it", hint="install git: apt-get install git")


def ask(
    folder: Path,
    host: Host,
    *arguments: str,
    stdin: bytes = b"",
    stdout: BinaryIO | None = None,
    most_bytes: int = _MOST_BYTES,
    timeout_s: float = _TIMEOUT_S,
) -> Completed:
    """Run git in a folder, offline, and without this user's configuration.

    Raises:
        TooMuchOutputError: it prints more than `most_bytes`, and `stdout` is not given.
    """
    return run(
        [*_PROGRAM, *_STREAMED, *arguments],
        env={**host.tool_env, **_MEMORY, **_NOBODY, "GIT_ALLOW_PROTOCOL": "none"},
        cwd=folder,
        timeout_s=timeout_s,
        stdin=stdin,
        stdout=stdout,
        most_bytes=most_bytes,
    )


def ask_remote(
    folder: Path,
    host: Host,
    *arguments: str,
    pack_bytes: int,
    login: Login = "user",
    most_bytes: int = _MOST_BYTES,
) -> Completed:
    """Run a git command that asks a server, with this machine's proxies and certificates.

    Only `PROTOCOLS` are allowed, whatever is configured, and git cannot ask for a password. If a server sends more
    than `pack_bytes`, git fails with EFBIG (setrlimit(2)), which `was_too_much` recognizes.

    Raises:
        TooMuchOutputError: it prints more than `most_bytes`.
    """
    certificates = {"GIT_SSL_CAINFO": str(host.certificates)} if host.certificates else {}
    env = {
        **host.tool_env,
        **certificates,
        **(_MEMORY_OF_TWO if any(argument.startswith("file:") for argument in arguments) else _MEMORY),
        **_identity(host, login),
        "GIT_TERMINAL_PROMPT": "0",
        "GCM_INTERACTIVE": "never",
    }
    options = {"user": (), "no redirects": _WITHOUT_REDIRECTS, "none": _WITHOUT_LOGIN}[login]
    limited = [*_LIMITED, str(pack_bytes // _BLOCK_BYTES), *_PROGRAM, *_STREAMED, *_QUIET_FETCH, *_ONE_PACK, *options]
    return run([*limited, *arguments], env=env, cwd=folder, timeout_s=_NETWORK_TIMEOUT_S, most_bytes=most_bytes)


def _identity(host: Host, login: Login) -> Mapping[str, str]:
    """Return the variables that give git this user's login or none: curl reads ~/.netrc, ssh its keys and agent."""
    if login == "none":
        return {**_NOBODY, "HOME": "/dev/null", "NETRC": "/dev/null", "GIT_ALLOW_PROTOCOL": "https:file"}
    agent = {"SSH_AUTH_SOCK": host.ssh_agent} if host.ssh_agent else {}
    return {**agent, "HOME": str(host.home), "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS)}


def sizes(folder: Path, host: Host, objects: Sequence[str]) -> list[int]:
    """Return the sizes of objects of a repository.

    Raises:
        SourceError: git cannot read one of them.
    """
    completed = _batch(folder, host, "--batch-check", objects, most_bytes=len(objects) * _LINE_BYTES)
    answers = completed.stdout.decode().splitlines()
    if completed.returncode != 0 or len(answers) != len(objects) or any(line.endswith(" missing") for line in answers):
        raise SourceError(f"git cannot read the objects of {folder.name}: {first_line(completed)}")
    return [int(line.rpartition(" ")[2]) for line in answers]


def contents(folder: Path, host: Host, objects: Sequence[str], sizes_bytes: Sequence[int]) -> Iterator[Iterator[bytes]]:
    """Yield each object's bytes in pieces, in order; each must be read to its end before the next.

    Raises:
        SourceError: git cannot read one of them, or its size is not the one given.
    """
    with tempfile.TemporaryFile(dir=folder) as answer:
        completed = _batch(folder, host, "--batch", objects, stdout=answer)
        if completed.returncode != 0:
            raise SourceError(f"git cannot read the objects of {folder.name}: {first_line(completed)}")
        answer.seek(0)
        for name, size_bytes in zip(objects, sizes_bytes, strict=True):
            if answer.readline(_LINE_BYTES).rpartition(b" ")[2] != b"%d\n" % size_bytes:
                raise SourceError(f"the object {name} does not have the {size_bytes} bytes that git announced")
            pieces = [_CHUNK_BYTES] * (size_bytes // _CHUNK_BYTES) + [size_bytes % _CHUNK_BYTES]
            yield (answer.read(size) for size in pieces)
            answer.readline(1)  # the line feed after each object (git-cat-file(1), BATCH OUTPUT)


def _batch(
    folder: Path,
    host: Host,
    mode: str,
    objects: Sequence[str],
    *,
    stdout: BinaryIO | None = None,
    most_bytes: int = _MOST_BYTES,
) -> Completed:
    asked = "".join(f"{name}\n" for name in objects).encode()
    return ask(folder, host, "cat-file", mode, stdin=asked, stdout=stdout, most_bytes=most_bytes)


def was_too_much(completed: Completed) -> bool:
    """Whether git failed because a pack exceeded its limit."""
    return os.strerror(errno.EFBIG) in completed.stderr


def first_line(completed: Completed) -> str:
    """Return what git complained of first."""
    return complaint(completed.stderr, completed.returncode)
