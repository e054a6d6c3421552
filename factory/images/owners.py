"""Which packages of an image's own distribution have what a build lacks, by the index of its files."""

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

from factory.catalogue import LISTED_UNDER
from factory.diagnoses.missing import Missing
from factory.diagnoses.owners import Answer, Holder, listed, usable
from factory.errors import SourceError
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.contents import Contents, contents_of
from factory.memory import Memory

_MOST_OFFERED = 4

OwnersOf: TypeAlias = Callable[[Missing, ImageFacts, Collection[str]], Answer]
"""Says which packages of an image's distribution have something; last, what a recipe has added to the image."""


def by_lists(missing: Missing, image: ImageFacts, installed: Collection[str]) -> Answer:  # noqa: ARG001 -- an OwnersOf
    """Answer by the factory's own lists alone."""
    return listed(missing, LISTED_UNDER[image.packages or "apt"])


@dataclass(slots=True, kw_only=True)
class Owners:
    """The answers for one run: cells that lack the same thing share one reading of an index."""

    host: Host
    memory: Memory
    _holders: dict[tuple[str, str, Missing], tuple[Holder, ...] | SourceError] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ask(self, missing: Missing, image: ImageFacts, installed: Collection[str]) -> Answer:
        """Say which packages have something; `installed` are those that a recipe has added to the image.

        Where the image's own index cannot be read, the factory's lists answer, and the answer says why.
        """
        if image.packages is None:
            return listed(missing, doubt=f"{image.name} has no package manager")
        if image.packages != "apt":
            return listed(missing, LISTED_UNDER[image.packages])
        contents = contents_of(image, self.host, self.memory)
        if contents is None:
            return listed(missing, doubt=f"which release of its distribution {image.name} is made of is not known")
        holders = self._held_by(contents, missing)
        if isinstance(holders, SourceError):
            return listed(missing, doubt=f"the index of {contents.suite} was not read: {holders.message}")
        return answer_of(missing, holders, contents, installed)

    def _held_by(self, contents: Contents, missing: Missing) -> tuple[Holder, ...] | SourceError:
        with self._lock:
            key = (contents.suite, contents.arch, missing)
            if key not in self._holders:
                self._holders[key] = _read(contents, missing)
            return self._holders[key]


def _read(contents: Contents, missing: Missing) -> tuple[Holder, ...] | SourceError:
    """Return who has something: in the first of its usual places where anybody has it, else in any folder."""
    paths = (*missing.paths(contents.arch), *missing.any_folder)
    try:
        found = contents.find(paths, ())
    except SourceError as error:
        return error
    return next((found[path] for path in paths if _has_usable(found, path)), ())


def _has_usable(found: Mapping[str, Sequence[Holder]], path: str) -> bool:
    return bool(usable(holder.package for holder in found.get(path, ())))


def answer_of(missing: Missing, holders: Sequence[Holder], contents: Contents, installed: Collection[str]) -> Answer:
    """Choose among the packages that have something: the image's own, those in few folders, those named like it."""
    there = {*installed, *contents.held}
    paths = {holder.package: holder.path for holder in sorted(holders, key=_depth, reverse=True)}
    names = sorted(
        usable(paths), key=lambda name: (name not in there, paths[name].count("/"), not _is_named(name, missing))
    )
    if not names:
        return Answer(manager="apt", suite=contents.suite)
    return Answer(
        manager="apt",
        packages=tuple(names[:_MOST_OFFERED]),
        suite=contents.suite,
        folder=_unsearched(missing, paths[names[0]], contents.arch),
        is_installed=names[0] in there,
    )


def _depth(holder: Holder) -> int:
    return holder.path.count("/")


def _is_named(package: str, missing: Missing) -> bool:
    stem = posixpath.basename(missing.name).partition(".")[0].lower().removeprefix("lib")
    return stem in package


def _unsearched(missing: Missing, path: str, arch: str) -> str:
    """Return the folder of headers below which a header lies, "" where compilers look there."""
    if missing.kind != "header" or path in missing.paths(arch):
        return ""
    return f"/{path.removesuffix(missing.name).rstrip('/')}"
