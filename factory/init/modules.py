"""The extension modules that a source names: read from its files, never by running them."""

import ast
import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from factory.errors import SourceError
from factory.init.blocks import MESON_BLOCK, Blocks
from factory.project.cargo import inside
from factory.project.files import Files, read_text
from factory.project.model import Project
from factory.project.setup_script import called, first_text, parsed
from factory.tables import Table
from factory.tags import Abi3Floor

_EXTENSIONS = frozenset({"Extension", "RustExtension", "Pybind11Extension", "CythonExtension", "CMakeExtension"})
_MESON = re.compile(r"\.extension_module\(\s*+'(?P<name>\w+)'(?P<rest>(?:[^()]|\([^()]*+\))*+)\)")
_MESON_SUBDIR = re.compile(r"subdir\s*+:\s*+'(?P<folder>[\w./-]*)'")
_CMAKE = re.compile(
    r"(?:pybind11_add_module|nanobind_add_module|python_add_library|Python3?_add_library)\s*\(\s*(?P<name>\w+)",
    re.IGNORECASE,
)
_CMAKE_INSTALL = re.compile(
    r"install\s*+\(\s*+TARGETS\s++(?P<names>(?:\w++\s++){1,200}?)(?:LIBRARY\s++)?DESTINATION\s++\"?(?P<folder>[\w./-]+)",
    re.IGNORECASE,
)
MESON_BELOW = re.compile(r"(?m)^[ \t]*+subdir\(\s*+'(?P<folder>[\w./-]+)'")
CMAKE_BELOW = re.compile(r"(?m)^[ \t]*+add_subdirectory\s*+\(\s*+(?P<folder>[\w./-]+)", re.IGNORECASE)
_MOST_FILES = 200
_COMPILED = (
    *(".c", ".cc", ".cpp", ".cxx", ".cu", ".pyx", ".rs", ".f", ".f77", ".f90", ".for", ".go", ".zig"),
    *(".d", ".m", ".mm", ".nim", ".s", ".asm", ".so", ".a"),
)
_COMPILING_CALLS = frozenset({*_EXTENSIONS, "cythonize", "mypycify"})
_COMPILING_WORDS = ("ext_modules", "cffi_modules", "rust_extensions", "distclass", "cmdclass")
_HOOKS_THAT_WRITE = frozenset({"vcs", "version"})
"""Hooks of hatchling that write a file with the version, and compile nothing."""
_CONDITIONS = (ast.If, ast.IfExp, ast.Try, ast.For, ast.While)


