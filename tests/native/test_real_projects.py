"""What real sdists say of themselves, read from the index of this machine."""

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.digest import Digest
from factory.errors import SourceError
from factory.host import read_host
from factory.project.model import Project
from factory.project.read import read_project
from factory.recipe.model import SdistSource
from factory.source.index import fetch_sdist
from factory.source.unpack import unpack

pytestmark = pytest.mark.index


def _project(pin: str, sha256: str, folder: Path) -> Project:
    name, _, version = pin.partition("==")
    ref = SdistSource(name=canonicalize_name(name), version=Version(version), sha256=Digest(sha256))
    try:
        fetched = fetch_sdist(ref, read_host(), folder)
    except SourceError as error:
        if error.message.startswith("cannot get the index page"):
            pytest.skip(f"{error.message}; {error.hint}")
        raise
    return read_project(unpack(fetched.path))


SDISTS = {
    "nh3==0.3.7": "71860d01c16f4d8c72e334e0674beb2b0899dbd0bf760de18932ef4390303848",
    "rpds-py==2026.9.1": "4793ef7f78268b124b73fa933440f01d258bbae01de9fa53e9080c9ab0425a12",
    "bcrypt==5.0.0": "f748f7c2d6fd375cc93d3fba7ef4a9e3a092421b8dbf34d8d4dc06be9492dfdd",
    "pynacl==1.6.2": "018494d6d696ae03c7e656e5e74cdfd8ea1326962cc401bcf018f1ed8436811c",
    "psutil==7.2.2": "0746f5f8d406af344fd547f1c8daa5f5c33dbc293bb8d6a16d80b4bb88f59372",
    "markupsafe==3.0.4": "2e9ad7dd851bf45fab9f75cbff4cb493fee9979e8d8c7c9c3ee119022518edd6",
    "kiwisolver==1.5.1": "f1303ef2eec81262a4b708c3e858afe58d7c75ad91c1c05266eda7673369859a",
    "tokenizers==0.23.3": "cded33237c77caeef62944d32aa9a7ef42bdce2b3497e18d137e072a8c4be438",
    "cryptography==50.0.2": "7b46165bb56eb4704e2eaaf86f3c940d19154535d9b0ca7d6d590b04060e00d5",
}
# Backend, floor, PyO3 with what it says of abi3, requires-python, module.
SAID = {
    "nh3": ("maturin", "cp38", "0.29.2 abi3-py38", ">=3.8", "nh3.nh3"),
    "rpds-py": ("maturin", "", "0.29.3", ">=3.11", "rpds.rpds"),
    "bcrypt": ("setuptools", "", "0.26.0 abi3", ">=3.8", "bcrypt._bcrypt"),
    "pynacl": ("setuptools", "", "", ">=3.8", None),
    "psutil": ("setuptools", "", "", ">=3.6", None),
    "markupsafe": ("setuptools", "", "", ">=3.9", "markupsafe._speedups"),
    "kiwisolver": ("setuptools", "", "", ">=3.10", "kiwisolver._cext"),
    "tokenizers": ("maturin", "cp310", "0.29.2 abi3 abi3-py310", ">=3.10", "tokenizers.tokenizers"),
    "cryptography": (
        "maturin",
        "",
        "0.29.2 abi3 abi3t",
        "!=3.9.0,!=3.9.1,>=3.9",
        "cryptography.hazmat.bindings._rust",
    ),
}


@pytest.mark.parametrize("pin", SDISTS)
def test_a_real_project_is_read_as_its_maintainers_mean_it(pin: str, tmp_path: Path) -> None:
    project = _project(pin, SDISTS[pin], tmp_path)

    floor = " ".join(str(one) for one in project.floor.floors) if project.floor else ""
    pyo3 = ""
    if project.pyo3 is not None:
        stable = sorted(feature for feature in project.pyo3.features if feature.startswith("abi3"))
        pyo3 = " ".join([str(project.pyo3.version), *stable])
    assert f"{project.name}=={project.version}" == pin
    assert (project.backend, floor, pyo3, str(project.requires_python), project.module) == SAID[project.name]
    assert (project.cargo_lock is None) == (project.pyo3 is None)
