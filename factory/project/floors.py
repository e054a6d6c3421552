"""abi3 floors where sources state them: PyO3's features, and the settings of the tools that tag a wheel."""

import re
from collections.abc import Mapping, Sequence

from factory.project.cargo import Crate
from factory.project.model import Pyo3, ReadFloor
from factory.project.setup_script import SetupScript
from factory.tables import Table
from factory.tags import Abi3Floor
from factory.untrusted import excerpt

_MOST_FLOORS = 10
_FEATURE = re.compile(r"(?P<abi>abi3t?)-py3(?P<minor>[0-9]{1,2})")


def pyo3_floor(backend: str, crate: Crate | None, pyo3: Pyo3 | None) -> ReadFloor | None:
    """Read the floors that PyO3's features make under maturin: the lowest `abi3-pyXY`, and the lowest `abi3t-pyXY`.

    Of several features for one ABI the lowest wins (PyO3's guide, "Minimum Python version for abi3").

    setuptools-rust adds the features for the floor that it is given, so there they state none.
    """
    if backend != "maturin" or crate is None or pyo3 is None:
        return None
    asked: dict[str, list[int]] = {}
    for feature in pyo3.features:
        if match := _FEATURE.fullmatch(feature):
            asked.setdefault(match["abi"], []).append(int(match["minor"]))
    if not asked:
        return None
    floors = tuple(Abi3Floor(min(minors), free_threaded=abi == "abi3t") for abi, minors in sorted(asked.items()))
    features = " and ".join(_listed(abi, sorted(minors)) for abi, minors in sorted(asked.items()))
    return ReadFloor(floors=floors, way="default", where=f"{crate.manifest} asks PyO3 for {features}")


def _listed(abi: str, minors: Sequence[int]) -> str:
    """Name the features of one ABI, the lowest first, and say that it wins where there are others."""
    lowest, *others = (f"{abi}-py3{minor}" for minor in minors)
    return f"{lowest} (the lowest wins; it also asks for {', '.join(others)})" if others else lowest


def configured_floor(
    pyproject: Table, cfg: Mapping[str, Mapping[str, str]], script: SetupScript, folder: str
) -> ReadFloor | None:
    """Read the floors that a project fixes itself: `py_limited_api` of bdist_wheel, `py-api` of scikit-build."""
    stated = _stated(pyproject, cfg, script, folder)
    if stated is None or (floors := _floors(stated[1])) is None:
        return None
    place, value = stated
    return ReadFloor(floors=floors, way="project", where=f"{place} says {value}")


def unread_floor(
    pyproject: Table, cfg: Mapping[str, Mapping[str, str]], script: SetupScript, folder: str
) -> str | None:
    """Return where a project states a floor that is none, and what; None where it states one, or nothing."""
    stated = _stated(pyproject, cfg, script, folder)
    return f"{stated[0]} says {excerpt(stated[1])}" if stated is not None and _floors(stated[1]) is None else None


def _stated(
    pyproject: Table, cfg: Mapping[str, Mapping[str, str]], script: SetupScript, folder: str
) -> tuple[str, str] | None:
    section = cfg.get("bdist_wheel", {})
    options = script.keywords.get("options")
    command = options.get("bdist_wheel") if isinstance(options, dict) else None
    literal = command.get("py_limited_api") if isinstance(command, dict) else None
    stated = {
        f"{pyproject.place}: tool.distutils.bdist_wheel": pyproject.table("tool", "distutils", "bdist_wheel").get(
            "py-limited-api"
        )
        or pyproject.table("tool", "distutils", "bdist_wheel").get("py_limited_api"),
        f"{pyproject.place}: tool.scikit-build": pyproject.table("tool", "scikit-build", "wheel").get("py-api"),
        f"{folder}setup.cfg: bdist_wheel": section.get("py_limited_api") or section.get("py-limited-api"),
        f"{folder}setup.py: options": literal,
    }
    for place, value in stated.items():
        if isinstance(value, str) and value.startswith("cp"):
            return place, value
    return None


def _floors(text: str) -> tuple[Abi3Floor, ...] | None:
    """Read floors as PEP 425 compresses tags: `cp310.cp315t` is one for each ABI, of several for one the lowest."""
    try:
        floors = [Abi3Floor.parse(part) for part in text.split(".", _MOST_FLOORS)]
    except ValueError:
        return None
    lowest = {floor.free_threaded: floor for floor in sorted(floors, reverse=True)}
    return tuple(lowest[abi] for abi in sorted(lowest))
