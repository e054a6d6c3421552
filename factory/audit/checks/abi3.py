"""The stable ABI: an abi3 wheel may ask its interpreter only for what the floor's version already had."""

from collections.abc import Iterator

from factory.audit.claims import oldest_minor
from factory.audit.closure import link
from factory.audit.expectation import Expectation
from factory.audit.rules import table
from factory.audit.sonames import are_known, is_interpreters, is_python_dll
from factory.audit.stable_abi import oldest_interpreter
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.tags import Abi3Floor
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="abi3-symbol-above-floor",
        severity=Severity.ERROR,
        summary="an abi3 wheel needs a symbol that came after the oldest Python it claims",
        why="On the oldest interpreters the tag claims, the import fails with `undefined symbol`.",
        mend="Raise the floor to the version named, or build with Py_LIMITED_API (PyO3: abi3-py3X) at the floor.",
        source="PEP 384; CPython, Misc/stable_abi.toml",
    ),
    Rule(
        id="abi3-symbol-unstable",
        severity=Severity.ERROR,
        summary="an abi3 wheel needs a symbol that the stable ABI does not have",
        why="Any later Python may change or drop it, and the tag claims all of them.",
        mend="Define Py_LIMITED_API in every source file that includes Python.h, or build version-specific wheels.",
        source="PEP 384; CPython, Misc/stable_abi.toml",
    ),
)

_FIRST = 2  # PEP 384 came with 3.2


def claimed_floor(wheel: Wheel, expectation: Expectation) -> Abi3Floor | None:
    """Find the oldest interpreter that an abi3 tag or the expectation names; None for other wheels."""
    tags = [tag for tag in wheel.tags if tag.abi in ("abi3", "abi3t")]
    minor = oldest_minor(tags)
    if minor is None:
        return None
    if expectation.floor is not None:
        minor = min(minor, expectation.floor.minor)
    return Abi3Floor(minor, any(tag.abi == "abi3t" for tag in tags))


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Every symbol asked of the interpreter is in the stable ABI and as old as the floor."""
    floor = claimed_floor(wheel, expectation)
    return Ruling(check="abi3", findings=() if floor is None else tuple(_judge(wheel, floor)))


def deserved_floor(wheel: Wheel, expectation: Expectation) -> Abi3Floor | None:
    """Find the oldest interpreter whose stable ABI has all that the wheel asks for; None if none has."""
    floor = claimed_floor(wheel, expectation)
    if floor is None:
        return None
    since = [
        oldest_interpreter(name, _FIRST, on_windows=path in wheel.pe_files)
        for path, names in asked(wheel).items()
        for name in names
    ]
    known = [minor for minor in since if minor is not None]
    return Abi3Floor(max(known, default=_FIRST), floor.free_threaded) if len(known) == len(since) else None


def asked(wheel: Wheel) -> dict[str, tuple[str, ...]]:
    """List what each object asks of the interpreter: names like Py… that the wheel does not define itself.

    A weak one may be absent: code asks whether it is there. On Windows each names the library that it is asked of.
    """
    own = frozenset().union(*(shared.exports for shared in wheel.objects.values()))
    of_libraries = {
        path: tuple(sorted({s.name for s in shared.undefined if not s.weak and _is_asked(s.name, own)}))
        for path, shared in wheel.objects.items()
        if shared.kind == "library"
    }
    return {**of_libraries, **_asked_on_windows(wheel)}


def _asked_on_windows(wheel: Wheel) -> dict[str, tuple[str, ...]]:
    return {
        path: tuple(sorted({symbol.name for symbol in file.undefined if is_python_dll(symbol.library)}))
        for path, file in wheel.pe_files.items()
        if file.is_library
    }


def _is_asked(name: str, own: frozenset[str]) -> bool:
    return is_interpreters(name) and name not in own


def _judge(wheel: Wheel, floor: Abi3Floor) -> Iterator[Finding]:
    links = link(wheel)
    for path, names in asked(wheel).items():
        of_windows = path in wheel.pe_files
        since = {name: oldest_interpreter(name, floor.minor, on_windows=of_windows) for name in names}
        is_told = of_windows or are_known(links.outside[path])
        unstable = tuple(name for name, minor in since.items() if minor is None and is_told)
        late = {name: minor for name, minor in since.items() if minor is not None and minor > floor.minor}
        if unstable:
            message = (
                f"needs {unstable[0]}, which is not in the stable ABI; {floor}-{floor.abi_tag} promises nothing else"
            )
            yield Finding.of(RULES["abi3-symbol-unstable"], path, message, unstable)
        if late:
            worst = max(late, key=lambda name: (late[name], name))
            came = f"needs {worst}, which came with Python 3.{late[worst]}"
            message = f"{came}; {floor}-{floor.abi_tag} promises 3.{floor.minor}"
            evidence = tuple(f"{name} (3.{minor})" for name, minor in late.items())
            yield Finding.of(RULES["abi3-symbol-above-floor"], path, message, evidence)
