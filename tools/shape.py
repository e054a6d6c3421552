"""Measures the code's shape: `python -m tools.shape`, for the next reader to compare.

The lines of a function are those from its `def` to its end. A comment counts wherever it is on its line, but for what
linters read.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from operator import attrgetter
from pathlib import Path
from statistics import median, quantiles
from tokenize import COMMENT, TokenInfo, generate_tokens

import grimp

ROOT = Path(__file__).parents[1]
MOST_COMPREHENSIONS = 4
_VAGUE = frozenset({"one", "each", "found", "said"})
_OF_LINTERS = ("# noqa", "# type:")
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Loop = ast.For | ast.AsyncFor | ast.comprehension


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file: its lines, how many of them are comments, and its functions."""

    path: str
    lines: int
    comments: int
    functions: tuple["Function", ...]
    vague_loops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function or method, with the comprehensions that it holds."""

    name: str
    lines: int
    comprehensions: int


def measured(path: str, text: str) -> Module:
    """Measure the text of a file."""
    tree = ast.parse(text)
    lines = text.splitlines()
    return Module(
        path=path,
        lines=len(lines),
        comments=sum(map(_is_comment, generate_tokens(StringIO(text).readline))),
        functions=tuple(_function(node) for node in ast.walk(tree) if isinstance(node, _Function)),
        vague_loops=sum(name in _VAGUE for node in ast.walk(tree) if isinstance(node, _Loop) for name in _names(node)),
    )


def _is_comment(token: TokenInfo) -> bool:
    return token.type == COMMENT and not token.string.startswith(_OF_LINTERS)


def _function(node: _Function) -> Function:
    held = sum(isinstance(inner, _COMPREHENSIONS) for inner in ast.walk(node))
    return Function(name=node.name, lines=(node.end_lineno or node.lineno) - node.lineno + 1, comprehensions=held)


def _names(loop: _Loop) -> Iterator[str]:
    """Yield the variables of a loop or a comprehension."""
    return (node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name))


def circles(package: str) -> Sequence[Sequence[str]]:
    """Return the sets of modules that import each other, directly or through others."""
    graph = grimp.build_graph(package)
    below = {module: graph.find_upstream_modules(module) | {module} for module in graph.modules}
    same = {frozenset(other for other in below[module] if module in below[other]) for module in below}
    return sorted(sorted(modules) for modules in same if len(modules) > 1)


def rendered(modules: Sequence[Module], imports: Sequence[Sequence[str]]) -> str:
    """Write the measures, a line each."""
    functions = [function for module in modules for function in module.functions]
    lengths = [function.lines for function in functions]
    lines, comments = (sum(map(attrgetter(name), modules)) for name in ("lines", "comments"))
    longest, tallest = max(modules, key=attrgetter("lines")), max(functions, key=attrgetter("lines"))
    dense = [function.name for function in functions if function.comprehensions > MOST_COMPREHENSIONS]
    rows = [
        ("files", f"{len(modules)}, {lines} lines; the longest {longest.lines}: {longest.path}"),
        ("functions", f"{len(functions)}; lines: median {median(lengths):g}, p90 {quantiles(lengths, n=10)[8]:g}"),
        ("longest function", f"{tallest.lines} lines: {tallest.name}"),
        ("comments", f"{comments} lines, {comments / lines:.1%}"),
        ("import circles", _listed(list(map(" <-> ".join, imports)))),
        (f"more than {MOST_COMPREHENSIONS} comprehensions", _listed(dense)),
        ("vague loop variables", str(sum(map(attrgetter("vague_loops"), modules)))),
    ]
    return "".join(f"{name:28} {measure}\n" for name, measure in rows)


def _listed(names: Sequence[str]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "none"


def main() -> None:
    """Print the measures of the package."""
    package = ROOT / "factory"
    paths = sorted(path for path in package.rglob("*.py") if path.stat().st_size)
    modules = [measured(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths]
    print(rendered(modules, circles(package.name)), end="")


if __name__ == "__main__":
    main()
