"""The tags of a wheel: its file name, its WHEEL file and what is expected must agree."""

from collections.abc import Iterable, Iterator

from packaging.tags import Tag

from factory.audit.claims import claimed_platforms, is_windows, linux_platform
from factory.audit.expectation import Expectation
from factory.audit.rules import WHEEL_SPECIFICATION, table
from factory.audit.served import is_served
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.excerpt import listed
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="platform-unknown",
        severity=Severity.ERROR,
        summary="the platform tag promises nothing",
        why="Package indexes refuse `linux_*` tags, and no policy says what an unknown tag needs.",
        mend="Repair the wheel for a manylinux or musllinux policy of its architecture.",
        source="PEP 513; PEP 600; PEP 656",
    ),
    Rule(
        id="platform-unjudged",
        severity=Severity.NOTE,
        summary="the platform is neither Linux nor Windows",
        why="Only names, texts and the archive are checked: objects for other systems are not read.",
        mend="Audit the wheel with a tool of that platform too.",
        source="PEP 425",
    ),
    Rule(
        id="platform-above-ceiling",
        severity=Severity.ERROR,
        summary="a claimed platform is newer than the one that was asked for",
        why="Systems the recipe promises to serve would not install the wheel.",
        mend="Build in an image whose libc is not newer than the ceiling.",
        source="PEP 600; the recipe's platforms",
    ),
    Rule(
        id="tag-unserved",
        severity=Severity.ERROR,
        summary="no installer looks for any of the wheel's tags",
        why="Indexes take the file, and nobody can install it: `is not a supported wheel on this platform`.",
        mend="Tag it as the interpreters do: `cp39-abi3`, `cp313-cp313`, `py3-none`; `any` goes only with `none`.",
        source="PEP 425; packaging.tags, which pip and uv agree with",
    ),
    Rule(
        id="tag-mismatch",
        severity=Severity.ERROR,
        summary="the WHEEL file's tags are not those of the file name",
        why="Tools that read one decide differently from tools that read the other: it was renamed, not retagged.",
        mend="Retag with `wheel tags` or repair again, so that name and WHEEL file change together.",
        source=WHEEL_SPECIFICATION,
    ),
    Rule(
        id="tag-unexpected",
        severity=Severity.ERROR,
        summary="the wheel does not carry the tags that were asked for",
        why="Interpreters or systems that should get this wheel will not, or others will.",
        mend="Write into the recipe what the project makes (abi3 with build.floor, or wheel), "
        "or check how the floor and the platform reach the build.",
        source="the plan's cell",
        has_own_field=True,
    ),
)


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Compare the file name's tags with the WHEEL file, with what is expected, and with what an index accepts."""
    findings = [*_mismatch(wheel), *_unexpected(wheel, expectation), *_ceiling(wheel, expectation), *_unserved(wheel)]
    if expectation.stage == "repaired":
        findings.extend(_unknown(wheel))
    return Ruling(check="tags", findings=tuple(findings))


def _unserved(wheel: Wheel) -> Iterator[Finding]:
    """Find wheels without any tag that some interpreter asks for; compressed sets name some that none does."""
    if wheel.tags and not any(map(is_served, wheel.tags)):
        message = f"is tagged {_listed(_texts(wheel.tags))}, which no installer looks for"
        yield Finding.of(RULES["tag-unserved"], wheel.filename, message)


def _mismatch(wheel: Wheel) -> Iterator[Finding]:
    if wheel.name is None or wheel.wheel_text is None:
        return
    named, written = _texts(wheel.tags), _texts(wheel.wheel_text.tags)
    if named != written or wheel.wheel_text.bad_tags:
        message = f"the file name says {_listed(named)}; its WHEEL file says {_listed(written)}"
        yield Finding.of(RULES["tag-mismatch"], wheel.filename, message, wheel.wheel_text.bad_tags)


def _unexpected(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    """Compare platforms by what they mean, so that an alias is no difference; before the repair not at all."""
    if expectation.tags is None or wheel.name is None:
        return
    built = expectation.stage == "built"
    carried, wanted = _canonical(wheel.tags, built), _canonical(expectation.tags, built)
    if carried != wanted:
        message = f"has {_listed(carried)}; {_listed(wanted)} is expected"
        yield Finding.of(RULES["tag-unexpected"], wheel.filename, message)


def _canonical(tags: Iterable[Tag], without_platform: bool) -> frozenset[str]:
    return frozenset(f"{t.interpreter}-{t.abi}" + ("" if without_platform else f"-{_platform(t)}") for t in tags)


def _platform(tag: Tag) -> str:
    return str(linux_platform(tag.platform) or tag.platform)


def _ceiling(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    if expectation.platform is None or expectation.stage == "built":
        return
    for platform in claimed_platforms(wheel):
        if not platform.serves(expectation.platform):
            message = f"claims {platform}; it must run wherever {expectation.platform} is promised"
            yield Finding.of(RULES["platform-above-ceiling"], wheel.filename, message)


def _unknown(wheel: Wheel) -> Iterator[Finding]:
    for platform in sorted({tag.platform for tag in wheel.tags}):
        if is_windows(platform):
            continue
        if platform.startswith(("macosx_", "win", "ios_", "android_", "pyodide_", "emscripten_", "graalpy")):
            yield Finding.of(
                RULES["platform-unjudged"],
                wheel.filename,
                f"{platform} is neither Linux nor Windows; its objects are not checked",
            )
        elif platform != "any" and linux_platform(platform) is None:
            message = f"{platform} promises nothing to an installer; a manylinux or musllinux tag is expected"
            yield Finding.of(RULES["platform-unknown"], wheel.filename, message)


def _texts(tags: Iterable[Tag]) -> frozenset[str]:
    return frozenset(map(str, tags))


def _listed(tags: frozenset[str]) -> str:
    return listed(sorted(tags)) or "no tag"
