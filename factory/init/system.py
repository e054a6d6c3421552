"""System packages by the package managers that the images have: read, or guessed by their distribution's index."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, TypeAlias

from factory.catalogue import LISTED_UNDER
from factory.diagnoses.missing import Missing
from factory.diagnoses.owners import BROUGHT, Holder, debian_names, is_nobodys, usable
from factory.errors import SourceError
from factory.image_facts import ImageFacts
from factory.init.model import Carried, Entry, Left, Value, shown
from factory.init.wishes.wish import Wish

_SYSTEM = ("build", "system")
_APT = (*_SYSTEM, "apt")
_COMPILERS = ("CC", "CXX", "LD", "AR", "NM", "RANLIB", "FC")
_PYTHON = re.compile(r"libpython[0-9.]+-dev")


class PackageIndex(Protocol):
    """The index of the files of an image's distribution; `held` are packages that the image has already."""

    @property
    def suite(self) -> str:
        """The distribution's name for it."""
        ...

    @property
    def arch(self) -> str:
        """The image's architecture."""
        ...

    @property
    def held(self) -> frozenset[str]:
        """Packages of the build image."""
        ...

    def find(self, paths: Collection[str], names: Collection[str]) -> Mapping[str, tuple[Holder, ...]]:
        """Return who holds each path, and each name that is a package's by itself.

        Raises:
            SourceError: the index cannot be read.
        """
        ...


IndexOf: TypeAlias = Callable[[ImageFacts], PackageIndex | None]
"""Returns the index of an image's distribution, if it is known."""


def no_index(_: ImageFacts) -> None:
    """Know the index of no image: no system package is guessed."""


@dataclass(frozen=True, slots=True)
class _Question:
    """Something whose package is asked for: in which paths it lies, what the package may be called, who asks."""

    words: str
    where: str
    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    any_folder: tuple[str, ...] = ()


def guessed(carried: Iterable[Carried], wished: Iterable[Wish], index: PackageIndex) -> Iterator[Carried]:
    """Pass everything on, then yield the packages that a build will probably miss, as the index answers."""
    everything = tuple(carried)
    yield from everything
    listed = frozenset(name for item in everything for name in _apt_names(item))
    questions = [*_of_wishes(wished, index.arch), *_of_entries(everything, index.arch)]
    try:
        answer = _answer(questions, index) if questions else {}
    except SourceError as error:
        yield Left(what="build.system", why=f"packages could not be looked up: {error.message}")
        return
    yield from _guesses(questions, answer, listed, index)


def _answer(questions: Sequence[_Question], index: PackageIndex) -> Mapping[str, tuple[str, ...]]:
    paths = {path for question in questions for path in (*question.paths, *question.any_folder)}
    found = index.find(paths, {name for question in questions for name in question.names})
    return {key: tuple(holder.package for holder in holders) for key, holders in found.items()}


def _guesses(
    questions: Sequence[_Question], answer: Mapping[str, tuple[str, ...]], listed: frozenset[str], index: PackageIndex
) -> Iterator[Carried]:
    reasons: dict[str, str] = {}
    together = _together(questions, answer)
    for question in questions:
        packages = _packages(question, answer, together)
        everywhere = {*packages, *_anywhere(question, answer)}
        if not packages:
            yield from _unanswered(question, index)
        elif not _is_met(packages, everywhere, index.held | listed | reasons.keys()):
            reasons[packages[0]] = f"{packages[0]} for {question.words} ({question.where})"
    if reasons:
        why = f"a guess by the index of {index.suite}: {', '.join(reasons.values())}"
        yield Entry(field=_APT, value=tuple(reasons), why=why)


def _is_met(packages: Collection[str], everywhere: Collection[str], there: Collection[str]) -> bool:
    """Tell whether something is in the image, or in a package that is chosen already, in whichever folder."""
    brought = any(map(BROUGHT.fullmatch, packages)) or any(map(_PYTHON.fullmatch, everywhere))
    return brought or not set(there).isdisjoint(everywhere)


