"""Where files are installed: beside those of other distributions, of the interpreter and of everybody."""

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from factory.audit.closure import installed_path
from factory.audit.expectation import Expectation
from factory.audit.modules import module_files
from factory.audit.rules import WHEEL_SPECIFICATION, table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.excerpt import listed
from factory.wheel import Wheel

RULES = table(
    Rule(
        id="file-of-another",
        severity=Severity.ERROR,
        summary="a file belongs to another distribution, or to the interpreter",
        why="Installing the wheel overwrites it, and uninstalling removes it: pip or Python itself stops working.",
        mend="Name the package's folders in the backend's configuration, so that no environment is packed with them.",
        source="recording installed projects specification: a file belongs to one distribution",
    ),
    Rule(
        id="data-folder",
        severity=Severity.ERROR,
        summary="a file of a .data folder is in none of the folders that installers know",
        why="Installers refuse the wheel.",
        mend="Put it into `purelib`, `platlib`, `headers`, `scripts` or `data` below the .data folder.",
        source=WHEEL_SPECIFICATION + ", the .data directory",
    ),
    Rule(
        id="place-twice",
        severity=Severity.ERROR,
        summary="two files of the wheel are installed at one place",
        why="The later one overwrites the other, and installers differ in their order.",
        mend="Pack it once: at the top, or below the .data folder.",
        source=WHEEL_SPECIFICATION + ", spreading .data",
    ),
    Rule(
        id="startup-file",
        severity=Severity.WARNING,
        summary="a .pth file runs or adds folders whenever Python starts",
        why="It slows every program of the environment, even those that never import the package.",
        mend="Let users call a function, or use a native namespace package instead of an `-nspkg.pth` file.",
        source="CPython, module site; PEP 420",
    ),
    Rule(
        id="name-of-stdlib",
        severity=Severity.ERROR,
        summary="a top-level module has the name of one in the standard library",
        why="Python finds its own first: the wheel's is never imported.",
        mend="Put the module into the package, or rename it.",
        source="CPython, sys.stdlib_module_names and sys.path: site-packages come last",
    ),
    Rule(
        id="name-too-common",
        severity=Severity.WARNING,
        summary="a top-level folder or module has a name that many projects use",
        why="Where two wheels have it, one overwrites files of the other, and uninstalling one breaks the other.",
        mend="Exclude it in the backend's configuration: setuptools' `packages.find`, hatchling's `packages`.",
        source="check-wheel-contents, W005 and W101",
    ),
)

_OWNERS = {
    "pip": "pip",
    "setuptools": "setuptools",
    "pkg_resources": "setuptools",
    "_distutils_hack": "setuptools",
    "distutils-precedence.pth": "setuptools",
    "_virtualenv": "virtualenv",
    "_virtualenv.pth": "virtualenv",
    "sitecustomize": "",
    "usercustomize": "",
}
_PROGRAMS = re.compile(r"(?P<pip>pip[0-9.]*)|python[0-9.]*t?(?:-config)?|activate(?:\.\w+)?|Activate\.ps1|pyvenv\.cfg")
_SITE = re.compile(r"(?:.*/)?(?:site|dist)-packages/(?P<rest>.+)")
_LIBRARY = re.compile(r"lib(?:64)?/python3[0-9.]*t?/.+|pyvenv\.cfg")
_COMMON = frozenset(
    {
        *("test", "tests", "testing", "unit_tests", "conftest", "benchmark", "benchmarks", "bench"),
        *("doc", "docs", "documentation", "example", "examples", "sample", "samples", "notebooks"),
        *("util", "utils", "helpers", "common", "tools", "script", "scripts", "config"),
        *("setup", "build", "dist", "src"),
    }
)
_SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
_STARTERS = ("console_scripts", "gui_scripts")
_NO_MODULES = (".dist-info", ".data", ".libs", ".egg-info")


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """Compare every file's place with those that belong to others, and every top-level name with common ones."""
    findings = [*_others(wheel), *_scripts(wheel), *_startup(wheel), *_standard(wheel), *_common(wheel)]
    findings += [*_unknown_folders(wheel), *_overwritten(wheel)]
    return Ruling(check="places", findings=tuple(findings))


def _site_path(member: str) -> str:
    """Return where a member lands below site-packages, empty where it lands elsewhere."""
    path = installed_path(member)
    folder, _, rest = path.partition("/")
    if not folder.endswith(".data"):
        return path
    match = _SITE.fullmatch(rest)
    return match["rest"] if match is not None else ""


