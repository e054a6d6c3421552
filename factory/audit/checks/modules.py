"""Extension modules: those that must be there, and the init functions that make them importable."""

from collections.abc import Iterator, Sequence

from factory.audit.closure import installed_path
from factory.audit.expectation import Expectation
from factory.audit.modules import ModuleFile, module_files
from factory.audit.rules import table
from factory.audit.sonames import is_interpreters
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.excerpt import ITEMS, listed
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="init-missing",
        severity=Severity.ERROR,
        summary="an extension module has no init function of its own name",
        why="The import fails with `dynamic module does not define module export function`.",
        mend="Make file name and init function agree: PyInit_x for module x (PyO3: the #[pymodule]'s name).",
        source="PEP 489; PEP 793",
    ),
    Rule(
        id="module-missing",
        severity=Severity.ERROR,
        summary="an expected extension module is not in the wheel",
        why="The build fell back to pure Python, or put the module elsewhere: users get a slower or a broken package.",
        mend="Read the build's log for the extension that was skipped, and make it required. "
        "Where the wheel holds it under another name, correct audit.modules in the recipe.",
        source="the recipe's audit.modules",
    ),
    Rule(
        id="module-guess-missing",
        severity=Severity.WARNING,
        summary="an extension module that was guessed from the source is not in the wheel",
        why="The guess was wrong, or the build skipped the extension, often because a library was missing.",
        mend="Read the build's log for an extension that was skipped. If there is none, replace audit.guessed-modules "
        "with the line that the finding shows.",
        source="the recipe's audit.guessed-modules",
    ),
    Rule(
        id="modules-unnamed",
        severity=Severity.WARNING,
        summary="a recipe names none of the extension modules in its wheel, or only guesses them",
        why="A later build would pass even if it lost one of them, or fell back to pure Python for some.",
        mend="Add the line that the finding shows to the recipe.",
        source="the recipe's audit.modules",
    ),
    Rule(
        id="pure-wheel",
        severity=Severity.ERROR,
        summary="a wheel for one platform holds no compiled object",
        why="The build fell back to pure Python without failing.",
        mend="Read the build's log for the extension that was skipped, often because the image lacks a header or a "
        "program, and make the extension required.",
        source="the plan, or the wheel's own tags",
    ),
)


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Look for every expected module as a compiled object, and for every module's own init function."""
    modules = module_files(wheel)
    findings = [
        *_missing(wheel, modules, expectation),
        *_inits(wheel, modules, expectation),
        *_pure(wheel, expectation),
    ]
    held = _held(wheel, modules)
    findings += [*_misguessed(wheel, held, expectation), *_unnamed(wheel, held, expectation)]
    return Ruling(check="modules", findings=tuple(findings))


def _missing(wheel: Wheel, modules: tuple[ModuleFile, ...], expectation: Expectation) -> Iterator[Finding]:
    present, held = {module.name for module in modules}, _held(wheel, modules)
    for name in sorted(set() if wheel.is_unread else set(expectation.modules) - present):
        path = name.replace(".", "/")
        fallbacks = tuple(m for m in wheel.members if installed_path(m) in (f"{path}.py", f"{path}/__init__.py"))
        instead = f"; {fallbacks[0]} takes its place" if fallbacks else ""
        holds = f"; the wheel holds {listed(held, most=ITEMS)}" if held else ""
        message = f"extension module {name} is expected but is not in the wheel{instead}{holds}"
        yield Finding.of(RULES["module-missing"], wheel.filename, message, tuple(module.path for module in modules))


def _held(wheel: Wheel, modules: tuple[ModuleFile, ...]) -> list[str]:
    """Return the names of the modules that an import statement reaches."""
    return sorted({module.name for module in modules if module.is_nameable and module.is_importable(wheel)})


def _misguessed(wheel: Wheel, held: Sequence[str], expectation: Expectation) -> Iterator[Finding]:
    """Find guessed modules that a finished wheel does not hold, and give the line that expects what is there."""
    wrong = sorted(set(expectation.guessed_modules) - {*held, *expectation.modules})
    if wrong and held and expectation.stage == "repaired" and not wheel.is_unread:
        missing, there = listed(wrong, most=ITEMS), listed(held, most=ITEMS)
        message = (
            f"{missing} was guessed and is not in the wheel, which holds {there}; write audit: {{modules: [{there}]}}"
        )
        yield Finding.of(RULES["module-guess-missing"], wheel.filename, message)


def _unnamed(wheel: Wheel, held: Sequence[str], expectation: Expectation) -> Iterator[Finding]:
    """Find wheels of a recipe, whose tags are known, of which no module is expected by name.

    A library for ctypes or cffi that has only the suffix is no module, and none to name.
    """
    owed = expectation.tags is not None and expectation.stage == "repaired" and not expectation.modules
    if owed and held and set(expectation.guessed_modules).issubset(held):
        names = listed(held, most=ITEMS)
        found = "the guess was right" if expectation.guessed_modules else f"the recipe does not name {names}"
        yield Finding.of(RULES["modules-unnamed"], wheel.filename, f"{found}; write audit: {{modules: [{names}]}}")


def _inits(wheel: Wheel, modules: tuple[ModuleFile, ...], expectation: Expectation) -> Iterator[Finding]:
    """Find modules without their init function, but not libraries for ctypes or cffi that have only the suffix."""
    for module in modules:
        if module.is_importable(wheel):
            continue
        exports = wheel.binary(module.path).exports
        others = tuple(sorted(n for n in exports if n.startswith(("PyInit_", "PyInitU_", "PyModExport"))))
        expected = module.name in (*expectation.modules, *expectation.guessed_modules)
        if expected or others or _is_for_python(wheel, module):
            message = (
                f"importing {module.name} calls {module.hooks[0]} or {module.hooks[1]}; {_has(wheel, module, others)}"
            )
            yield Finding.of(RULES["init-missing"], module.path, message, others)


def _has(wheel: Wheel, module: ModuleFile, others: tuple[str, ...]) -> str:
    """Say what is there instead of an init function; only audit.modules makes a module of what uses no Python."""
    if others:
        return f"it has {others[0]}"
    if any(is_interpreters(symbol.name) for symbol in wheel.binary(module.path).undefined):
        return "it has neither"
    return "it has neither and uses nothing of Python, as a library for ctypes: leave it out of audit.modules"


def _is_for_python(wheel: Wheel, module: ModuleFile) -> bool:
    """Whether its suffix is an interpreter's and it uses Python's symbols: a library for ctypes does not."""
    return bool(module.tag) and any(is_interpreters(symbol.name) for symbol in wheel.binary(module.path).undefined)


def _pure(wheel: Wheel, expectation: Expectation) -> Iterator[Finding]:
    """Find wheels for one platform without any object, which a silent fallback to pure Python leaves."""
    expected = expectation.platform is not None
    claimed = any(_is_compiled_for(tag.platform) and tag.abi != "none" for tag in wheel.tags)
    held = (wheel.objects, wheel.broken, wheel.pe_files, wheel.pe_broken)
    if (expected or claimed) and wheel.name is not None and not (any(held) or wheel.has_unread):
        yield Finding.of(RULES["pure-wheel"], wheel.filename, "has no compiled object, but is for one platform")


def _is_compiled_for(platform: str) -> bool:
    return "linux" in platform or platform.startswith("win")