def _packages(
    question: _Question, answer: Mapping[str, tuple[str, ...]], together: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the packages of the first place that any has, those first that have most of what the same file asks for.

    Of two flavours of one library the last by name comes first.
    """
    places = [answer.get(place, ()) for place in (*question.paths, *question.names)]
    if brought := [name for name in chain.from_iterable(places) if BROUGHT.fullmatch(name)]:
        return tuple(brought)
    exact = next(filter(None, map(usable, places)), ())
    held = _anywhere(question, answer)
    common = tuple(name for name in together.get(question.where, ()) if name in held)
    both = (name for name in exact if name in common)
    return tuple(dict.fromkeys((*both, *common, *exact)))


def _anywhere(question: _Question, answer: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(chain.from_iterable(answer.get(path, ()) for path in question.any_folder))


def _together(questions: Sequence[_Question], answer: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Return, for each source, the packages that hold two or more of its headers in any folder, the fullest first.

    `errmsg.h` alone could be anybody's; beside `mysql.h` it is MySQL's.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for question in questions:
        if question.any_folder:
            holders = {name for name in _anywhere(question, answer) if not is_nobodys(name)}
            counts[question.where].update(sorted(holders))
    return {
        where: tuple(name for name, count in counter.most_common() if count > 1) for where, counter in counts.items()
    }


def _unanswered(question: _Question, index: PackageIndex) -> Iterator[Carried]:
    if question.words.endswith(".pc") or question.names:
        yield Left(what=f"{question.words} ({question.where})", why=f"no package of {index.suite} is known to have it")


def _of_wishes(wished: Iterable[Wish], arch: str) -> Iterator[_Question]:
    for wish in wished:
        missing = wish.missing
        yield _Question(missing.words, wish.where, paths=missing.paths(arch), any_folder=missing.any_folder)


def _of_entries(carried: Iterable[Carried], arch: str) -> Iterator[_Question]:
    """Ask for compilers that build.env names, and for Debian's names of packages of other managers."""
    for item in carried:
        if not isinstance(item, Entry):
            continue
        if item.field[:2] == ("build", "env") and item.field[-1] in _COMPILERS and isinstance(item.value, str):
            program = item.value.split()[:1]
            if program and re.fullmatch(r"[\w.+-]+", program[0]):
                yield _Question(program[0], item.why, paths=(f"usr/bin/{program[0]}",), names=(program[0],))
        elif item.field[:2] == _SYSTEM and item.field[-1] in ("dnf", "apk"):
            yield from (_elsewhere(name, item.field[-1], item.why, arch) for name in _texts(item.value))


def _elsewhere(name: str, manager: str, where: str, arch: str) -> _Question:
    """Ask for a package of another distribution: by the list of names, by its pkg-config name, by Debian's habits."""
    stem = re.sub(r"-(?:devel|dev)$", "", name).removesuffix("-static")
    bare = stem.removeprefix("lib")
    listed = debian_names(name, manager)
    if stem == name:
        return _Question(name, where, paths=Missing("program", name).paths(arch), names=(*listed, name))
    modules = (Missing("pkg-config", module) for module in dict.fromkeys((stem, bare, f"lib{bare}")))
    paths = tuple(chain.from_iterable(module.paths(arch) for module in modules))
    return _Question(name, where, paths=paths, names=(*listed, f"{stem}-dev", f"lib{bare}-dev"))


def _apt_names(item: Carried) -> tuple[str, ...]:
    return _texts(item.value) if isinstance(item, Entry) and item.field == _APT else ()


def _texts(value: Value) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def managers_of(images: Sequence[ImageFacts], families: Sequence[str]) -> frozenset[str]:
    """Return the recipe's names of the package managers that build images of these families have."""
    named = (image.packages for image in images if image.role == "build" and image.family in families[:1])
    return frozenset(LISTED_UNDER[manager] for manager in named if manager is not None)


def for_managers(carried: Iterable[Carried], managers: frozenset[str]) -> Iterator[Carried]:
    """Pass everything on, but lists of packages only where every manager of the images has one: a plan needs each."""
    everything = tuple(carried)
    listed = {item.field[2] for item in everything if isinstance(item, Entry) and item.field[:2] == _SYSTEM}
    missing = sorted(managers - listed)
    for item in everything:
        if not missing or not isinstance(item, Entry) or item.field[:2] != _SYSTEM:
            yield item
        else:
            lines = ", ".join(f"{manager}: […]" for manager in missing)
            why = f"the images here have {', '.join(missing)}: write build: {{system: {{{lines}}}}} with its names"
            yield Left(what=f"{item.dotted}: {shown(item.value)} ({item.why})", why=why)
