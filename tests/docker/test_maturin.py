"""What maturin lays out arrives in the wheel, from a project that uses every way it has."""

import zipfile

import pytest

from tests.docker.command import PLATFORM, Command, Ran
from tests.docker.projects import Project, pyproject
from tests.docker.rust_projects import ffi_module

pytestmark = [pytest.mark.engine, pytest.mark.index]

MANIFEST = """\
[package]
name = "laid-out"
version = "1.0.0"
edition = "2021"
[lib]
name = "native"
crate-type = ["cdylib"]
[dependencies]
pyo3-ffi = {version = "0.27", features = ["abi3-py39"]}
"""
SETTINGS = """\
[tool.maturin]
python-source = "python"
module-name = "laid_out.native"
include = [{path = "extra/*.txt", format = "wheel"}]
exclude = ["python/laid_out/secret.py"]
data = "shared.data"
"""
PROJECT = Project(
    "laid-out",
    {
        "pyproject.toml": pyproject("laid-out", ["maturin>=1.9,<2"], "maturin", SETTINGS),
        "Cargo.toml": MANIFEST,
        "src/lib.rs": ffi_module("native"),
        "python/laid_out/__init__.py": "from laid_out import native\n",
        "python/laid_out/secret.py": "",
        "python/laid_out/table.json": "{}\n",
        "extra/note.txt": "note\n",
        "shared.data/data/share/laid-out.txt": "shared\n",
        "shared.data/scripts/laid-out": "#!python\nimport laid_out\nprint('script')\n",
    },
)


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    recipe = workshop.recipe(
        PROJECT,
        interpreters=("cp39", "cp313"),
        build={"locked": False},
        audit={"modules": ["laid_out.native"]},
        test={"run": ["laid-out", "test -f \"$(python -c 'import sys; print(sys.prefix)')/share/laid-out.txt\""]},
    )
    return workshop.build(recipe, "-o", "maturin")


def test_its_floor_is_read_from_the_crate_and_its_lock_is_made(ran: Ran) -> None:
    assert ran.code == 0, ran.stderr
    assert ran.statuses == {f"cp39-abi3-{PLATFORM}": "passed"}


def test_sources_includes_and_data_arrive_and_what_is_excluded_does_not(ran: Ran) -> None:
    with zipfile.ZipFile(ran.folder / f"maturin/laid_out-1.0-cp39-abi3-{PLATFORM}.whl") as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith("/")}

    assert names == {
        "laid_out/__init__.py",
        "laid_out/native.abi3.so",
        "laid_out/table.json",
        "extra/note.txt",
        "laid_out-1.0.data/data/share/laid-out.txt",
        "laid_out-1.0.data/scripts/laid-out",
    }
