"""The images that this factory bootstraps, as their data files declare them; no engine is asked."""

import tomllib  # noqa: TID251 -- for data files of our own
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final, cast

from packaging.version import Version

from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.tags import Interpreter, PlatformTag

TEMPLATE: Final = "assemble.sh.j2"
"""The script of a family's images; a family without one is pulled."""

_Table = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rust:
    """Where an image's Rust comes from: a suite, its packages, and their programs that go on PATH."""

    suite: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Which interpreter runs the pinned tools, and which of their programs go on PATH."""

    interpreter: Interpreter
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """One image as declared: its facts, and what it is made from.

    `family_folder` holds the family's template, contract and lock files; `origins` names the suite that each
    interpreter's binaries come from, `compiled` the suite whose source of it is compiled on the image's own;
    `fallbacks` name per suite those that give another version of what the mirror lists for it and does not have;
    `delays` say per suite how many days after its date an index is believed although it has expired;
    `without` are path patterns that dpkg leaves out; `env` is the image's environment.
    """

    facts: ImageFacts
    family_folder: Path
    suite: str
    packages: tuple[str, ...]
    without: tuple[str, ...]
    origins: Mapping[Interpreter, str]
    env: Mapping[str, str]
    compiled: Mapping[Interpreter, str]
    fallbacks: Mapping[str, tuple[str, ...]]
    delays: Mapping[str, int]
    rust: Rust | None = None
    tools: Tools | None = None

    @property
    def scripts_folder(self) -> Path:
        """The Python scripts that the template calls."""
        return self.family_folder.parent / "scripts"

    @property
    def compiled_folder(self) -> Path:
        """The templates by which an interpreter is compiled."""
        return self.family_folder.parent / "compiled"


def data_folder() -> Path:
    """Find the images' data: `images/` of a checkout, or the copy that an installed wheel carries."""
    package = Path(__file__).parents[1]
    installed = package / "data" / "images"
    return installed if installed.is_dir() else package.parent / "images"


def is_checkout(folder: Path) -> bool:
    """Whether the data is a checkout's, to be changed, and not the installed package's."""
    return folder.parent != Path(__file__).parents[1] / "data"


def declared_specs(folder: Path | None = None) -> tuple[ImageSpec, ...]:
    """Read every bootstrapped image's data file, family by family, name by name."""
    families = {path.parent for path in (folder or data_folder()).glob(f"*/{TEMPLATE}")}
    paths = sorted(path for family in families for path in family.glob("*.toml"))
    return tuple(read_spec(path) for path in paths if path.name != "contract.toml")


def python(facts: ImageFacts, interpreter: Interpreter) -> PurePosixPath:
    """Where an interpreter lies in an image: where the pypa contract says, or where its distribution has it."""
    if facts.role == "build":
        return PurePosixPath(f"/opt/python/{interpreter.python_tag}-{interpreter.abi_tag}/bin/python")
    return PurePosixPath(f"/usr/bin/python{interpreter.version}{'t' if interpreter.free_threaded else ''}")


def read_spec(path: Path) -> ImageSpec:
    """Read one image's data file; its family is the folder's name.

    Raises:
        ImageError: the file does not say what an image must say.
    """
    try:
        return _spec(path, tomllib.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise ImageError(f"{path} declares no image: {error!r}", hint="images/README.md names every key") from error


def _spec(path: Path, table: _Table) -> ImageSpec:
    base = _table(table, "base")
    origins, compiled = (_suites(table, key) for key in ("interpreters", "compiled"))
    if not origins and not compiled:
        raise ValueError("it has no interpreters")
    rust = cast("_Table | None", table.get("rust"))
    tools = cast("_Table | None", table.get("tools"))
    return ImageSpec(
        facts=_facts(path, table, (*origins, *compiled), rust),
        family_folder=path.parent,
        suite=str(table["suite"]),
        packages=_texts(base, "packages"),
        without=_texts(base, "without") if "without" in base else (),
        origins=origins,
        compiled=compiled,
        fallbacks=_fallbacks(table),
        delays=_delays(table),
        env=MappingProxyType({key: str(value) for key, value in _table(table, "env").items()}),
        rust=None if rust is None else _rust(rust),
        tools=None if tools is None else _tools(tools),
    )


def _suites(table: _Table, key: str) -> Mapping[Interpreter, str]:
    named = _table(table, key) if key in table else {}
    return MappingProxyType({Interpreter.parse(tag): str(suite) for tag, suite in named.items()})


def _fallbacks(table: _Table) -> Mapping[str, tuple[str, ...]]:
    named = _table(table, "fallback") if "fallback" in table else {}
    return MappingProxyType({suite: _texts(named, suite) for suite in named})


def _delays(table: _Table) -> Mapping[str, int]:
    named = _table(table, "delay") if "delay" in table else {}
    for suite, days in named.items():
        if type(days) is not int or days <= 0:
            raise ValueError(f"delay.{suite} is {days!r}, not a number of days")
    return MappingProxyType(cast("dict[str, int]", dict(named)))


def _facts(path: Path, table: _Table, interpreters: tuple[Interpreter, ...], rust: _Table | None) -> ImageFacts:
    role = table["role"]
    if role not in ("build", "trial"):
        raise ValueError(f"role is {role!r}, neither build nor trial")
    return ImageFacts(
        name=f"{path.parent.name}-{path.stem}",
        family=path.parent.name,
        role="build" if role == "build" else "trial",
        platform=PlatformTag.parse(str(table["platform"])),
        interpreters=interpreters,
        rust=None if rust is None else Version(str(rust["version"])),
        c=Version(str(table["c"])) if "c" in table else None,
        packages="apt" if role == "build" else None,
    )


def _rust(table: _Table) -> Rust:
    return Rust(suite=str(table["suite"]), packages=_texts(table, "packages"), programs=_texts(table, "programs"))


def _tools(table: _Table) -> Tools:
    return Tools(interpreter=Interpreter.parse(str(table["interpreter"])), programs=_texts(table, "programs"))


def _table(table: _Table, key: str) -> _Table:
    return cast("_Table", table[key])


def _texts(table: _Table, key: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", table[key]))
