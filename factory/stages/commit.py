"""Fetch a git revision: pin it to a commit, and pack the commit's tree as an sdist."""

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from factory.memory import ABSENT, ASKS_THE_WORLD, Stage
from factory.recipe.model import GitSource
from factory.sessions.sources import Fetched, SourceServices
from factory.source.pack import pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The commit that a revision named when the repository was asked."""

    commit: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PinRevision(Stage[Pinned]):
    """Which commit a branch or a tag names; asked again with `--update`."""

    NAME, VERSION, REDONE_BY = "source", 3, ASKS_THE_WORLD

    git: str
    rev: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackCommit(Stage[Fetched]):
    """A commit's tree. `root` is set for a local repository alone, whose submodules may lie anywhere in that folder."""

    NAME, VERSION = "commit", 2

    git: str
    commit: str
    root: str | None = field(default=None, metadata={ABSENT: True})


def fetch_commit(ref: GitSource, services: SourceServices) -> Fetched:
    """Return the tree of the commit that a revision names.

    Raises:
        SourceError: the repository cannot be read, or has no such revision.
    """
    from factory.source import remote  # noqa: PLC0415 -- most recipes have no git source

    memory, host = services.memory, services.host

    def pin() -> Pinned:
        with memory.store.temp_folder() as folder:
            revision = remote.find_revision(ref, host, folder)
        note = f"{ref.rev} is a branch, at {revision.commit} until --update" if revision.kind == "branch" else ""
        return Pinned(commit=revision.commit, notes=(note,) if note else ())

    pinned = memory.surely(PinRevision(git=ref.url, rev=ref.rev), pin)

    def fetch() -> Fetched:
        services.say(f"fetching {ref.rev} ({pinned.commit[:12]})")
        with memory.store.temp_folder() as folder, memory.store.temp_folder() as packed:
            tree = remote.fetch_tree(ref.url, pinned.commit, host, folder, root=ref.root)
            path = packed / f"{pinned.commit[:12]}.tar.gz"
            pack(tree, path, path.name.removesuffix(".tar.gz"))
            return Fetched(file=memory.store.put_file(path), notes=pinned.notes)

    root = str(ref.root) if urlsplit(ref.url).scheme == "file" else None
    fetched = memory.surely(PackCommit(git=ref.url, commit=pinned.commit, root=root), fetch)
    # What was packed for one branch may be remembered for another, whose note differs.
    return replace(fetched, notes=pinned.notes)
