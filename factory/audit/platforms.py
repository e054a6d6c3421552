"""Platform tags: what the wheel claims, and what its objects need of the system they are loaded on."""

from collections.abc import Container, Iterable, Iterator

from packaging.tags import Tag

from factory.audit.closure import Links, link
from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.rules import finding
from factory.audit.sonames import is_foreign, is_libpython, is_loader
from factory.elf.model import SharedObject
from factory.policy import Policy, policies, policy_for
from factory.tags import PlatformTag
from factory.wheel import Wheel


def claimed(wheel: Wheel) -> tuple[PlatformTag, ...]:
    """List the Linux platforms that the file name promises, each once whatever its spelling."""
    found = set()
    for tag in wheel.tags:
        try:
            found.add(PlatformTag.parse(tag.platform))
        except ValueError:
            continue
    return tuple(sorted(found))


def architectures(wheel: Wheel, expectation: Expectation) -> frozenset[str]:
    """List the architectures the wheel is for, from its tags (linux_* among them) and the expectation."""
    found = {platform.arch for platform in claimed(wheel)}
    found |= {tag.platform.removeprefix("linux_") for tag in wheel.tags if tag.platform.startswith("linux_")}
    if expectation.platform is not None:
        found.add(expectation.platform.arch)
    return frozenset(found)


def check_policy(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Every claimed platform must promise every symbol version and library; also says which platforms would."""
    links = link(wheel)
    found: list[Finding] = []
    if expectation.stage == "repaired":
        for platform in claimed(wheel):
            policy = policy_for(platform)
            if policy is None:
                message = f"{platform} is claimed; no policy for {platform.arch} is that old"
                found.append(finding("platform-unknown", wheel.filename, message))
            else:
                found.extend(_excesses(wheel, links, policy))
    return Ruling(check="policy", findings=tuple(found), allows=_allowed(wheel, links, expectation))


def _allowed(wheel: Wheel, links: Links, expectation: Expectation) -> frozenset[PlatformTag] | None:
    """List the policies that hold. musl has no symbol versions: there the claim is all that can be known."""
    tags = claimed(wheel) or ((expectation.platform,) if expectation.platform else ())
    if not tags or not wheel.objects:
        return None
    if tags[0].libc == "musl":
        candidates = [policy for tag in tags if (policy := policy_for(tag)) is not None]
    else:
        candidates = list(policies("glibc", tags[0].arch))
        listed = {policy.tag for policy in candidates}
        candidates += [policy for tag in tags if tag not in listed and (policy := policy_for(tag)) is not None]
    return frozenset(policy.tag for policy in candidates if next(_excesses(wheel, links, policy), None) is None)


def _excesses(wheel: Wheel, links: Links, policy: Policy) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if shared.architecture != policy.tag.arch:
            continue
        outside = links.outside[path]
        yield from _versions(path, shared, links.inside[path], policy)
        yield from _libraries(path, shared, outside, policy)
        yield from _strays(path, shared, links)
        yield from _private(path, shared, outside, policy)


def _versions(path: str, shared: SharedObject, inside: Container[str], policy: Policy) -> Iterator[Finding]:
    """One finding per prefix, for its newest version: GLIBC_2.34 includes the trouble with GLIBC_2.32."""
    excess = [
        need
        for need in shared.version_needs
        if not need.weak and need.library not in inside and not policy.promises(need.version)
    ]
    for prefix in sorted({need.version.partition("_")[0] for need in excess}):
        versions = {need.version for need in excess if need.version.partition("_")[0] == prefix}
        worst = max(versions, key=_version_key)
        promise = policy.newest(worst)
        message = f"needs {worst}; {policy.tag} promises {f'up to {promise}' if promise else f'no {prefix} versions'}"
        symbols = sorted(f"{s.name}@{s.version}" for s in shared.undefined if s.version in versions)
        yield finding("platform-policy", path, message, tuple(symbols))


def _version_key(version: str) -> tuple[tuple[int, ...], str]:
    digits = (part for part in version.partition("_")[2].split("."))
    return tuple(int(part) if part.isascii() and part.isdigit() else -1 for part in digits), version


def _libraries(path: str, shared: SharedObject, outside: tuple[str, ...], policy: Policy) -> Iterator[Finding]:
    """Interpreters' and the other libc's libraries are left to their own rules."""
    for name in sorted(set(outside) - policy.libraries):
        if not (is_loader(name) or is_libpython(name) or is_foreign(name, policy.tag.libc)):
            message = f"needs {name}; it is neither in the wheel nor promised by {policy.tag}"
            yield finding("library-missing", path, message, _searched(shared))


def _strays(path: str, shared: SharedObject, links: Links) -> Iterator[Finding]:
    for name in sorted(links.strays[path]):
        message = f"needs {name}; the wheel has it as {links.inside[path][name]}, where no search path leads"
        yield finding("library-missing", path, message, _searched(shared))


def _searched(shared: SharedObject) -> tuple[str, ...]:
    return (f"searched: {':'.join(shared.runpath or shared.rpath) or 'no folder of its own'}",)


def _private(path: str, shared: SharedObject, outside: tuple[str, ...], policy: Policy) -> Iterator[Finding]:
    for library in sorted(set(outside) & set(policy.private)):
        names = sorted({s.name for s in shared.undefined if not s.weak} & policy.private[library])
        if names:
            message = f"needs private symbols of {library}; {policy.tag} does not promise them"
            yield finding("platform-policy", path, message, tuple(names))


def check_machines(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Every object must be for the wheel's architecture and libc; what no processor runs is data."""
    found = [*_machines(wheel, architectures(wheel, expectation)), *_libcs(wheel, expectation)]
    return Ruling(check="machines", findings=tuple(found), allows=frozenset() if found else None)


def _machines(wheel: Wheel, wanted: frozenset[str]) -> Iterator[Finding]:
    for path, shared in wheel.objects.items():
        if wanted and shared.for_a_processor and shared.architecture not in wanted:
            message = f"is for {shared.machine_name}; the wheel is for {', '.join(sorted(wanted))}"
            yield finding("wrong-machine", path, message)


def _libcs(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    platforms = claimed(wheel) or ((expectation.platform,) if expectation.platform else ())
    wanted = {platform.libc for platform in platforms}
    for path, shared in wheel.objects.items():
        names = (*shared.needed, *([shared.interpreter] if shared.interpreter else []))
        for libc in sorted(wanted):
            signs = tuple(sorted(name for name in names if is_foreign(name, libc)))
            if signs:
                yield finding("wrong-libc", path, f"needs {signs[0]}; the wheel is for {libc}", signs)


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
    return ", ".join(sorted(tags)) or "no tag"
