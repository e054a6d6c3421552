"""abi3 floors where sources state them: PyO3's features, and the settings of the tools that tag a wheel."""

import re
from collections.abc import Mapping

from factory.errors import SourceError
from factory.project.cargo import Crate
from factory.project.model import Pyo3, ReadFloor
from factory.project.setup_script import SetupScript
from factory.tables import Table
from factory.tags import Abi3Floor

_FEATURE = re.compile(r"(?P<abi>abi3t?)-py3(?P<minor>[0-9]{1,2})")


def pyo3_floor(backend: str, crate: Crate | None, pyo3: Pyo3 | None) -> ReadFloor | None:
    """Read the floors that PyO3's features make under maturin: the lowest `abi3-pyXY`, and the lowest `abi3t-pyXY`.

    setuptools-rust adds the features for the floor that it is given, so there they state none.
    """
    if backend != "maturin" or crate is None or pyo3 is None:
        return None
    lowest: dict[str, int] = {}
    for feature in pyo3.features:
        if match := _FEATURE.fullmatch(feature):
            abi, minor = match["abi"], int(match["minor"])
            lowest[abi] = min(minor, lowest.get(abi, minor))
    if not lowest:
        return None
    floors = tuple(Abi3Floor(minor, free_threaded=abi == "abi3t") for abi, minor in sorted(lowest.items()))
    features = " and ".join(f"{abi}-py3{minor}" for abi, minor in sorted(lowest.items()))
    return ReadFloor(floors=floors, way="default", where=f"{crate.manifest} asks PyO3 for {features}")


def configured_floor(
    pyproject: Table, cfg: Mapping[str, Mapping[str, str]], script: SetupScript, folder: str
) -> ReadFloor | None:
    """Read the floor that a project fixes for its own wheel: `py_limited_api` of bdist_wheel, `py-api` of scikit-build.

    Raises:
        SourceError: a stated floor is not valid.
    """
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
            return ReadFloor(floors=(_floor(value, place),), way="project", where=f"{place} says {value}")
    return None


def _floor(text: str, place: str) -> Abi3Floor:
    try:
        return Abi3Floor.parse(text)
    except ValueError as error:
        raise SourceError(f"{place} says {text!r}, which is not an abi3 floor such as cp39") from error
