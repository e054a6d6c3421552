"""What proves that tests ran on the installed wheel: its importable names, and what watches for them."""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath

from factory.audit.closure import installed_path
from factory.guests import program
from factory.steps import ENVIRONMENT
from factory.tags import Interpreter

_MODULE = re.compile(r"(?P<name>[^/.]+)(?:\.py|(?:\.(?:cpython|pypy|abi3)[^/]*)?\.so)")
_TESTS = frozenset({"test", "tests", "_test", "_tests", "conftest"})
_NAME = "_factory_witness"


def site_packages(interpreter: Interpreter) -> PurePosixPath:
    """Return where the environment of a trial has what is installed."""
    return ENVIRONMENT / "lib" / interpreter.program / "site-packages"


def roots_of(members: Iterable[str]) -> tuple[str, ...]:
    """Return what a wheel brings to import: its packages and modules, those in a namespace (PEP 420) by dotted names.

    What tests are named by is left out: a package `tests` is not what they are to prove.
    """
    modules = {parts for member in members if (parts := _module(PurePosixPath(installed_path(member)).parts))}
    packages = {parts[:-1] for parts in modules if parts[-1] == "__init__"}
    return tuple(sorted({".".join(_root(parts, packages)) for parts in modules} - {""}))


def modules_in(paths: Collection[str], roots: Iterable[str]) -> frozenset[str]:
    """Return which files of a source are modules that a wheel brings, or lie in packages that it brings.

    A folder counts as such a package where it has an `__init__.py`. Tests inside packages are left out.
    """
    wanted = {tuple(root.split(".")) for root in roots}
    files = {path: PurePosixPath(path).parts for path in paths}
    known = set(files.values())
    return frozenset(path for path, parts in files.items() if _module(parts) and _is_below(parts, wanted, known))


def witness_files(roots: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the files that watch, as they lie in site-packages."""
    yield f"{_NAME}.py", program("witness.py").encode()
    yield f"{_NAME}.names", "\n".join(roots).encode()
    yield f"{_NAME}.pth", f"import {_NAME}\n".encode()


def witness_program(interpreter: Interpreter) -> PurePosixPath:
    """Return the path of the program that compares what it saw with what was installed."""
    return site_packages(interpreter) / f"{_NAME}.py"


def _module(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts of a module's dotted name; none where the file is no module, or a test."""
    match = _MODULE.fullmatch(parts[-1]) if parts else None
    named = (*parts[:-1], match["name"]) if match else ()
    return () if any(_is_test(part) for part in named) else named


def _is_test(name: str) -> bool:
    return name in _TESTS or name.startswith("test_") or name.endswith("_test")


def _root(parts: tuple[str, ...], packages: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    if not all(part.isidentifier() for part in parts):
        return ()
    return next((parts[:size] for size in range(1, len(parts)) if parts[:size] in packages), parts)


def _is_below(parts: tuple[str, ...], roots: Collection[tuple[str, ...]], known: Collection[tuple[str, ...]]) -> bool:
    named = _module(parts)
    for start in range(len(named)):
        for end in range(start + 1, len(named) + 1):
            is_package = (*named[:end], "__init__.py") in known
            if named[start:end] in roots and (is_package or end == len(named)):
                return True
    return False
