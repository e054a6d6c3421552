"""The tags that the wheel carries: file name, WHEEL file and expectation must say one thing."""

from collections.abc import Iterable, Iterator

from packaging.tags import Tag

from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.platforms import claimed
from factory.audit.rules import finding
from factory.excerpt import listed
from factory.tags import PlatformTag
from factory.wheel import Wheel


def check_tags(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Hold the file name's tags against the WHEEL file, the expectation and what an index takes."""
    found = [*_mismatch(wheel), *_unexpected(wheel, expectation), *_ceiling(wheel, expectation)]
    if expectation.stage == "repaired":
        found.extend(_unknown(wheel))
    return Ruling(check="tags", findings=tuple(found))


def _mismatch(wheel: Wheel) -> Iterator[Finding]:
    if wheel.name is None or wheel.wheel_text is None:
        return
    named, written = _texts(wheel.tags), _texts(wheel.wheel_text.tags)
    if named != written or wheel.wheel_text.bad_tags:
        message = f"the file name says {_listed(named)}; its WHEEL file says {_listed(written)}"
        yield finding("tag-mismatch", wheel.filename, message, wheel.wheel_text.bad_tags)


def _unexpected(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    """Compare platforms by what they mean, so that an alias is no difference; before the repair not at all."""
    if expectation.tags is None or wheel.name is None:
        return
    built = expectation.stage == "built"
    found, wanted = _canonical(wheel.tags, built), _canonical(expectation.tags, built)
    if found != wanted:
        message = f"carries {_listed(found)}; {_listed(wanted)} is owed"
        yield finding("tag-unexpected", wheel.filename, message)


def _canonical(tags: Iterable[Tag], without_platform: bool) -> frozenset[str]:
    return frozenset(f"{t.interpreter}-{t.abi}" + ("" if without_platform else f"-{_platform(t)}") for t in tags)


def _platform(tag: Tag) -> str:
    try:
        return str(PlatformTag.parse(tag.platform))
    except ValueError:
        return tag.platform


def _ceiling(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    if expectation.platform is None or expectation.stage == "built":
        return
    for platform in claimed(wheel):
        if not platform.serves(expectation.platform):
            message = f"claims {platform}; it must run wherever {expectation.platform} is promised"
            yield finding("platform-above-ceiling", wheel.filename, message)


def _unknown(wheel: Wheel) -> Iterator[Finding]:
    for platform in sorted({tag.platform for tag in wheel.tags}):
        if platform.startswith(("macosx_", "win", "ios_", "android_", "pyodide_", "emscripten_", "graalpy")):
            yield finding(
                "platform-unjudged", wheel.filename, f"{platform} is no Linux platform; its objects are not judged"
            )
        elif platform != "any" and not _is_known(platform):
            message = f"{platform} promises nothing to an installer; a manylinux or musllinux tag is due"
            yield finding("platform-unknown", wheel.filename, message)


def _is_known(platform: str) -> bool:
    try:
        PlatformTag.parse(platform)
    except ValueError:
        return False
    return True


def _texts(tags: Iterable[Tag]) -> frozenset[str]:
    return frozenset(map(str, tags))


def _listed(tags: frozenset[str]) -> str:
    return listed(sorted(tags)) or "no tag"
