"""A folder of this machine as a source tree: what git tracks plus unignored files, read once into a `Tree`."""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import monotonic

from factory.errors import SourceError, TooMuchOutputError, TooSlowError
from factory.host import Host
from factory.process import Completed
from factory.recipe.model import PathSource
from factory.regular import open_regular
from factory.source import git
from factory.source.leftovers import Sorted, is_made_folder, leads_to_kept, sort_out
from factory.source.names import Names, resolve_links
from factory.source.tree import Extent, SourceLimits, Spool, Tree, TreeFile, clamp

_CHUNK_BYTES = 1 << 20
_JUNK = frozenset({".git", ".hg", ".svn", ".jj", ".bzr", ".tox", ".nox", "node_modules"})
_JUNK_AT_TOP = frozenset({"dist"})
_NESTED = 256  # repositories in one source
_DEEPEST = 8  # repositories in repositories
_GIT_S = 30  # for all that is asked of one source
_ANSWER_BYTES = 1 << 20  # a commit


def read_folder(
    ref: PathSource, host: Host, *, limits: SourceLimits | None = None, wider: Callable[[Path], str] = lambda _: ""
) -> Tree:
    """Read a folder into a tree.

    In a git working tree every file gets the time of the last commit, elsewhere each keeps its own. What an earlier
    build left is left out, whether git tracks it or not, but for what the recipe keeps. Nothing in the folder is run,
    and later changes to it do not change the tree. `wider` returns the hint for a link that leads out of it, by the
    folder that holds what it leads to as well.

    Raises:
        SourceError: the folder does not exist or is empty, git cannot list it, or it has files that a source cannot.
    """
    root = ref.path
    if not root.is_dir():
        raise SourceError(f"there is no folder {root}")
    spool = Spool(limits or SourceLimits())
    names = Names(str(root), spool.limits, beyond=lambda target: _hint(root, target, wider))
    with_git = _is_working_tree(root) and git.is_here(host)
    listing = _Listing(root, host, names.limits)
    walk = _Walk(root, ref.keep)
    listed = listing.paths() if with_git else walk.paths(root, names.limits.folders)
    paths = sorted(set(islice(listed, names.limits.files + 1)))
    if not paths:
        raise SourceError(f"{root} holds no files", hint="is the folder itself ignored by git?")
    if len(paths) > names.limits.files:
        raise SourceError(f"{root} holds more than {names.limits.files} files")
    chosen = sort_out(list(map(names.path, paths)), ref.keep)
    committed_s = listing.committed_s() if with_git else None
    extents, links = _contents(root, chosen, spool, names, committed_s)
    left_out = (*walk.left_out, *chosen.left_out)
    return Tree.of(spool, resolve_links(extents, links, names), epoch_s=committed_s, left_out=left_out)


def _is_working_tree(root: Path) -> bool:
    return any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents))


def _hint(root: Path, target: str, wider: Callable[[Path], str]) -> str:
    """Say how a source holds what a link of it leads to, by a path relative to it."""
    folder, aim = root.resolve(), Path(os.path.normpath(root.resolve() / target))
    if target.startswith("/") or not aim.exists():
        return "remove the link, or put a file in its place"
    above = Path(os.path.commonpath([folder, aim]))
    return wider(above)


class _Listing:
    """What git lists of one source and of the repositories in it, in a bounded time."""

    def __init__(self, root: Path, host: Host, limits: SourceLimits) -> None:
        self._root = root
        self._host = host
        self._limits = limits
        self._nested = 0
        self._until = monotonic() + _GIT_S

    def paths(self, below: str = "", depth: int = 0) -> Iterator[str]:
        """Yield tracked and unignored files, with those of submodules and nested repositories."""
        folder = self._root / below
        if depth > _DEEPEST:
            raise SourceError(f"{folder}: repositories nest deeper than {_DEEPEST}")
        for name in self._ls_files(folder):
            path = folder / name
            if not name or not os.path.lexists(path):
                continue  # Tracked and deleted.
            if not path.is_dir() or path.is_symlink():
                yield below + name
            elif (path / ".git").exists():
                self._count_nested()
                yield from self.paths(f"{below}{name.rstrip('/')}/", depth + 1)

    def committed_s(self) -> int | None:
        """Return the time of the last commit, None before the first; `git log` could start a signature program."""
        answer = self._ask(self._root, "cat-file", "commit", "HEAD")
        return commit_time_s(answer.stdout) if answer.returncode == 0 else None

    def _count_nested(self) -> None:
        self._nested += 1
        if self._nested > _NESTED:
            raise SourceError(
                f"{self._root} holds more than {_NESTED} repositories in it",
                hint="name a folder that holds fewer, or exclude them in .gitignore",
            )

    def _ls_files(self, folder: Path) -> list[str]:
        listing = ("ls-files", "--cached", "--others", "--exclude-standard", "-z")
        limits = self._limits
        try:
            answer = self._ask(folder, *listing, most_bytes=limits.names_bytes)
        except TooMuchOutputError as error:
            raise SourceError(f"{folder} holds names of more than {limits.names_bytes} bytes in all") from error
        if answer.returncode != 0:
            raise SourceError(f"git cannot list {folder}: {git.first_line(answer)}")
        if answer.stdout.count(b"\0") > limits.files:
            raise SourceError(f"{folder} holds more than {limits.files} files")
        return os.fsdecode(answer.stdout).split("\0")

    def _ask(self, folder: Path, *arguments: str, most_bytes: int = _ANSWER_BYTES) -> Completed:
        try:
            left_s = max(0.0, self._until - monotonic())
            return git.ask(folder, self._host, *arguments, most_bytes=most_bytes, timeout_s=left_s)
        except TooSlowError as error:
            raise SourceError(
                f"git did not list {self._root} within {_GIT_S} s; it was at {folder}",
                hint="git waits forever if a .gitignore or core.excludesFile is a named pipe: look for one",
            ) from error


