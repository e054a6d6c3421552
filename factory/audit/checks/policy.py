"""Platform policies: what the objects need of the system they are loaded on."""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping

from factory.audit.checks.tags import RULES as TAG_RULES
from factory.audit.claims import claimed_platforms, due_platforms
from factory.audit.closure import Links, link
from factory.audit.expectation import Expectation
from factory.audit.rules import table
from factory.audit.sonames import is_foreign, is_libpython, is_loader
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.elf.shared_object import SharedObject
from factory.excerpt import ITEMS
from factory.policy import Policy, age, policies, policy_for
from factory.tags import PlatformTag
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="platform-policy",
        severity=Severity.ERROR,
        summary="an object needs a symbol version that a claimed platform does not promise",
        why="On the oldest systems the tag claims, loading fails with `version `GLIBC_2.34' not found`.",
        mend="Build in an image of the claimed policy, or claim the newer one; every tag in the file name must hold.",
        source="PEP 600; auditwheel's policy tables",
    ),
    Rule(
        id="library-missing",
        severity=Severity.ERROR,
        summary="a needed library is neither found in the wheel nor promised by the platform",
        why="Loading fails with `cannot open shared object file` wherever that library is not installed.",
        mend=(
            "Graft it by `auditwheel repair`, link it statically, or waive it if another package provides it. Give a "
            "library that needs another its own search path: a RUNPATH counts only for the object that has it."
        ),
        source="PEP 513; PEP 600; man 8 ld.so",
    ),
)


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Every claimed platform must promise every symbol version and library; also says which platforms would."""
    links = link(wheel)
    findings: list[Finding] = []
    if expectation.stage == "repaired":
        for platform in claimed_platforms(wheel):
            policy, newest = policy_for(platform), policies(platform.libc, platform.arch)[-1:]
            if newest and not platform.serves(newest[0].tag):
                message = f"the file name claims {platform}; the newest policy known is {newest[0].tag}"
                findings.append(Finding.of(TAG_RULES["platform-unknown"], wheel.filename, message))
            elif policy is None:
                message = f"the file name claims {platform}; no policy for {platform.arch} is that old"
                findings.append(Finding.of(TAG_RULES["platform-unknown"], wheel.filename, message))
            else:
                findings.extend(_excesses(wheel, links, policy))
    return Ruling(check="policy", findings=tuple(findings), allows=_allowed(wheel, links, expectation))


def _allowed(wheel: Wheel, links: Links, expectation: Expectation) -> frozenset[PlatformTag] | None:
    """List the policies that hold. musl has no symbol versions: there the claim is all that can be known."""
    tags = due_platforms(wheel, expectation)
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
    """Make one finding per prefix, for its newest version: a system that has GLIBC_2.34 has GLIBC_2.32 too."""
    excess = [
        need
        for need in shared.version_needs
        if not need.weak and need.library not in inside and not policy.promises(need.version)
    ]
    by_prefix: defaultdict[str, set[str]] = defaultdict(set)
    for need in excess:
        by_prefix[need.version.partition("_")[0]].add(need.version)
    symbols = _by_version(shared) if excess else {}
    for prefix, versions in sorted(by_prefix.items()):
        worst = max(versions, key=age)
        promise = policy.newest(worst)
        what = f"up to {promise}" if promise else f"no {prefix} versions"
        names = sorted(f"{name}@{version}" for version in versions for name in symbols.get(version, ()))
        yield Finding.of(RULES["platform-policy"], path, f"needs {worst}; {policy.tag} promises {what}", tuple(names))


def _by_version(shared: SharedObject) -> Mapping[str, list[str]]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for symbol in shared.undefined:
        names[symbol.version].append(symbol.name)
    return names


def _libraries(path: str, shared: SharedObject, outside: tuple[str, ...], policy: Policy) -> Iterator[Finding]:
    """Interpreters' libraries, the other libc's, and names with a slash are left to their own rules."""
    for name in sorted(set(outside) - policy.libraries):
        if not ("/" in name or is_loader(name) or is_libpython(name) or is_foreign(name, policy.tag.libc)):
            message = f"needs {name}, which is neither in the wheel nor promised by {policy.tag}"
            yield Finding.of(RULES["library-missing"], path, message, _searched(shared))


def _strays(path: str, shared: SharedObject, links: Links) -> Iterator[Finding]:
    for name in sorted(links.strays[path]):
        message = f"needs {name}; the wheel has it as {links.inside[path][name]}, where no search path leads"
        yield Finding.of(RULES["library-missing"], path, message, _searched(shared))


def _searched(shared: SharedObject) -> tuple[str, ...]:
    folders = (shared.runpath or shared.rpath)[:ITEMS]
    return (f"searched: {':'.join(folders) or 'no folder of its own'}",)


def _private(path: str, shared: SharedObject, outside: tuple[str, ...], policy: Policy) -> Iterator[Finding]:
    for library in sorted(set(outside) & set(policy.private)):
        names = sorted({s.name for s in shared.undefined if not s.weak} & policy.private[library])
        if names:
            message = f"needs private symbols of {library}; {policy.tag} does not promise them"
            yield Finding.of(RULES["platform-policy"], path, message, tuple(names))
