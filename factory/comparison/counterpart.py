"""Choose, by file names alone, the wheel that one is compared with."""

from collections.abc import Iterable

from packaging.tags import Tag

from factory.recipe.lifetimes import LIFETIMES
from factory.tags import Interpreter, PlatformTag, claims
from factory.untrusted import UntrustedTextError, parse_wheel_name

_ANY = "any"
_NEWEST = LIFETIMES[-1].minor


def counterpart(filename: str, others: Iterable[str]) -> str | None:
    """Return the nearest wheel: for the same machine and libc, then for the same interpreter or its neighbour.

    A wheel for any platform is compared with one for some platform where there is no other: that shows a build that
    fell back to pure Python, too. None where nothing is for the same platform; names that cannot be read are left out.

    Raises:
        UntrustedTextError: `filename` is not a wheel's.
    """
    _, _, _, tags = parse_wheel_name(filename)
    ranked = [(rank, other) for other in others if (rank := _rank(tags, other)) is not None]
    return min(ranked, default=(None, None))[1]


def _rank(tags: frozenset[Tag], other: str) -> tuple[int, int, int] | None:
    """Rank another wheel, the nearest lowest; None where it is for other platforms."""
    try:
        _, _, build, others = parse_wheel_name(other)
    except UntrustedTextError:
        return None
    mine, theirs = _families(tags), _families(others)
    if mine & theirs:
        apart = 0
    elif _ANY in mine | theirs:
        apart = 1
    else:
        return None
    return apart, _distance(tags, others), -(build[0] if build else 0)


def _families(tags: Iterable[Tag]) -> frozenset[str]:
    """Name what a wheel is for without the version of a libc: `glibc x86_64`, `win_amd64`, `any`."""
    return frozenset(_family(tag.platform) for tag in tags)


def _family(text: str) -> str:
    try:
        platform = PlatformTag.parse(text)
    except ValueError:
        return f"glibc {text.removeprefix('linux_')}" if text.startswith("linux_") else text
    return f"{platform.libc} {platform.arch}"


def _distance(mine: frozenset[Tag], theirs: frozenset[Tag]) -> int:
    """Count how far two wheels' interpreters are apart: 0 for the same tags, 1 where theirs serves mine."""
    if _pairs(mine) == _pairs(theirs):
        return 0
    own, other = _oldest(mine), _oldest(theirs)
    if claims(theirs, own):
        return 1
    return 2 + abs(own.minor - other.minor) + 100 * (own.free_threaded != other.free_threaded)


def _pairs(tags: Iterable[Tag]) -> frozenset[tuple[str, str]]:
    return frozenset((tag.interpreter, tag.abi) for tag in tags)


def _oldest(tags: Iterable[Tag]) -> Interpreter:
    """Return the oldest interpreter that the tags name; the newest one where they name none."""
    named = [interpreter for tag in tags if (interpreter := _interpreter(tag)) is not None]
    return min(named, default=Interpreter(_NEWEST))


def _interpreter(tag: Tag) -> Interpreter | None:
    try:
        interpreter = Interpreter.parse(tag.interpreter)
    except ValueError:
        return None
    return Interpreter(
        interpreter.minor,
        free_threaded=tag.abi == f"{tag.interpreter}t",
        implementation=interpreter.implementation,
    )
