"""setup.py read as text: the literals it hands to `setup()` and to extension classes; nothing is evaluated."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from factory.project.files import Files, read_text
from factory.untrusted import UntrustedTextError, literal, parse_script

_EXTENSIONS = frozenset({"Extension", "RustExtension", "Pybind11Extension", "CythonExtension"})
_CRATES = frozenset({"RustExtension", "RustBin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupScript:
    """Literal keywords of the one `setup()` call, and the literal calls of extension classes: name and keywords."""

    keywords: Mapping[str, object]
    extensions: tuple[tuple[str, Mapping[str, object]], ...] = ()
    rust_manifests: tuple[str, ...] = ()

    def text(self, keyword: str) -> str | None:
        """Return a keyword's string, None where it is absent or computed."""
        value = self.keywords.get(keyword)
        return value if isinstance(value, str) else None

    def texts(self, keyword: str) -> tuple[str, ...] | None:
        """Return a keyword's list of strings, None where it is absent or computed."""
        value = self.keywords.get(keyword)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            return None
        return tuple(value)


def read_setup_script(files: Files, path: str) -> SetupScript:
    """Read what setup.py says in literals. A script that is absent or cannot be parsed says nothing."""
    setups: list[Mapping[str, object]] = []
    extensions: list[tuple[str, Mapping[str, object]]] = []
    manifests: list[str] = []
    for call in ast.walk(parsed(read_text(files, path) or "")):
        if not isinstance(call, ast.Call):
            continue
        name = called(call)
        if name == "setup":
            setups.append(_literals(call))
        if name in _EXTENSIONS:
            extensions.append((first_text(call), _literals(call)))
        if name in _CRATES and isinstance(manifest := _literals(call).get("path", "Cargo.toml"), str):
            manifests.append(manifest)
    return SetupScript(
        keywords=setups[0] if len(setups) == 1 else {},
        extensions=tuple(extensions),
        rust_manifests=tuple(manifests),
    )


def parsed(text: str) -> ast.Module:
    """Parse a script; what cannot be (Python 2, a null byte, nested too deep) is empty: its backend will tell."""
    try:
        return parse_script(text)
    except UntrustedTextError:
        return ast.Module(body=[], type_ignores=[])


def called(call: ast.Call) -> str:
    """Return the last word of what a call calls, "" where it is computed."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def first_text(call: ast.Call) -> str:
    """Return the literal first argument, or the one named `name`; "" where there is none."""
    first = call.args[0] if call.args else next((item.value for item in call.keywords if item.arg == "name"), None)
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _literals(call: ast.Call) -> dict[str, object]:
    literals: dict[str, object] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            continue
        try:
            literals[keyword.arg] = literal(keyword.value)
        except UntrustedTextError:
            continue  # A computed value cannot be read.
    return literals


def constants(nodes: Iterable[ast.expr]) -> Iterator[str]:
    """Yield the texts among some expressions."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def strings(tree: ast.AST) -> Sequence[str]:
    """Return every text in a script."""
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
