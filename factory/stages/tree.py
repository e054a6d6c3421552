"""A source's tree and its project as remembered facts, so that nothing is unpacked or parsed that nobody needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from factory.audit.identity import code_identity
from factory.digest import Artifact, Digest
from factory.memory import Memory, Stage
from factory.project.model import Project
from factory.project.read import read_project
from factory.project.rust import Choices
from factory.source.tree import Tree

ROOMS: Final = (
    *("archive", "catalogue", "excerpt", "lfs", "machines", "markers", "project", "source", "tables", "tags"),
    "untrusted",
)
"""Packages and modules below `factory` whose code decides what is read of a source; a test compares them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFacts:
    """What is known of a tree without its files; `notes` are what users should know about its content."""

    digest: Digest
    epoch_s: int
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTree(Stage[TreeFacts]):
    """An archive of the store, what a recipe keeps and patches of it, and the code that reads it."""

    NAME, VERSION, IS_MATERIAL = "tree", 1, False

    name: str
    sha256: Digest
    keep: tuple[str, ...]
    patches: tuple[Digest, ...]
    code: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProject(Stage[Project]):
    """A project in a tree or a folder of it, as these choices would build it, and the code that reads it."""

    NAME, VERSION, IS_MATERIAL = "project", 1, False

    source: Digest
    subdir: str
    choices: Choices
    code: Digest


def remembered_tree(
    memory: Memory,
    file: Artifact,
    keep: tuple[str, ...],
    patches: tuple[Digest, ...],
    read: Callable[[], tuple[Tree, tuple[str, ...]]],
) -> tuple[Tree, tuple[str, ...]]:
    """Return the tree of an archive and its notes; `read` is called where they are not known, or a file is needed.

    Raises:
        SourceError: the archive cannot be read as a source.
    """
    here: list[Tree] = []

    def facts() -> TreeFacts:
        tree, notes = read()
        here.append(tree)
        return TreeFacts(digest=tree.digest, epoch_s=tree.epoch_s, left_out=tree.left_out, notes=notes)

    stage = ReadTree(name=file.filename, sha256=file.digest, keep=keep, patches=patches, code=code_identity(ROOMS))
    known = memory.surely(stage, facts)
    if here:
        return here[0], known.notes
    tree = Tree.known(known.digest, epoch_s=known.epoch_s, left_out=known.left_out, read=lambda: read()[0])
    return tree, known.notes


def project_of(memory: Memory, tree: Tree, subdir: str = "", choices: Choices | None = None) -> Project:
    """Return what a tree says of the project in it, or in a folder of it.

    Raises:
        SourceError: there is no project, or what it says cannot be read.
    """
    chosen = choices or Choices()
    stage = ReadProject(source=tree.digest, subdir=subdir, choices=chosen, code=code_identity(ROOMS))
    return memory.surely(stage, lambda: read_project(tree, subdir, choices=chosen))
