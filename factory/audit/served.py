"""The tags that installers look for, by what `packaging` yields for each interpreter."""

import re
from collections.abc import Iterator

from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags

_PYTHON = re.compile(r"(?P<kind>cp|pp|py)(?P<major>[23])(?P<minor>[0-9]{0,3})")
_PYPY = re.compile(r"pypy[23][0-9]*_pp[0-9]+")
_OTHERS = re.compile(r"(?:graalpy|ip|jy)[0-9]+")
_FREE_THREADED_SINCE = (3, 13)  # PEP 703
_FLAGGED_UNTIL = (3, 7)  # 3.8 dropped the flag m; builds with wide characters ended with 3.3


def is_served(tag: Tag) -> bool:
    """Whether some interpreter's installer asks for a tag, on a system of its platform."""
    match = _PYTHON.fullmatch(tag.interpreter)
    if match is None:
        return _OTHERS.fullmatch(tag.interpreter) is not None
    version = (int(match["major"]), int(match["minor"])) if match["minor"] else (int(match["major"]),)
    return tag in set(_asked_for(tag, match["kind"], version))


def _asked_for(tag: Tag, kind: str, version: tuple[int, ...]) -> Iterator[Tag]:
    """Yield what the interpreter that the tag names asks for on the tag's platform."""
    platforms = [tag.platform]
    interpreter = f"pp{version[0]}" if kind == "pp" else tag.interpreter if kind == "cp" else None
    yield from compatible_tags(version, interpreter=interpreter, platforms=platforms)
    if tag.platform == "any" or kind == "py":
        return
    if kind == "pp":
        yield from generic_tags(tag.interpreter, [tag.abi] if _PYPY.fullmatch(tag.abi) else [], platforms)
        return
    for abis in _abis(tag.interpreter, version):
        yield from cpython_tags(version, abis, platforms)


def _abis(interpreter: str, version: tuple[int, ...]) -> Iterator[list[str]]:
    """Yield the ABIs of an interpreter's builds, those without the GIL apart."""
    flags = ("", "d", "m", "dm", "mu", "dmu", "u") if version <= _FLAGGED_UNTIL else ("", "d")
    yield [interpreter + flag for flag in flags]
    if version >= _FREE_THREADED_SINCE:
        yield [interpreter + flag for flag in ("t", "td")]
