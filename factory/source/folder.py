"""A folder of this machine as a source tree: what git tracks plus unignored files, read once into a `Tree`."""

import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from factory.errors import SourceError
from factory.host import Host
from factory.recipe.model import PathSource
from factory.source import git
from factory.source.names import link_target, resolve_links, safe_path
from factory.source.tree import Extent, Limits, Spool, Tree, TreeFile, clamp

_CHUNK_BYTES = 1 << 20
_JUNK = (".git", ".hg", ".svn", ".jj", ".bzr", "__pycache__", ".tox", ".nox", "node_modules", "*.egg-info")
_JUNK_AT_TOP = ("build", "dist")
_JUNK_MARKS = ("pyvenv.cfg", "CACHEDIR.TAG")  # A virtual environment; a cache, as cargo, mypy and pytest mark theirs.


def read_folder(ref: PathSource, host: Host, *, limits: Limits | None = None) -> Tree:
    """Read a folder into a tree.

    In a git working tree every file gets the time of the last commit, elsewhere each keeps its own. Nothing of
    the folder is run, and what changes in it later changes nothing in the tree.

    Raises:
        SourceError: there is no such folder, it is empty, git cannot list it, or it holds what a source cannot hold.
    """
    root = ref.path
    if not root.is_dir():
        raise SourceError(f"there is no folder {root}")
    spool = Spool(limits or Limits())
    with_git = _is_working_tree(root) and git.is_here(host)
    paths = sorted(set(_listed(root, host) if with_git else _walked(root, root)))
    if not paths:
        raise SourceError(f"{root} holds no files", hint="is the folder itself ignored by git?")
    committed_s = _committed_s(root, host) if with_git else None
    extents, links = _contents(root, paths, spool, committed_s)
    return Tree.of(spool, resolve_links(extents, links, str(root), spool.limits), epoch_s=committed_s)


def _is_working_tree(root: Path) -> bool:
    return any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents))


def _listed(folder: Path, host: Host, prefix: str = "") -> Iterator[str]:
    """Yield what git tracks plus unignored files, those of submodules and nested repositories too."""
    answer = git.ask(folder, host, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    if answer.returncode != 0:
        raise SourceError(f"git cannot list {folder}: {git.first_line(answer)}")
    for name in os.fsdecode(answer.stdout).split("\0"):
        path = folder / name
        if not name or not os.path.lexists(path):
            continue  # Tracked and deleted.
        if not path.is_dir() or path.is_symlink():
            yield prefix + name
        elif (path / ".git").exists():
            yield from _listed(path, host, f"{prefix}{name.rstrip('/')}/")


def _committed_s(root: Path, host: Host) -> int | None:
    """Return the time of the last commit; None before the first. `git log` could start a signature program."""
    answer = git.ask(root, host, "cat-file", "commit", "HEAD")
    return commit_time_s(answer.stdout) if answer.returncode == 0 else None


def commit_time_s(commit: bytes) -> int | None:
    """Read the time out of a commit as git keeps it."""
    match = re.search(rb"^committer .* (\d+) [-+]\d{4}$", commit, re.MULTILINE)
    return int(match[1]) if match else None


def _walked(folder: Path, root: Path) -> Iterator[str]:
    """Yield every file below a folder but those of version control, environments, caches and earlier builds."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            yield str(path.relative_to(root))
        elif not _is_junk(path, at_top=folder == root):
            yield from _walked(path, root)


def _is_junk(folder: Path, *, at_top: bool) -> bool:
    patterns = (*_JUNK, *_JUNK_AT_TOP) if at_top else _JUNK
    named = any(fnmatch.fnmatchcase(folder.name, pattern) for pattern in patterns)
    return named or any((folder / mark).is_file() for mark in _JUNK_MARKS)


def _contents(
    root: Path, paths: list[str], spool: Spool, committed_s: int | None
) -> tuple[list[Extent], dict[str, str]]:
    extents: list[Extent] = []
    links: dict[str, str] = {}
    if len(paths) > spool.limits.files:
        raise SourceError(f"{root} holds more than {spool.limits.files} files")
    for name in paths:
        path = safe_path(name, str(root), spool.limits)
        try:
            if (root / name).is_symlink():
                links[path] = link_target(path, str((root / name).readlink()), str(root))
            else:
                extents.append(_extent(root, path, spool, committed_s))
        except OSError as error:
            raise SourceError(f"{root / name} cannot be read: {error.strerror}") from error
    return extents, links


def _extent(root: Path, path: str, spool: Spool, committed_s: int | None) -> Extent:
    descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"{root / path} is a device, a pipe or a socket")
        offset, size_bytes = spool.add(iter(lambda: stream.read(_CHUNK_BYTES), b""), str(root))
    return Extent(
        offset=offset,
        file=TreeFile(
            path=path,
            executable=bool(status.st_mode & stat.S_IXUSR),
            mtime_s=clamp(status.st_mtime if committed_s is None else committed_s),
            size_bytes=size_bytes,
        ),
    )
