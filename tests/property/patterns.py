"""Every regular expression of the factory: in values of its modules, and in calls of `re` in their functions."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import AnyStr, NamedTuple, TypeAlias

import factory

Pattern: TypeAlias = re.Pattern[str] | re.Pattern[bytes]

_FROM_THE_START = {"match", "fullmatch"}
_SEARCHING = {"search", "split", "findall", "finditer", "sub", "subn"}
_NEUTRAL = {"pattern"}


class HiddenError(Exception):
    """A pattern is put together inside a function, of what only a call knows: no test can time it."""


class Named(NamedTuple):
    """A pattern, where it is, and whether the factory only ever holds it against the beginning of a text."""

    place: str
    pattern: Pattern
    from_the_start: bool = False

    def run(self, text: str) -> None:
        """Use it as the factory does, to the end of the text."""
        if isinstance(self.pattern.pattern, bytes):
            _use(self.pattern, text.encode(), from_the_start=self.from_the_start)
        else:
            _use(self.pattern, text, from_the_start=self.from_the_start)


def _use(pattern: re.Pattern[AnyStr], text: AnyStr, *, from_the_start: bool) -> None:
    if from_the_start:
        pattern.match(text)
        pattern.fullmatch(text)
    else:
        for _ in pattern.finditer(text):
            pass


@cache
def modules() -> tuple[ModuleType, ...]:
    """Import every module of the factory."""
    walked = pkgutil.walk_packages(factory.__path__, "factory.")
    return tuple(
        importlib.import_module(module.name) for module in walked if not module.name.startswith("factory.guests.")
    )


@cache
def patterns() -> tuple[Named, ...]:
    """Return every pattern once; where several places have the same, the one that searches."""
    named: dict[tuple[str | bytes, int], Named] = {}
    uses = {module: _uses(_tree(module)) for module in modules()}
    public: dict[str, set[str]] = defaultdict(set)
    for used in uses.values():
        for name, methods in used.items():
            if not name.startswith("_"):
                public[name] |= methods
    seen = set[int]()
    for module in modules():
        for item in (*_values(module, {**uses[module], **public}, seen), *_calls(module)):
            same = named.setdefault((item.pattern.pattern, item.pattern.flags), item)
            if same.from_the_start and not item.from_the_start:
                named[(item.pattern.pattern, item.pattern.flags)] = item
    return tuple(named.values())


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def _uses(tree: ast.Module) -> Mapping[str, set[str]]:
    """Return names with the methods that are called on them, and with `handed on` where they are."""
    called, uses = set(), defaultdict[str, set[str]](set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called.add(node.value)
            uses[node.value.id].add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in called:
            uses[node.id].add("handed on")  # a walk goes from the outside in: its attribute has been seen
    return uses


def _values(module: ModuleType, uses: Mapping[str, set[str]], seen: set[int]) -> Iterator[Named]:
    """Yield the patterns of a module's values; of what is no pattern itself where it is first seen."""
    for name, value in vars(module).items():
        methods = uses.get(name, set()) - _NEUTRAL
        only = isinstance(value, re.Pattern) and bool(methods) and methods <= _FROM_THE_START
        if isinstance(value, re.Pattern) or id(value) not in seen:
            seen.add(id(value))
            for pattern in _within(value, depth=6):
                yield Named(f"{module.__name__}.{name}", pattern, only)


def _within(value: object, depth: int) -> Iterator[Pattern]:
    """Yield the patterns in a value: in tables, in cases, and in what classes keep."""
    inner: list[object] = []
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, (tuple, list, set, frozenset)):
        inner += value
    elif isinstance(value, Mapping):
        inner += [*value.keys(), *value.values()]
    elif isinstance(value, type):
        inner += vars(value).values() if value.__module__.startswith("factory.") else []
    elif dataclasses.is_dataclass(value):
        inner += [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    if depth:
        for item in inner:
            yield from _within(item, depth - 1)


def _calls(module: ModuleType) -> Iterator[Named]:
    """Yield the patterns of calls within functions; those of modules are among their values."""
    for function in ast.walk(_tree(module)):
        if not isinstance(function, (ast.FunctionDef, ast.Lambda)) or _makes_a_case(function):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and (method := _method(node)) is not None:
                yield Named(f"{module.__name__}:{node.lineno}", _compiled(module, node), method in _FROM_THE_START)


def _makes_a_case(node: ast.FunctionDef | ast.Lambda) -> bool:
    """Whether a table's case is made there: it is found among the values of its module."""
    returned = node.returns if isinstance(node, ast.FunctionDef) else None
    return returned is not None and ast.unparse(returned).partition("[")[0] in ("Case", "Cause")


def _method(node: ast.Call) -> str | None:
    """Return which function of `re` is called with a pattern that is written there."""
    match node.func:
        case ast.Attribute(value=ast.Name(id="re"), attr=attr) if attr in _FROM_THE_START | _SEARCHING | {"compile"}:
            return attr
        case _:
            return None


def _compiled(module: ModuleType, node: ast.Call) -> Pattern:
    flags = [argument for argument in (*node.args[1:], *(k.value for k in node.keywords)) if _is_flags(argument)]
    try:
        text, *values = [_value(module, argument) for argument in (node.args[0], *flags)]
    except NameError as error:
        raise HiddenError(f"{module.__name__}:{node.lineno}") from error
    if isinstance(text, re.Pattern):
        return text
    if not isinstance(text, (str, bytes)):
        raise HiddenError(f"{module.__name__}:{node.lineno}")
    return re.compile(text, sum(value for value in values if isinstance(value, int)))


def _is_flags(node: ast.expr) -> bool:
    return "re." in ast.unparse(node)


def _value(module: ModuleType, node: ast.expr) -> object:
    return eval(compile(ast.Expression(node), "<pattern>", "eval"), dict(inspect.getmembers(module)))
