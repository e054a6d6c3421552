"""No room but `factory.untrusted` calls a raw parser: ruff bans what can be banned by name, this finds every call."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import factory

ROOT = Path(factory.__file__).parent
MODULES = frozenset({"tomllib", "configparser", "csv", "email", "packaging.metadata", "packaging.dependency_groups"})
PARSERS = frozenset(
    {
        *("packaging.requirements.Requirement", "packaging.markers.Marker", "packaging.version.Version"),
        *("packaging.specifiers.Specifier", "packaging.specifiers.SpecifierSet", "packaging.tags.parse_tag"),
        *("packaging.utils.parse_wheel_filename", "packaging.utils.parse_sdist_filename", "packaging.version.parse"),
        *("json.loads", "json.load", "ast.parse", "ast.literal_eval"),
    }
)
OURS = {
    "codec.py": "reads the ledger, which the factory wrote",
    "events/read.py": "reads events, which the factory wrote",
    "host/cargo.py": "reads the user's own files",
    "host/pip.py": "reads the user's own files",
    "policy.py": "reads auditwheel's tables",
    "tags.py": "expands a triple that it wrote itself",
    "images/pulled.py": "reads our own data files",
    "images/rust.py": "reads our own data files",
    "images/spec.py": "reads our own data files",
    "plan/toolchain.py": "takes specifiers that the recipe's reader has read",
    "guests/frontend.py": "runs in a build's container, on what the factory hands it",
    "guests/load_windows.py": "runs in a load's container, on what the factory hands it",
    "guests/run_bazel.py": "runs in a build's container, on what the factory hands it and Bazel writes",
    "tool_bundle.py": "reads our own lock",
    "guests/costs.py": "runs in a trial's container, on what the factory hands it",
    "guests/threaded.py": "runs in a trial's container, on what the factory hands it",
    "guests/threads.py": "runs in a trial's container, on what the factory hands it",
    "guests/trying.py": "runs in a trial's container, on what the factory hands it",
    "store/durations.py": "reads how long jobs took, which the factory wrote",
    "store/entry.py": "reads the ledger, which the factory wrote",
}


def raw_parsers(source: str) -> list[str]:
    """Name the raw parsers that a module imports, calls with anything but a literal, or hands on."""
    tree = ast.parse(source)
    imported = list(_imported(tree))
    names = {local: name for local, name, _ in imported}
    found = [whole for _, _, whole in imported if any(whole == m or whole.startswith(f"{m}.") for m in MODULES)]
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        called = _dotted(call.func, names)
        if called.endswith(".evaluate") or _validates(called, call):
            found.append(called)
        if called in PARSERS and not all(isinstance(argument, ast.Constant) for argument in call.args):
            found.append(called)
        found += [handed for argument in call.args if (handed := _dotted(argument, names)) in PARSERS]
    return found


def _imported(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    """Yield each name that an import binds, what it stands for, and all that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield alias.asname or top, alias.name if alias.asname else top, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield alias.asname or alias.name, name, name


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Attribute(value=value, attr=attribute):
            return f"{_dotted(value, names)}.{attribute}"
        case _:
            return ""


def _validates(called: str, call: ast.Call) -> bool:
    return called == "packaging.utils.canonicalize_name" and any(word.arg == "validate" for word in call.keywords)


def _sources() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(("untrusted/", "data/")):
            yield name, path.read_text(encoding="utf-8")


@pytest.mark.thorough
def test_no_other_module_calls_a_raw_parser() -> None:
    found = {name: parsers for name, text in _sources() if name not in OURS and (parsers := raw_parsers(text))}

    assert not found


def test_each_exception_is_still_needed() -> None:
    sources = dict(_sources())

    assert [name for name in OURS if not raw_parsers(sources[name])] == []


OFFENDERS = {
    "a module": "import tomllib\n",
    "a name of it": "from email.parser import BytesParser\n",
    "a call": "from packaging.requirements import Requirement\nRequirement(text)\n",
    "by another name": "from packaging.version import Version as V\nV(text)\n",
    "through the module": "import packaging.version\npackaging.version.Version(text)\n",
    "handed on": "from packaging.version import Version\nlist(map(Version, texts))\n",
    "a marker": "requirement.marker.evaluate(environment)\n",
    "a validated name": "from packaging.utils import canonicalize_name\ncanonicalize_name(text, validate=True)\n",
    "inside a function": "def f(text):\n    from json import loads\n    return loads(text)\n",
}


@pytest.mark.parametrize("source", OFFENDERS.values(), ids=OFFENDERS)
def test_a_raw_parser_is_found_however_it_is_called(source: str) -> None:
    assert raw_parsers(source)


def test_types_literals_and_plain_names_are_no_parsers() -> None:
    source = (
        "from packaging.version import Version\nfrom packaging.utils import canonicalize_name\n"
        "def f(version: Version) -> Version:\n    return max(version, Version('1.0'))\ncanonicalize_name(text)\n"
    )

    assert raw_parsers(source) == []