def commit_time_s(commit: bytes) -> int | None:
    """Read the time of a commit in git's own form."""
    match = re.search(rb"^committer .* (\d{1,20}) [-+]\d{4}$", commit, re.MULTILINE)
    return int(match[1]) if match else None


class _Walk:
    """A folder without git, walked; `left_out` are the folders of earlier builds that it did not enter."""

    def __init__(self, root: Path, keep: tuple[str, ...]) -> None:
        self._root = root
        self._keep = keep
        self._is_sdist = (root / "PKG-INFO").is_file()
        self.left_out: list[str] = []

    def paths(self, folder: Path, deeper: int, siblings: frozenset[str] = frozenset()) -> Iterator[str]:
        """Yield every file below a folder except those of version control, environments, caches and earlier builds."""
        if self._is_no_source(folder):
            return
        if deeper < 0:
            raise SourceError(f"{self._root} has folders nested deeper than a source may have")
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise SourceError(f"{folder} cannot be read: {error.strerror}") from error
        names = frozenset(entry.name for entry in entries)
        if self._is_made(folder, names, siblings):
            return
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield from self.paths(path, deeper - 1, names)
            else:
                yield str(path.relative_to(self._root))

    def _is_no_source(self, folder: Path) -> bool:
        if self._is_kept(folder):
            return False
        is_named = folder.name in _JUNK or (folder.parent == self._root and folder.name in _JUNK_AT_TOP)
        return is_named or (folder / "pyvenv.cfg").is_file()  # a virtual environment

    def _is_made(self, folder: Path, names: frozenset[str], siblings: frozenset[str]) -> bool:
        if self._is_kept(folder):
            return False
        if is_made_folder(folder.name, names, siblings, in_sdist=self._is_sdist):
            self.left_out.append(f"{folder.relative_to(self._root)}/")
            return True
        return "CACHEDIR.TAG" in names  # mypy, pytest and others mark their caches

    def _is_kept(self, folder: Path) -> bool:
        return folder == self._root or leads_to_kept(folder.relative_to(self._root).as_posix(), self._keep)


def _contents(
    root: Path, chosen: Sorted, spool: Spool, names: Names, committed_s: int | None
) -> tuple[list[Extent], dict[str, str]]:
    extents: list[Extent] = []
    links: dict[str, str] = {}
    real: set[Path] = set()
    _refuse_large(root, chosen.kept, spool.limits.total_bytes)
    for path in chosen.kept:
        try:
            _refuse_linked_folder(root, (root / path).parent, real)
            if (root / path).is_symlink():
                links[path] = names.target(path, str((root / path).readlink()))
            else:
                extents.append(_extent(root, path, spool, committed_s, is_old=path in chosen.old))
        except OSError as error:
            raise SourceError(f"{root / path} cannot be read: {error.strerror}") from error
    return extents, links


def _refuse_large(root: Path, paths: Sequence[str], most_bytes: int) -> None:
    """Refuse a folder before it is read: copying gigabytes to learn that there are more takes minutes."""
    sizes = {path: _size_bytes(root / path) for path in paths}
    if sum(sizes.values()) > most_bytes:
        largest = max(sizes, key=lambda path: sizes[path])
        raise SourceError(
            f"{root} holds {sum(sizes.values())} bytes; at most {most_bytes} are read. "
            f"Its largest file, {largest}, has {sizes[largest]}",
            hint="exclude in .gitignore what is not source, or name a smaller folder",
        )


def _size_bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0  # why it cannot be read is told when it is


def _refuse_linked_folder(root: Path, folder: Path, real: set[Path]) -> None:
    """Refuse a file below a link: git's index may list one, and the link may lead anywhere."""
    if folder in real:
        return
    if Path(os.path.realpath(folder)) != Path(os.path.realpath(root)) / folder.relative_to(root):
        raise SourceError(f"{root} holds members below {folder.relative_to(root)}, which is not a folder")
    real.add(folder)


def _extent(root: Path, path: str, spool: Spool, committed_s: int | None, *, is_old: bool) -> Extent:
    with open_regular(root / path, follows_links=False) as stream:
        status = os.fstat(stream.fileno())
        offset, size_bytes = spool.add(iter(lambda: stream.read(_CHUNK_BYTES), b""), str(root))
    return Extent(
        offset=offset,
        file=TreeFile(
            path=path,
            executable=bool(status.st_mode & stat.S_IXUSR),
            mtime_s=clamp(status.st_mtime if committed_s is None else committed_s),
            size_bytes=size_bytes,
            old=is_old,
        ),
    )