def _others(wheel: Wheel) -> Iterator[Finding]:
    """Name one file for each thing that is another's."""
    own = wheel.name.name if wheel.name is not None else ""
    told: set[tuple[str, str]] = set()
    for member in wheel.members:
        owned = _owned(member)
        if owned is not None and owned[0] != own and owned not in told:
            told.add(owned)
            message = f"is installed as {_shown(member)}; {_whose(owned[0])}"
            yield Finding.of(RULES["file-of-another"], member, message)


def _owned(member: str) -> tuple[str, str] | None:
    """Find whose file it is, and which of theirs; None where it may be the wheel's own."""
    site, data = _site_path(member), member.partition(".data/data/")[2]
    top = site.partition("/")[0]
    stem = top if "/" in site or top.endswith(".pth") else top.partition(".")[0]
    if stem in _OWNERS:
        return _OWNERS[stem], stem
    if top.endswith(".dist-info") and member.partition(".data/")[1]:
        return top.removesuffix(".dist-info").rpartition("-")[0], top
    program = member.partition(".data/scripts/")[2] or (data.removeprefix("bin/") if data.startswith("bin/") else "")
    if match := _PROGRAMS.fullmatch(program):
        return ("pip" if match["pip"] else ""), program
    return ("", "lib") if data and not site and _LIBRARY.fullmatch(data) else None


def _whose(owner: str) -> str:
    return f"that belongs to {owner}" if owner else "that belongs to the interpreter or its user"


def _shown(member: str) -> str:
    site = _site_path(member)
    return f"site-packages/{site}" if site else member.partition(".data/")[2]


def _scripts(wheel: Wheel) -> Iterator[Finding]:
    own = wheel.name.name if wheel.name is not None else ""
    for group, name, _ in wheel.entry_points:
        match = _PROGRAMS.fullmatch(name) if group in _STARTERS else None
        owner = "pip" if match and match["pip"] else ""
        if match and owner != own:
            message = f"makes a program named {name}; {_whose(owner)}"
            yield Finding.of(RULES["file-of-another"], f"{wheel.dist_info}/entry_points.txt", message)


def _startup(wheel: Wheel) -> Iterator[Finding]:
    for member in wheel.members:
        site = _site_path(member)
        if site.endswith(".pth") and "/" not in site and site not in _OWNERS:
            yield Finding.of(RULES["startup-file"], member, "is read whenever Python starts")


def _unknown_folders(wheel: Wheel) -> Iterator[Finding]:
    for member in wheel.members:
        folder, _, rest = member.partition("/")
        scheme, slash, _ = rest.partition("/")
        if folder.endswith(".data") and rest and not (slash and scheme in _SCHEMES):
            message = f"is below {folder}, but in none of {listed(sorted(_SCHEMES))}"
            yield Finding.of(RULES["data-folder"], member, message)


def _overwritten(wheel: Wheel) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for member in wheel.members:
        site = _site_path(member)
        if site and (other := first.setdefault(site, member)) != member:
            yield Finding.of(RULES["place-twice"], member, f"is installed as site-packages/{site}, and so is {other}")


def _standard(wheel: Wheel) -> Iterator[Finding]:
    """Look at what Python could import by a name without dots."""
    for name, member in sorted(_modules(wheel).items()):
        if name in standard_library():
            message = f"is imported as {name}, which the standard library has too; that one is found first"
            yield Finding.of(RULES["name-of-stdlib"], member, message)


def _modules(wheel: Wheel) -> dict[str, str]:
    """Map the top-level name of every source and extension module to the first of its members."""
    modules = {module.path: module.name for module in module_files(wheel)}
    names: dict[str, str] = {}
    for member in wheel.members:
        site = _site_path(member)
        if (site.endswith(".py") or member in modules) and not _is_apart(site):
            names.setdefault(_top(site), member)
    return names


def _common(wheel: Wheel) -> Iterator[Finding]:
    names: dict[str, str] = {}
    for member in wheel.members:
        site = _site_path(member)
        if "/" in site or posixpath.splitext(site)[1] == ".py":
            names.setdefault(_top(site), member)
    for name, member in sorted(names.items()):
        if name.lower() in _COMMON and (wheel.name is None or wheel.name.name != name.lower()):
            message = f"is installed at the top of site-packages as {name}, a name that other wheels have too"
            yield Finding.of(RULES["name-too-common"], member, message)


def _top(site: str) -> str:
    """Return the first part of a path, of a file without its suffixes."""
    top, slash, _ = site.partition("/")
    return top if slash else top.partition(".")[0]


def _is_apart(site: str) -> bool:
    return site.partition("/")[0].endswith(_NO_MODULES)


@cache
def standard_library() -> frozenset[str]:
    """List the public modules that every supported Python has, 3.10 to 3.13; names that came or went are not in it."""
    path = Path(__file__).parents[1] / "standard_library.txt"
    return frozenset(path.read_text(encoding="ascii").split())
