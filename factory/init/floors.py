"""The abi3 floor that a source asks for, and how it reaches the build."""

import re
from dataclasses import dataclass

from factory.init.cibuildwheel import Settings
from factory.init.model import Carried, Entry, Left
from factory.init.modules import fixed_floors
from factory.project.files import Files
from factory.project.model import Project
from factory.tables import Table
from factory.tags import Abi3Floor

_OPTION = re.compile(r"--py-limited-api=(cp3[0-9]{1,2})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """Floors, and the fields that state them; both may be empty."""

    floors: tuple[Abi3Floor, ...] = ()
    carried: tuple[Carried, ...] = ()


def read_floors(files: Files, project: Project | None, pyproject: Table, settings: Settings | None) -> Floors:
    """Find the floor: in what the project states, in an option of cibuildwheel's, else in literals of setup.py.

    Where the building interpreter decides, the recipe says nothing: a plan reads that out of the source itself.
    """
    option = _OPTION.search(str((settings.options if settings else {}).get("config-settings")))
    fixed = fixed_floors(files, "")
    if project is not None and project.any_abi is not None:
        return Floors()  # a plan reads it, and its wheels have no floor
    if project is not None and project.floor is not None:
        way = "" if project.floor.way == "default" else project.floor.way
        return _floors(project.floor.floors, project.floor.where, way)
    if option is not None and settings is not None:
        where = f"{settings.place}.config-settings"
        return _floors((Abi3Floor.parse(option[1]),), where, {"option": "--py-limited-api={floor}"})
    if fixed:
        where = f"setup.py says py_limited_api {' and '.join(map(str, fixed))}, under conditions that are not read"
        return _floors(fixed[:1], where, "project")
    return Floors(carried=_possible(pyproject))


def _floors(floors: tuple[Abi3Floor, ...], where: str, way: str | dict[str, str]) -> Floors:
    names = tuple(str(floor) for floor in floors)
    carried = [Entry(field=("abi3",), value=names if len(names) > 1 else names[0], why=where)]
    if way:
        carried.append(Entry(field=("build", "floor"), value=way, why="how the floor reaches the build"))
    return Floors(floors=floors, carried=tuple(carried))


def _possible(pyproject: Table) -> tuple[Carried, ...]:
    modules = pyproject.table("tool", "setuptools-rust").tables("ext-modules")
    if not any(module.get("py-limited-api") in ("auto", True) for module in modules):
        return ()
    way = "build: {floor: {option: '--py-limited-api={floor}'}}"
    hint = f"for one wheel instead of one per version, if the crate allows it, write abi3: cp39 and {way}"
    return (Left(what=f"{pyproject.place}: py-limited-api", why=hint),)
