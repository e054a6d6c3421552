"""Compare wheels made here with those that their projects publish, as this machine's index has them.

    make compare            # every wheel of dist/
    .venv/bin/python -m bench.compare_official some.whl other.whl

Compared are tags without the platform, module files, what the project's own objects need beside libc's family, and the
names that an import finds at the top. The platform may differ: another image, another floor of glibc. So may the
libraries that auditwheel copied: they are those of the image's distribution, and what one of them needs is not the
project's affair. A wheel of a release that is published nowhere is named and compared with nothing.
"""

import re
import sys
from collections.abc import Mapping, Sequence
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
from factory.resolve import Found, Question, Unresolved, download, resolve_requirements
from factory.store import Store
from factory.tags import Interpreter, PlatformTag
from factory.wheel import Wheel, read_wheel

_LIBC_FAMILY = re.compile(r"(?:lib(?:c|m|pthread|dl|rt|util|gcc_s)|ld-linux[\w-]*)\.so\.\d+")
_GRAFT = re.compile(r"(?P<name>.+)-[0-9a-f]{8}(?P<api>[.\d]*\.so(?:\.\d+)?)[.\d]*")
_GRAFTS_FOLDER = ".libs"
_NEWEST_TO_ASK_FOR = Interpreter(sys.version_info.minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What two wheels of one release share wherever they were built.

    `needed` holds the project's own objects by path. A grafted library that one needs is named without the hash that
    auditwheel adds, and without what stands behind the version of its interface: `libpq.so.5`.
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
        needed={path: _beside_libc(shared.needed) for path, shared in wheel.objects.items() if not _is_graft(path)},
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


def official_wheel(filename: str, host: Host, folder: Path) -> Path | None:
    """Download the published wheel of the same release for an interpreter that the named wheel is for.

    None where the release is not published, or not as a wheel for that interpreter.

    Raises:
        SourceError: the index does not answer, or what it answers cannot be taken.
    """
    for number, interpreter in enumerate(_interpreters(filename)):
        place = folder / str(number)
        place.mkdir()
        found = _resolved(filename, interpreter, host, place)
        if isinstance(found, Found):
            return _downloaded(parse_wheel_filename(filename)[0], found, host, folder)
        if found.kind not in ("no-wheel", "unsatisfiable"):
            raise SourceError(f"no published wheel to compare {filename} with: {found.sentence}", hint=found.hint)
    return None


def compare(path: Path, host: Host) -> tuple[str, tuple[Difference, ...]] | None:
    """Compare a wheel with the published one: its file name and the differences, None where nothing is published.

    Raises:
        SourceError: the index does not answer, or what it answers cannot be taken.
    """
    with TemporaryDirectory() as folder:
        official = official_wheel(path.name, host, Path(folder))
        if official is None:
            return None
        return official.name, differences(traits(read_wheel(path)), traits(read_wheel(official)))


def _interpreters(filename: str) -> tuple[Interpreter, ...]:
    """Choose who is asked for, one after the other: for an abi3 wheel its floor, so that the same floor answers.

    The wheel or its requirements may have nothing for the floor itself (`Requires-Python: !=3.9.0`, or no support any
    more), and the next version prefers the same floor. Without an ABI it is the Python that compares.
    """
    *_, python, abi, _ = filename.removesuffix(".whl").split("-")
    if abi == "none":
        return (_NEWEST_TO_ASK_FOR,)
    own = Interpreter.parse(f"{python}t" if abi.endswith("t") else python)
    if not abi.startswith("abi3"):
        return (own,)
    return tuple(Interpreter(minor) for minor in range(own.minor, max(own, _NEWEST_TO_ASK_FOR).minor + 1))


def _resolved(filename: str, interpreter: Interpreter, host: Host, folder: Path) -> Found | Unresolved:
    name, version, _, _ = parse_wheel_filename(filename)
    platforms = filename.removesuffix(".whl").rpartition("-")[2].split(".")
    question = Question(
        requirements=[Requirement(f"{name}=={version}")],
        interpreter=interpreter,
        platform=max(PlatformTag.parse(platform) for platform in platforms),
    )
    return resolve_requirements(question, host=host, folder=folder)


def _downloaded(name: str, found: Found, host: Host, folder: Path) -> Path:
    with Store.open(folder / "store") as store:
        kept = download(_only(name, found), host, store)
        if isinstance(kept, Unresolved):
            raise SourceError(f"the published wheel of {name} cannot be had: {kept.sentence}", hint=kept.hint)
        (file,) = kept.files
        path = folder / file.filename
        path.write_bytes(store.read(file.digest))
    return path


def _only(name: str, found: Found) -> Found:
    return Found(files=tuple(file for file in found.files if parse_wheel_filename(file.filename)[0] == name))


def _beside_libc(needed: Sequence[str]) -> frozenset[str]:
    return frozenset(_GRAFT.sub(r"\g<name>\g<api>", name) for name in needed if not _LIBC_FAMILY.fullmatch(name))


def _is_graft(path: str) -> bool:
    return path.partition("/")[0].endswith(_GRAFTS_FOLDER)


def _text(value: frozenset[str] | Mapping[str, frozenset[str]]) -> str:
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    return "; ".join(f"{path} needs {_text(needed)}" for path, needed in sorted(value.items())) or "no object"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    made_here: str
    published: str
    found: str
    differs: bool


def _row(path: Path, host: Host) -> _Row:
    compared = compare(path, host)
    if compared is None:
        return _Row(made_here=path.name, published="none", found="nothing to compare with", differs=False)
    published, differences = compared
    text = "\n".join(f"{trait.trait}: {trait.here} here, {trait.official} there" for trait in differences) or "equal"
    return _Row(made_here=path.name, published=published, found=text, differs=bool(differences))


def main(paths: Sequence[Path]) -> int:
    """Print a line for each wheel; 1 where one differs."""
    console = Console()
    table = Table(box=None)
    for title in ("made here", "published", "tags, modules, needed, top level"):
        table.add_column(title, overflow="fold")
    try:
        host = read_host()
        rows = [_row(path, host) for path in paths]
    except FactoryError as error:
        console.print(f"{error.message}\n  hint: {error.hint}", markup=False)
        return error.exit_code
    for row in rows:
        table.add_row(row.made_here, row.published, row.found)
    console.print(table)
    return int(any(row.differs for row in rows))


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