Surety = Literal["declared", "guessed", "conditional"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Modules that the source names, `where` it names them, and how sure it is that Linux builds them.

    `declared` are in a table that the backend reads, `guessed` in a program that may do otherwise (Extension has an
    argument `optional`), `conditional` under a condition in one, or without their package.
    """

    names: tuple[str, ...]
    where: str
    surety: Surety


def named_modules(files: Files, folder: str, project: Project, pyproject: Table) -> tuple[Named, ...]:
    """Return the extension modules that a project names, in the way of its backend."""
    if project.module is not None and project.backend == "maturin":
        where = project.cargo_manifest or pyproject.place
        return (Named(names=(project.module,), where=where, surety="declared"),)
    top = project.build_system.module
    named = [*_of_tables(pyproject), *_of_script(files, folder)]
    if top == "mesonpy":
        named += _of_meson(files, folder)
    if top == "scikit_build_core":
        named += _of_cmake(files, folder)
    return tuple(named)


def is_pure(files: Files, project: Project, pyproject: Table) -> bool:
    """Tell whether nothing in a source is compiled, as far as names of files, tables and words of setup.py tell."""
    if project.module is not None or project.cargo_manifest is not None or project.backend == "maturin":
        return False
    if any(path.endswith(_COMPILED) or path in ("CMakeLists.txt", "meson.build") for path in files.paths):
        return False
    return not _runs_code(pyproject) and not any(_of_tables(pyproject)) and not _compiles(_parsed(files, "setup.py"))


def _runs_code(pyproject: Table) -> bool:
    """Tell whether a backend calls code of the project, or another program, which may compile."""
    tool = pyproject.table("tool")
    hatch = tool.table("hatch", "build")
    hooks = {*hatch.table("hooks").content, *hatch.table("targets", "wheel", "hooks").content} - _HOOKS_THAT_WRITE
    return (
        bool(hooks)
        or "run-setup" in tool.table("pdm", "build")
        or (isinstance(tool.get("poetry"), dict) and "build" in tool.table("poetry"))
    )


def _compiles(script: ast.AST) -> bool:
    called_names = {called(call) for call, _ in _calls(script)}
    words = (next(_keyword(script, word), None) for word in _COMPILING_WORDS)
    return not called_names.isdisjoint(_COMPILING_CALLS) or any(words)


def _of_tables(pyproject: Table) -> Iterator[Named]:
    rust = [module.get("target") for module in pyproject.table("tool", "setuptools-rust").tables("ext-modules")]
    c = [module.get("name") for module in pyproject.table("tool", "setuptools").tables("ext-modules")]
    names = tuple(name for name in (*rust, *c) if isinstance(name, str))
    if names:
        yield Named(names=names, where=pyproject.place, surety="declared")


def _of_script(files: Files, folder: str) -> Iterator[Named]:
    """Read what setup.py hands to extension classes and to cffi."""
    tree = _parsed(files, f"{folder}setup.py")
    package = _text_of(tree, "ext_package")
    for certain in (True, False):
        calls = (call for call, is_certain in _calls(tree) if is_certain == certain and called(call) in _EXTENSIONS)
        if names := _names(calls, package):
            surety: Surety = "guessed" if certain else "conditional"
            yield Named(names=tuple(dict.fromkeys(names)), where=f"{folder}setup.py", surety=surety)
    for script in _listed(tree, "cffi_modules"):
        path = inside(posixpath.dirname(folder), script.partition(":")[0])
        if path is not None:
            calls = (call for call, _ in _calls(_parsed(files, path)) if called(call) == "set_source")
            if names := _names(calls, package):
                yield Named(names=names, where=path, surety="guessed")


def _names(calls: Iterable[ast.Call], package: str) -> tuple[str, ...]:
    """Return the modules that calls name, below a package where there is one."""
    names = (_module(call) for call in calls)
    return tuple(f"{package}.{name}" if package else name for name in names if name)


def fixed_floors(files: Files, folder: str) -> tuple[Abi3Floor, ...]:
    """Return the floors that setup.py states as `py_limited_api`, anywhere in it, the lowest first."""
    tree = _parsed(files, f"{folder}setup.py")
    floors = {
        value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "py_limited_api"
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }
    return tuple(sorted(Abi3Floor.parse(text) for text in floors if re.fullmatch(r"cp3[0-9]{1,2}", text)))


def _parsed(files: Files, path: str) -> ast.AST:
    try:
        return parsed(read_text(files, path) or "")
    except SourceError:
        return ast.Module(body=[], type_ignores=[])


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, bool]]:
    """Yield every call, and whether it is under no condition."""
    for node, certain in _nodes(tree):
        if isinstance(node, ast.Call):
            yield node, certain


def _nodes(tree: ast.AST) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node, and whether it is under no condition.

    What is given a name that is used only under conditions is under them too: `e = Extension(…)` before
    `if …: extensions.append(e)`.
    """
    used = {name for node, certain in _branches(tree, frozenset()) if certain for name in _used(node)}
    yield from _branches(tree, frozenset(_assigned(tree)) - used)


def _branches(tree: ast.AST, conditional: frozenset[str]) -> Iterator[tuple[ast.AST, bool]]:
    todo: list[tuple[ast.AST, bool]] = [(tree, True)]
    while todo:
        node, certain = todo.pop()
        yield node, certain
        within = certain and not isinstance(node, _CONDITIONS) and _name_given(node) not in conditional
        todo += [(child, within) for child in reversed(list(ast.iter_child_nodes(node)))]


def _used(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id


def _assigned(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if name := _name_given(node):
            yield name


def _name_given(node: ast.AST) -> str:
    """Return the one name that a statement gives to what an extension class makes, "" for any other."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if called(call) in _EXTENSIONS:
            return name
        case _:
            return ""


def _module(call: ast.Call) -> str:
    """Return the literal name of a module, "" where it is computed or not a dotted name."""
    name = first_text(call)
    return name if all(part.isidentifier() for part in name.split(".")) else ""


def _keyword(tree: ast.AST, name: str) -> Iterator[ast.expr]:
    for call, _ in _calls(tree):
        if called(call) == "setup":
            yield from (item.value for item in call.keywords if item.arg == name)


def _text_of(tree: ast.AST, name: str) -> str:
    values = [value.value for value in _keyword(tree, name) if isinstance(value, ast.Constant)]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else ""


def _listed(tree: ast.AST, name: str) -> Iterator[str]:
    for value in _keyword(tree, name):
        for item in value.elts if isinstance(value, ast.List | ast.Tuple) else ():
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                yield item.value


def _of_meson(files: Files, folder: str) -> Iterator[Named]:
    """Read calls of `extension_module` with a literal name; without a literal folder the package is not known."""
    for path, text in texts(files, folder, "meson.build", MESON_BELOW):
        blocks = Blocks(text, MESON_BLOCK)
        for match in _MESON.finditer(text):
            below = _MESON_SUBDIR.search(match["rest"])
            package = below["folder"].strip("/").replace("/", ".") if below else ""
            name = f"{package}.{match['name']}" if package else match["name"]
            is_plain = bool(package) and not blocks.around(match.start())
            yield Named(names=(name,), where=path, surety="guessed" if is_plain else "conditional")


def _of_cmake(files: Files, folder: str) -> Iterator[Named]:
    """Read calls that add a module with a literal name; its package is where it is installed."""
    for path, text in texts(files, folder, "CMakeLists.txt", CMAKE_BELOW):
        homes = {name: match["folder"] for match in _CMAKE_INSTALL.finditer(text) for name in match["names"].split()}
        for match in _CMAKE.finditer(text):
            name, home = match["name"], homes.get(match["name"])
            package = "" if home in (None, ".") else str(home).strip("/").replace("/", ".")
            dotted = f"{package}.{name}" if package else name
            yield Named(names=(dotted,), where=path, surety="conditional" if home is None else "guessed")


def texts(files: Files, folder: str, name: str, below: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield a build description and those that it names below it, without their comments, each once."""
    todo, seen = [folder], set[str]()
    while todo and len(seen) < _MOST_FILES:
        here = todo.pop(0)
        if here in seen:
            continue
        seen.add(here)
        try:
            text = re.sub(r"(?m)^[ \t]*+#.*$", "", read_text(files, f"{here}{name}") or "")
        except SourceError:
            continue
        todo += [posixpath.normpath(posixpath.join(here, match["folder"])) + "/" for match in below.finditer(text)]
        yield f"{here}{name}", text
