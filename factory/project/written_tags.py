"""Tags of wheels for every Python that a project's own code writes: its `bdist_wheel`, or its hook for hatchling.

The code is read, never run. What is computed, or differs between its branches, is not read.
"""

import ast
import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from factory.project.cargo import inside
from factory.project.files import Reading, read_text
from factory.project.model import BuildSystem, ReadTag
from factory.project.setup_script import called, parsed
from factory.tables import Table
from factory.tags import AnyPython

_COMMAND = "bdist_wheel"
_FLOOR = "py_limited_api"
_PURE = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTags:
    """The tag without an ABI that code gives every wheel, or what code gives wheels tags that cannot be read."""

    tag: ReadTag | None = None
    computed: str | None = None


def written_tags(files: Reading, folder: str, pyproject: Table, system: BuildSystem) -> WrittenTags:
    """Read the code of a project that tags its wheels.

    A backend in the source's own folder is usually a thin layer over setuptools, so its setup.py is read, too.
    """
    top = system.module
    if top == "hatchling":
        return _of_hook(files, folder, pyproject)
    return _of_command(files, folder, pyproject) if top == "setuptools" or system.backend_path else WrittenTags()


def _of_command(files: Reading, folder: str, pyproject: Table) -> WrittenTags:
    """Read `get_tag` of the class that stands in for setuptools' `bdist_wheel`, and whether its floor is set."""
    script = f"{folder}setup.py"
    setup = parsed(read_text(files, script) or "")
    values = _named_values(setup)
    path, name = _command(folder, pyproject, values)
    for node in ast.walk(setup if path == script else parsed(read_text(files, path) or "" if name else "")):
        if isinstance(node, ast.ClassDef) and node.name == name:
            where = f"{path}: {name}.get_tag"
            for tag in (_returned(item) for item in node.body if _is_get_tag(item)):
                return _written(tag, f"{where} returns {tag}", where)
    is_set = not values.keys().isdisjoint((_FLOOR, _key(_FLOOR)))
    return WrittenTags(computed=f"{script}: {_FLOOR}" if is_set else None)


def _written(tag: AnyPython | None, where: str, computed: str) -> WrittenTags:
    return WrittenTags(computed=computed) if tag is None else WrittenTags(tag=ReadTag(tag=tag, where=where))


def _command(folder: str, pyproject: Table, values: "_Values") -> tuple[str, str]:
    """Return in which file the class for a command lies, and its name; "" where that is not clear.

    `values` are those of setup.py.
    """
    module, _, name = str(pyproject.table("tool", "setuptools", "cmdclass").get(_COMMAND) or "").rpartition(".")
    if module:
        path = inside(posixpath.dirname(folder), f"{module.replace('.', '/')}.py")
        return (path, name) if path else ("", "")
    given = values.get(_key(_COMMAND), [])
    names = {value.id if isinstance(value, ast.Name) else "" for value in given}
    return f"{folder}setup.py", names.pop() if len(names) == 1 else ""


def _is_get_tag(item: ast.stmt) -> bool:
    return isinstance(item, ast.FunctionDef) and item.name == "get_tag"


def _returned(function: ast.stmt) -> AnyPython | None:
    """Return what all `return` of a `get_tag` give: `"py3", "none", platform`."""
    known: dict[str, str] = {}
    returned: set[AnyPython | None] = set()
    for statement in function.body if isinstance(function, ast.FunctionDef) else ():
        if isinstance(statement, ast.Assign):
            _assign(statement, known)
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                known.pop(node.id, None)  # a branch may have changed it
        returned |= {_tag(node.value, known) for node in ast.walk(statement) if isinstance(node, ast.Return)}
    return returned.pop() if len(returned) == 1 else None


def _assign(statement: ast.Assign, known: dict[str, str]) -> None:
    """Keep the texts that an assignment gives names, and forget what names had before."""
    for target in statement.targets:
        for name, value in _pairs(target, statement.value):
            known.pop(name, None)
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                known[name] = value.value


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    match target, value:
        case ast.Name(id=name), _:
            yield name, value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
            for inner, item in zip(targets, values, strict=True):
                yield from _pairs(inner, item)
        case _:
            yield from ((node.id, None) for node in ast.walk(target) if isinstance(node, ast.Name))


