"""Which builds cibuildwheel's selectors choose on Linux, as interpreters and platforms."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import bracex

from factory.errors import SourceError
from factory.init.cibuildwheel import Settings
from factory.recipe.lifetimes import LIFETIMES
from factory.tags import Interpreter

_EXPERIMENT = Interpreter(13, free_threaded=True)  # only where it is enabled or named; cibuildwheel 4 no longer has it
_OLDEST, _NEWEST = LIFETIMES[0].minor, LIFETIMES[-1].minor
_PYPYS = (9, 10, 11, 12)
_AUTO = ("auto", "auto64", "native")
_ALIASES = {"all": ("x86_64", "i686", "aarch64", "ppc64le", "s390x", "armv7l", "riscv64"), "auto32": ("i686",)}
_MOST_PATTERNS = 1000

NATIVE = "x86_64"


def known() -> tuple[Interpreter, ...]:
    """Return every interpreter that a selector could mean."""
    gil = [Interpreter(minor) for minor in range(_OLDEST, _NEWEST + 1)]
    free = [Interpreter(minor, free_threaded=True) for minor in range(_EXPERIMENT.minor, _NEWEST + 1)]
    return tuple(sorted([*gil, *free, *(Interpreter(minor, implementation="pp") for minor in _PYPYS)]))


def architectures(settings: Settings) -> tuple[str, ...]:
    """Return the architectures of `archs`; `auto` is the machine's own."""
    chosen: dict[str, None] = {}
    for word in (part for item in settings.words("archs") or ("auto",) for part in item.split()):
        chosen |= dict.fromkeys((NATIVE,) if word in _AUTO else _ALIASES.get(word, (word,)))
    return tuple(chosen)


def chosen(settings: Settings, interpreter: Interpreter, target: str) -> bool:
    """Tell whether cibuildwheel builds for an interpreter on a target such as `manylinux_x86_64`.

    PyPy has to be enabled, and 3.13t be enabled or named.

    Raises:
        ValueError: a selector cannot be read.
    """
    enabled = set(settings.words("enable"))
    if interpreter.implementation == "pp" and not {"pypy", "pypy-eol", "all"} & enabled:
        return False
    if interpreter == _EXPERIMENT and "cpython-freethreading" not in enabled:
        return any("313t" in word for word in settings.words("build")) and matches(
            settings.words("build"), f"cp313t-{target}"
        )
    identifier = f"{interpreter}-{target}"
    return matches(settings.words("build") or ("*",), identifier) and not matches(settings.words("skip"), identifier)


def refuse_unreadable(settings: Settings) -> None:
    """Refuse selectors whose braces stand for too much.

    Raises:
        SourceError: there are such selectors.
    """
    try:
        for option in ("build", "skip", "test-skip"):
            matches(settings.words(option), "")
    except ValueError as error:
        raise SourceError(
            f"{settings.place}: {error}", hint="choose interpreters and platforms in the recipe"
        ) from error


def matches(patterns: Iterable[str], identifier: str) -> bool:
    """Tell whether a glob with shell-like braces matches a build identifier.

    Raises:
        ValueError: the braces stand for too many patterns.
    """
    return any(fnmatchcase(identifier, pattern) for pattern in _expanded(patterns))


def _expanded(patterns: Iterable[str]) -> Iterator[str]:
    for pattern in (part for item in patterns for part in item.split()):
        try:
            yield from bracex.iexpand(pattern, limit=_MOST_PATTERNS)
        except bracex.ExpansionLimitException as error:
            raise ValueError(f"{pattern!r} stands for more than {_MOST_PATTERNS} patterns") from error
