"""How a wheel's stubs are compared with what it imports: by mypy's stubtest."""

from collections.abc import Callable, Container, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

from packaging.requirements import Requirement

from factory.audit.closure import installed_path
from factory.failure import Failure
from factory.recipe.model import TestSpec
from factory.steps import SOURCE, WORK

MYPY: Final = Requirement("mypy>=1.11")
"""What has stubtest. Newer versions find more."""

_SUFFIX = ".pyi"
_STUBS_ONLY = "-stubs"
_RUN = """mkdir -p "$1"; cd "$1"; shift; exec "$@" """
_FOLDER = WORK / "stubs"


def stubbed(members: Iterable[str]) -> tuple[str, ...]:
    """Return the packages and modules of which a wheel has stubs, the outermost that have a name (PEP 561)."""
    files = {PurePosixPath(installed_path(member)).parts for member in members}
    packages = {file[:-1] for file in files if file and file[-1] in ("__init__.py", f"__init__{_SUFFIX}")}
    roots = {_root(file, packages) for file in files if file and file[-1].endswith(_SUFFIX)}
    return tuple(sorted(".".join(root).removesuffix(_STUBS_ONLY) for root in roots if root))


def stubs_fault(test: TestSpec, names: Sequence[str], has: Callable[[str], bool]) -> Failure | None:
    """Say why stubs cannot be compared as a recipe asks; `names` have some, `has` tells which files the source has."""
    if not test.stubs:
        return None
    if not names:
        hint = "pack the .pyi files, and py.typed beside them; or remove test: {stubs: true}"
        return Failure(step="stubs", message="the wheel has no stubs (.pyi) to compare", hint=hint)
    if test.stub_allowlist is not None and not has(test.stub_allowlist):
        hint = "write its path below the source's root, or remove test.stub-allowlist"
        return Failure(step="stubs", message=f"the source has no {test.stub_allowlist}", hint=hint)
    return None


def stubs_argv(test: TestSpec, names: Sequence[str], python: PurePosixPath) -> tuple[str, ...]:
    """Return the command that compares the stubs of these modules, and all below them, with the installed wheel."""
    allowed = () if test.stub_allowlist is None else ("--allowlist", str(SOURCE / test.stub_allowlist))
    # What one interpreter needs of the list, another may not.
    stubtest = (str(python), "-I", "-m", "mypy.stubtest", "--ignore-unused-allowlist", *allowed, *names)
    return ("sh", "-euc", _RUN, "stubs", str(_FOLDER), *stubtest)


def _root(file: tuple[str, ...], packages: Container[tuple[str, ...]]) -> tuple[str, ...]:
    named = (*file[:-1], file[-1].removesuffix(_SUFFIX))
    return next((named[:size] for size in range(1, len(named)) if named[:size] in packages), named)