def _tag(returned: ast.expr | None, known: Mapping[str, str]) -> AnyPython | None:
    """Read the tuple that `get_tag` returns: python tag, ABI tag, platform tag."""
    match returned:
        case ast.Tuple(elts=[python, abi, platform]) if _text(platform, known) != _PURE:
            return AnyPython.named(f"{_text(python, known)}-{_text(abi, known)}")
        case ast.BinOp(left=ast.Tuple(elts=[python, abi]), op=ast.Add()):
            return AnyPython.named(f"{_text(python, known)}-{_text(abi, known)}")
        case _:
            return None


def _text(value: ast.expr, known: Mapping[str, str]) -> str:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return known.get(name, "")
        case _:
            return ""


def _of_hook(files: Reading, folder: str, pyproject: Table) -> WrittenTags:
    """Read what hatchling's custom build hook puts into `build_data["tag"]`."""
    path = _hook(files, folder, pyproject)
    values = _named_values(parsed(read_text(files, path) or "" if path else ""))
    inferred = any(
        isinstance(value, ast.Constant) and value.value is True for value in values.get(_key("infer_tag"), [])
    )
    if _key("tag") not in values:
        return WrittenTags()
    tags = {_tag_at_the_beginning(text) for text in _beginnings(_key("tag"), values)}
    tag, where = tags.pop() if len(tags) == 1 and not inferred else None, f'{path}: build_data["tag"]'
    return _written(tag, f"{where} begins with {tag}", where)


def _hook(files: Reading, folder: str, pyproject: Table) -> str | None:
    """Return the path of the hook (hatchling's configuration, "Build hooks"); hatch.toml goes before pyproject.toml."""
    own = files.table(f"{folder}hatch.toml")
    build = own.table("build") if own is not None and "build" in own else pyproject.table("tool", "hatch", "build")
    wheels = build.table("targets", "wheel", "hooks")
    hooks = wheels if "custom" in wheels else build.table("hooks")
    if "custom" not in hooks:
        return None
    return inside(posixpath.dirname(folder), hooks.table("custom").text("path") or "hatch_build.py")


def _tag_at_the_beginning(text: str) -> AnyPython | None:
    python, _, rest = text.partition("-")
    abi, _, platform = rest.partition("-")
    return None if platform == _PURE else AnyPython.named(f"{python}-{abi}")


_Values = Mapping[str, list[ast.expr]]


def _key(text: str) -> str:
    return f"[{text}]"


def _named_values(tree: ast.AST) -> _Values:
    """Return all that a script assigns to a variable or an attribute, or returns from a function, by its name.

    What it puts below a key, into any mapping, is found by `_key`.
    """
    values: dict[str, list[ast.expr]] = defaultdict(list)
    for node in ast.walk(tree):
        for name, value in _given(node):
            values[name].append(value)
    return values


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((name, value) for target in targets if (name := _name(target)))
        case ast.AnnAssign(target=target, value=ast.expr() as value) if name := _name(target):
            yield name, value
        case ast.FunctionDef(name=name):
            returns = (item.value for item in ast.walk(node) if isinstance(item, ast.Return))
            yield from ((name, value) for value in returns if value is not None)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield _key(key.value), value
        case ast.Call(keywords=keywords) if called(node) in ("dict", "update"):
            yield from ((_key(keyword.arg), keyword.value) for keyword in keywords if keyword.arg)


def _name(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(text))):
            return _key(text)
        case _:
            return ""


def _beginnings(name: str, values: _Values) -> Iterator[str]:
    """Yield with what texts a name's values may begin, "" for one that is computed; each name is followed once."""
    todo, followed = list(values.get(name, [])), {name}
    while todo:
        match todo.pop():
            case ast.Constant(value=str(text)) | ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                yield text
            case ast.BinOp(left=first) | ast.Call(func=ast.Attribute(value=ast.Constant() as first)):
                todo.append(first)
            case ast.IfExp(body=body, orelse=orelse):
                todo += [body, orelse]
            case ast.Name(id=other) | ast.Attribute(attr=other) if other in values:
                todo += [] if other in followed else values[other]
                followed.add(other)
            case ast.Call(func=ast.Name() | ast.Attribute() as function):
                todo.append(function)
            case _:
                yield ""
