"""The layers of the import contract, as a picture and a table."""

import ast
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

ROOT = Path(__file__).parents[1]
_PACKAGE = ROOT / "factory"


def layers() -> Sequence[tuple[str, ...]]:
    """Return the layers that import-linter enforces, the top one first: the modules of each."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    rows = cast("Sequence[str]", contract["contracts"][0]["layers"])
    return [tuple(row.split(" | ")) for row in rows]


def rendered() -> str:
    """Return the picture and the table as Markdown."""
    return f"{_picture()}\n{_table()}"


def _picture() -> str:
    """Draw each layer above those that it may import."""
    rows = list(layers())
    boxes = [f'    l{number}["{" · ".join(names)}"]' for number, names in enumerate(rows)]
    arrows = "    " + " --> ".join(f"l{number}" for number in range(len(rows)))
    return "\n".join(["```mermaid", "flowchart TD", *boxes, arrows, "```", ""])


def _table() -> str:
    lines = ["| layer | module | |", "| --- | --- | --- |"]
    lines += [f"| {number} | `{name}` | {caption} |" for number, name, caption in _rows()]
    return "\n".join([*lines, ""])


def _rows() -> Iterator[tuple[int, str, str]]:
    for number, names in enumerate(layers(), 1):
        for name in names:
            yield number, name, caption(name)


def caption(name: str) -> str:
    """Return the first line of a module's docstring."""
    package = _PACKAGE / name / "__init__.py"
    path = package if package.exists() else _PACKAGE / f"{name}.py"
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
