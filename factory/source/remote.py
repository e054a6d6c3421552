"""A commit of a repository elsewhere as a source tree: what git tracks there, submodules included.

Nothing is checked out. Contents are read as git keeps them: no filter, line-end conversion or export attribute of the
repository is applied, and what Git LFS keeps elsewhere stays a pointer.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Final, Literal

from factory.errors import SourceError, TooMuchOutputError
from factory.host import Host
from factory.process import Completed
from factory.recipe.model import GitSource
from factory.redaction import redact
from factory.source.folder import commit_time_s
from factory.source.git import Login, ask, ask_remote, contents, first_line, require, was_too_much
from factory.source.names import Names, resolve_links
from factory.source.roots import refuse_outside
from factory.source.submodules import is_same_server, submodule_url
from factory.source.tree import Extent, SourceLimits, Spool, Tree, TreeFile, clamp

_WHOLE: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHORT: Final = re.compile(r"[0-9a-f]{4,63}")
_DEEPEST: Final = 8  # submodules of submodules
_SUBMODULES: Final = 256  # of a source, at every depth together
_DEADLINE_S: Final = 3600  # for a source with all its submodules
_BESIDE_FILES_BYTES: Final = 1 << 20  # what a pack holds of trees and commits
_REFS_BYTES: Final = 16 << 20
_MODULES_BYTES: Final = 1 << 20
_ENTRY_BYTES: Final = 100  # of a line of ls-tree, beside the path


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The commit that a recipe's `rev` names now, and what kind of name it is."""

    commit: str
    kind: Literal["commit", "tag", "branch"]


def find_revision(ref: GitSource, host: Host, folder: Path) -> Revision:
    """Ask the repository which commit a tag or a branch names; a whole commit is returned as it is.

    Only tags, branches and the ref of that very name are listed: a large project has many other refs.

    Raises:
        SourceError: git is missing, the repository does not answer, has no such name, or a tag and a branch of it.
    """
    require(host, "a source from git")
    if _WHOLE.fullmatch(ref.rev):
        return Revision(commit=ref.rev, kind="commit")
    refuse_outside(ref.url, ref.root)
    wanted = ("refs/heads/*", "refs/tags/*", ref.rev)
    try:
        completed = ask_remote(
            folder, host, "ls-remote", "--quiet", "--", ref.url, *wanted, pack_bytes=0, most_bytes=_REFS_BYTES
        )
    except TooMuchOutputError as error:
        raise SourceError(
            f"{redact(ref.url)} has refs of more than {_REFS_BYTES} bytes", hint="write the commit itself as rev"
        ) from error
    if completed.returncode != 0:
        raise _unreachable(ref.url, completed)
    lines = (line.partition("\t") for line in completed.stdout.decode(errors="replace").splitlines())
    return _named(ref, {name: commit for commit, _, name in lines})


def _named(ref: GitSource, names: Mapping[str, str]) -> Revision:
    """Find a revision among a repository's refs: `refs/tags/x^{}` is the commit of the annotated tag x."""
    tag, branch = (_commit_of(f"{prefix}{ref.rev}", names) for prefix in ("refs/tags/", "refs/heads/"))
    exact = _commit_of(ref.rev, names) if ref.rev.startswith("refs/") else None
    if tag and branch and tag != branch:
        hint = f"write refs/tags/{ref.rev} or refs/heads/{ref.rev}"
        raise SourceError(f"{redact(ref.url)} has a tag and a branch {ref.rev}", hint=hint)
    if commit := exact or tag or branch:
        is_branch = not tag if not exact else ref.rev.startswith("refs/heads/")
        return Revision(commit=commit, kind="branch" if is_branch else "tag")
    short = _SHORT.fullmatch(ref.rev)
    hint = "write the whole commit: servers do not resolve abbreviated ones" if short else _near(ref.rev, names)
    raise SourceError(f"{redact(ref.url)} has no tag or branch {ref.rev}", hint=hint)


def _commit_of(name: str, names: Mapping[str, str]) -> str | None:
    return names.get(f"{name}^{{}}") or names.get(name)


def _near(rev: str, names: Mapping[str, str]) -> str:
    tags = [name.removeprefix("refs/tags/") for name in names if name.startswith("refs/tags/") and "^" not in name]
    alike = [tag for tag in tags if rev.lstrip("v") in tag] or tags[-3:]
    return f"it has {', '.join(alike[:5])}" if alike else "is the address right? it has no tags"


