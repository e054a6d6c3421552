"""Compare wheels made here with those that their projects publish, as this machine's index has them.

    .venv/bin/python -m bench.compare_official dist/*.whl

Compared are tags without the platform, module files, what their objects need beside libc's family, and the names that
an import finds at the top. The platform may differ: another image, another floor of glibc.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename
from rich.console import Console
from rich.table import Table

from factory.audit.modules import module_files
from factory.errors import FactoryError, SourceError
from factory.host import Host, read_host
from factory.resolve import Found, Unresolved, download, resolve_requirements
from factory.store import Store
from factory.tags import Interpreter, PlatformTag
from factory.wheel import Wheel, read_wheel

_LIBC_FAMILY = re.compile(r"(?:lib(?:c|m|pthread|dl|rt|util|gcc_s)|ld-linux[\w-]*)\.so\.\d+")
_GRAFT_HASH = re.compile(r"-[0-9a-f]{8}(?=\.so|\.\d)")
_NEWEST_TO_ASK_FOR = Interpreter(sys.version_info.minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What two wheels of one release share wherever they were built.

    Objects of `needed` are named by path; a grafted library's name is taken without the hash that auditwheel adds.
    """

    tags: frozenset[str]
    modules: frozenset[str]
    needed: Mapping[str, frozenset[str]]
    top_level: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One trait in which two wheels differ."""

    trait: str
    here: str
    official: str


def traits(wheel: Wheel) -> Traits:
    """Read what is compared from a wheel."""
    return Traits(
        tags=frozenset(f"{tag.interpreter}-{tag.abi}" for tag in wheel.tags),
        modules=frozenset(module.path for module in module_files(wheel)),
        needed={_unhashed(path): _beside_libc(shared.needed) for path, shared in wheel.objects.items()},
        top_level=frozenset(
            top for name in wheel.members if not (top := name.partition("/")[0]).endswith(".dist-info")
        ),
    )


def differences(here: Traits, official: Traits) -> tuple[Difference, ...]:
    """Name every trait in which two wheels differ, with both values."""
    pairs = ((field.name, getattr(here, field.name), getattr(official, field.name)) for field in fields(Traits))
    return tuple(
        Difference(trait=name, here=_text(mine), official=_text(theirs))
        for name, mine, theirs in pairs
        if mine != theirs
    )


def official_wheel(filename: str, host: Host, folder: Path) -> Path:
    """Download the published wheel of the same release for an interpreter that the named wheel is for.

    Raises:
        SourceError: the index has none, or does not answer.
    """
    name, version, _, _ = parse_wheel_filename(filename)
    *_, python, abi, platforms = filename.removesuffix(".whl").split("-")
    found = resolve_requirements(
        [Requirement(f"{name}=={version}")],
        interpreter=_interpreter(python, abi),
        platform=max(PlatformTag.parse(platform) for platform in platforms.split(".")),
        host=host,
        folder=folder,
    )
    with Store.open(folder / "store") as store:
        kept = found if isinstance(found, Unresolved) else download(_only(name, found), host, store)
        if isinstance(kept, Unresolved):
            raise SourceError(f"no published wheel to compare {filename} with: {kept.sentence}", hint=kept.hint)
        (file,) = kept.files
        path = folder / file.filename
        path.write_bytes(store.read(file.digest))
    return path


def compare(path: Path, host: Host) -> tuple[str, tuple[Difference, ...]]:
    """Compare a wheel with the published one; return that one's file name and the differences."""
    with TemporaryDirectory() as folder:
        official = official_wheel(path.name, host, Path(folder))
        return official.name, differences(traits(read_wheel(path)), traits(read_wheel(official)))


def _interpreter(python: str, abi: str) -> Interpreter:
    """Choose who is asked for: an abi3 wheel's is the newer of its floor and the Python that compares."""
    own = Interpreter.parse(f"{python}t" if abi.endswith("t") else python)
    return max(own, _NEWEST_TO_ASK_FOR) if abi.startswith("abi3") else own


def _only(name: str, found: Found) -> Found:
    return Found(files=tuple(file for file in found.files if parse_wheel_filename(file.filename)[0] == name))


def _beside_libc(needed: Sequence[str]) -> frozenset[str]:
    return frozenset(_unhashed(name) for name in needed if not _LIBC_FAMILY.fullmatch(name))


def _unhashed(path: str) -> str:
    return _GRAFT_HASH.sub("", path)


def _text(value: frozenset[str] | Mapping[str, frozenset[str]]) -> str:
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    return "; ".join(f"{path} needs {_text(needed)}" for path, needed in sorted(value.items())) or "no object"


def _rows(paths: Sequence[Path], host: Host) -> Iterator[tuple[str, str, str]]:
    for path in paths:
        published, found = compare(path, host)
        said = [f"{one.trait}: {one.here} here, {one.official} there" for one in found]
        yield path.name, published, "\n".join(said) or "equal"


def main(paths: Sequence[Path]) -> int:
    """Print a line for each wheel; 1 where one differs."""
    console = Console()
    table = Table(box=None)
    for title in ("made here", "published", "tags, modules, needed, top level"):
        table.add_column(title, overflow="fold")
    try:
        rows = list(_rows(paths, read_host()))
    except FactoryError as error:
        console.print(f"{error.message}\n  hint: {error.hint}", markup=False)
        return error.exit_code
    for row in rows:
        table.add_row(*row)
    console.print(table)
    return int(any(said != "equal" for _, _, said in rows))


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
