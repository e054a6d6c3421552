"""What a build's scripts ask of the system."""

import ast
import re
from collections.abc import Iterator

from factory.init.wishes.wish import Wish, is_name, wishes_of
from factory.project.setup_script import constants

_CONFIG = re.compile(r"[a-z0-9][\w.+]{0,60}+(?:-[a-z0-9]{1,20}+){0,3}+[-_]?config|[a-z][\w.+]{0,40}[-_]config")
_NO_CONFIG = re.compile(r"pkg-?config|python[\d.]*-config|build_config|.*_build_config")
_OWN = frozenset({"m", "c", "dl", "pthread", "rt", "util", "stdc++", "gcc", "gcc_s", "gomp"})
_SYSTEM = re.compile(r"platform|os\.name|linux|darwin|win32|windows|posix|system\(\)|_WIN\b|macos", re.IGNORECASE)
_PKG_CONFIG = re.compile(r"pkg.?config", re.IGNORECASE)


def named_in(script: ast.AST, where: str) -> Iterator[Wish]:
    """Yield libraries to link with, `*-config` programs, and names for pkg-config.

    The latter two are asked under conditions as a rule: whether a variable is set, or a system has the program.
    """
    for node in _on_linux(script):
        if isinstance(node, ast.Call | ast.Assign):
            yield from wishes_of("library", _libraries(node), where)
    optional = frozenset(_optional(script))
    for node in ast.walk(script):
        if isinstance(node, ast.Call | ast.List | ast.Tuple):
            yield from wishes_of("pkg-config", (name for name in _for_pkg_config(node) if name not in optional), where)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from wishes_of("program", _programs(node.value), where)


def _optional(script: ast.AST) -> Iterator[str]:
    for node in ast.walk(script):
        if isinstance(node, ast.Call):
            yield from _looked_for(node)


def _on_linux(script: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that at most the system decides: a library that is an option is not asked for."""
    todo = [script]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.If | ast.IfExp) and not _SYSTEM.search(ast.unparse(node.test)):
            todo.append(node.test)
        elif not isinstance(node, ast.ClassDef):  # which of its methods are called is not known
            todo += reversed(list(ast.iter_child_nodes(node)))


def _libraries(node: ast.Call | ast.Assign) -> Iterator[str]:
    """Yield the literal names in `libraries=[…]`, `libraries = […]` and `….libraries.append(…)`."""
    match node:
        case ast.Assign(targets=[target], value=ast.List(elts=elements)) if _is_libraries(target):
            names = constants(elements)
        case ast.Call(func=ast.Attribute(attr="append", value=target), args=elements) if _is_libraries(target):
            names = constants(elements)
        case ast.Call(keywords=keywords):
            lists = (item.value for item in keywords if item.arg == "libraries")
            names = constants(
                element for item in lists if isinstance(item, ast.List | ast.Tuple) for element in item.elts
            )
        case _:
            return
    yield from (name for name in names if name not in _OWN and is_name(name))


def _is_libraries(target: ast.expr) -> bool:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name == "libraries" or name.endswith("_libraries")
        case _:
            return False


def _for_pkg_config(node: ast.Call | ast.List | ast.Tuple) -> Iterator[str]:
    """Yield what `["pkg-config", "--cflags", "x"]`, `pkgconfig.parse("x")` and `pkg_config("x")` ask for."""
    if isinstance(node, ast.Call):
        words = [*constants(node.args)] if _PKG_CONFIG.search(_target(node)) else []
    else:
        first = ast.unparse(node.elts[0]) if node.elts and isinstance(node.elts[0], ast.Constant | ast.Name) else ""
        words = [*constants(node.elts[1:])] if _PKG_CONFIG.search(first) else []
    for name in (word for text in words for word in text.split()):
        if not name.startswith("-") and is_name(name):
            yield name


def _looked_for(call: ast.Call) -> Iterator[str]:
    """Yield the names of which `pkgconfig.exists("x")` only asks whether they are there: they may be absent."""
    if _PKG_CONFIG.search(target := _target(call)) and target.endswith(("exists", "installed")):
        yield from (text.split()[0] for text in constants(call.args) if text.strip())


def _target(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _programs(text: str) -> Iterator[str]:
    words = text.split() if len(text) < 200 else ()  # noqa: PLR2004 -- longer texts are prose
    if len(words) <= 3 and words and _CONFIG.fullmatch(words[0]) and not _NO_CONFIG.fullmatch(words[0]):  # noqa: PLR2004 -- a program and its options
        yield words[0]