def fetch_tree(
    url: str, commit: str, host: Host, folder: Path, *, root: Path | None, limits: SourceLimits | None = None
) -> Tree:
    """Fetch a commit and the commits that it names as submodules; every file has the time of the first.

    `folder` is empty and the caller's own; repositories of this machine must lie below `root`, if there is one.

    Raises:
        SourceError: the repository does not answer, lacks the commit, or has files that a source cannot have.
    """
    limits = limits or SourceLimits()
    gathered = _Gathered(Spool(limits), redact(url))
    repository = _Repository(url=url, commit=commit, host=host, folder=folder, limits=limits, root=root)
    epoch_s = gathered.take(repository, "")
    if not gathered.extents:
        raise SourceError(f"{redact(url)} holds no files at {commit}")
    files = resolve_links(gathered.extents, gathered.links, gathered.names)
    return Tree.of(gathered.spool, (_at(extent, epoch_s) for extent in files), epoch_s=epoch_s)


def _at(extent: Extent, mtime_s: int) -> Extent:
    return replace(extent, file=replace(extent.file, mtime_s=clamp(mtime_s)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One line of `git ls-tree`; the size of what is no blob is 0."""

    mode: str
    blob: str
    size_bytes: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Repository:
    """A bare repository of our own with one commit of another's; `depth` counts the repositories that led to it.

    `has_login` says whether this user's credentials may be used: they are for the server of the repository that the
    recipe names, and a submodule elsewhere is fetched without them.
    """

    url: str
    commit: str
    host: Host
    folder: Path
    limits: SourceLimits
    root: Path | None
    depth: int = 0
    has_login: bool = True

    def fetch(self) -> None:
        """Fetch the commit alone; from a server that gives no single commits, every branch and tag.

        The pack may be as large as the files may, and a little more: a server that never stops is cut off.
        """
        refuse_outside(self.url, self.root)
        form = "sha256" if len(self.commit) == 64 else "sha1"  # noqa: PLR2004 -- hexadecimal digits of a SHA-256
        self._ask("init", "--quiet", "--bare", "--template=", f"--object-format={form}", ".")
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head")
        single = self._ask_remote(*fetch, "--depth=1", "--", self.url, self.commit)
        if single.returncode == 0:
            return
        refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        all_refs = self._ask_remote(*fetch, "--", self.url, *refs)
        if all_refs.returncode != 0:
            raise _unreachable(self.url, all_refs)
        if ask(self.folder, self.host, "cat-file", "-e", f"{self.commit}^{{commit}}").returncode != 0:
            raise SourceError(f"{redact(self.url)} has no commit {self.commit}", hint="is it on a branch or a tag?")

    def time_s(self) -> int:
        """Return the time of the commit."""
        time_s = commit_time_s(self._ask("cat-file", "commit", f"{self.commit}^{{commit}}"))
        if time_s is None:
            raise SourceError(f"the commit {self.commit} of {redact(self.url)} has no committer date")
        return time_s

    def entries(self, most: int) -> Iterator[_Entry]:
        """Yield every file, link and submodule, at most `most` of them.

        A tree that contains the same tree several times, and so on, has an endless listing: git is ended at a limit.
        """
        most_bytes = self.limits.names_bytes + most * _ENTRY_BYTES
        try:
            listing = self._ask("ls-tree", "-r", "-z", "-l", "--full-tree", self.commit, most_bytes=most_bytes)
        except TooMuchOutputError as error:
            raise self._too_many(most) from error
        if listing.count(b"\0") > most:
            raise self._too_many(most)
        for line in listing.split(b"\0")[:-1]:
            head, _, path = line.partition(b"\t")
            mode, _, blob, size = head.decode().split()
            size_bytes = int(size) if size.isdigit() else 0
            yield _Entry(mode=mode, blob=blob, size_bytes=size_bytes, path=path.decode(errors="surrogateescape"))

    def _too_many(self, most: int) -> SourceError:
        return SourceError(
            f"{redact(self.url)} holds more than {most} files, or names of more than {self.limits.names_bytes} bytes"
        )

    def packed_bytes(self) -> int:
        """Return the size of the repository on this disk."""
        return sum(path.stat().st_size for path in (self.folder / "objects").rglob("*") if path.is_file())

    def contents(self, entries: list[_Entry]) -> Iterator[Iterator[bytes]]:
        """Yield each blob's bytes in pieces, in order; each must be read to its end before the next."""
        blobs = [entry.blob for entry in entries]
        return contents(self.folder, self.host, blobs, [entry.size_bytes for entry in entries])

    def submodule(self, entry: _Entry, urls: Mapping[str, str], folder: Path) -> "_Repository":
        """Return the repository of a submodule, at the commit that this one names."""
        named = urls.get(entry.path)
        if named is None:
            raise SourceError(f"{redact(self.url)}: the submodule {entry.path!a} has no address in .gitmodules")
        if self.depth == _DEEPEST:
            raise SourceError(f"{redact(self.url)}: submodules nest deeper than {_DEEPEST}")
        url = submodule_url(self.url, named)
        has_login = self.has_login and is_same_server(self.url, url)
        return replace(self, url=url, commit=entry.blob, folder=folder, depth=self.depth + 1, has_login=has_login)

    def submodule_urls(self) -> Mapping[str, str]:
        """Return the address of each submodule by its path; the file is read as data, and its includes are ignored."""
        source = f"--blob={self.commit}:.gitmodules"
        config = ("config", "--no-includes", source, "--null", "--list")
        try:
            completed = ask(self.folder, self.host, *config, most_bytes=_MODULES_BYTES)
        except TooMuchOutputError as error:
            raise SourceError(f"{redact(self.url)} has a .gitmodules of more than {_MODULES_BYTES} bytes") from error
        values = dict(
            pair.split("\n", 1)
            for pair in completed.stdout.decode(errors="surrogateescape").split("\0")
            if "\n" in pair
        )
        paths = {name.removesuffix(".path"): path for name, path in values.items() if name.endswith(".path")}
        return {path: values[f"{name}.url"] for name, path in paths.items() if f"{name}.url" in values}

    def _ask_remote(self, *arguments: str) -> Completed:
        """Ask the server: as this user for what the recipe names, for a submodule without a login if that is enough.

        A server that a submodule shares with its parent could redirect git, and this user's login, to another one.
        """
        if self.depth == 0:
            return self._ask_as("user", *arguments)
        completed = self._ask_as("none", *arguments)
        return (
            completed if completed.returncode == 0 or not self.has_login else self._ask_as("no redirects", *arguments)
        )

    def _ask_as(self, login: Login, *arguments: str) -> Completed:
        pack_bytes = self.limits.total_bytes + _BESIDE_FILES_BYTES
        completed = ask_remote(self.folder, self.host, *arguments, pack_bytes=pack_bytes, login=login)
        if was_too_much(completed):
            raise SourceError(f"{redact(self.url)} sends more than {pack_bytes} bytes")
        return completed

    def _ask(self, *arguments: str, most_bytes: int = _MODULES_BYTES) -> bytes:
        completed = ask(self.folder, self.host, *arguments, most_bytes=most_bytes)
        if completed.returncode != 0:
            raise SourceError(f"git cannot read {redact(self.url)}: {first_line(completed)}")
        return completed.stdout


class _Gathered:
    """The files and links of a repository and its submodules, with checked names."""

    def __init__(self, spool: Spool, subject: str) -> None:
        self.spool = spool
        self.subject = subject
        self.names = Names(subject, spool.limits)
        self.extents: list[Extent] = []
        self.links: dict[str, str] = {}
        self._until = monotonic() + _DEADLINE_S
        self._submodules = 0

    def take(self, repository: _Repository, prefix: str) -> int:
        """Gather what a repository holds, below a prefix of the tree; return the time of its commit."""
        repository.fetch()
        entries = list(repository.entries(self.spool.limits.files - len(self.extents) - len(self.links)))
        self._refuse_bomb(entries, repository.packed_bytes())
        blobs = [entry for entry in entries if entry.mode != "160000"]
        for entry, pieces in zip(blobs, repository.contents(blobs), strict=True):
            self._add(entry, pieces, prefix)
        urls = repository.submodule_urls() if len(blobs) < len(entries) else {}
        for entry in entries:
            if entry.mode == "160000":
                self._refuse_many()
                with tempfile.TemporaryDirectory(dir=repository.folder) as folder:
                    self.take(repository.submodule(entry, urls, Path(folder)), f"{prefix}{entry.path}/")
        return repository.time_s()

    def _refuse_bomb(self, entries: list[_Entry], packed_bytes: int) -> None:
        """Refuse a tree whose listing already shows that it is too large."""
        limits = self.spool.limits.for_archive(packed_bytes)
        if self.spool.size_bytes + sum(entry.size_bytes for entry in entries) > limits.total_bytes:
            raise SourceError(f"{self.subject} holds more than {limits.total_bytes} bytes")

    def _refuse_many(self) -> None:
        self._submodules += 1
        if self._submodules > _SUBMODULES:
            raise SourceError(f"{self.subject} has more than {_SUBMODULES} submodules")
        if monotonic() > self._until:  # Checked between submodules; each fetch has a limit of its own.
            raise SourceError(f"{self.subject} and its submodules had not arrived after {_DEADLINE_S} s")

    def _add(self, entry: _Entry, pieces: Iterator[bytes], prefix: str) -> None:
        path = self.names.path(prefix + entry.path)
        if entry.mode == "120000":
            self.links[path] = self.names.target(path, b"".join(pieces).decode(errors="backslashreplace"))
            return
        offset, size_bytes = self.spool.add(pieces, self.subject)
        file = TreeFile(path=path, executable=entry.mode == "100755", mtime_s=0, size_bytes=size_bytes)
        self.extents.append(Extent(offset=offset, file=file))


def _unreachable(url: str, completed: Completed) -> SourceError:
    return SourceError(
        f"git cannot fetch from {redact(url)}: {redact(first_line(completed))}",
        hint="is the address right, the network up, and may this user read it? git cannot ask for a password here",
    )
