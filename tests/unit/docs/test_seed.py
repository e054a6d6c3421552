"""The page about PyO3's chapter says of each name what the factory does with it, and each is looked at here."""

import re
from collections.abc import Mapping

import pytest
from packaging.version import Version

from factory.backends.environment import build_env, program_env
from factory.form.kinds import RefusalError
from factory.guests import program
from factory.plan.limits import pyo3_links_libpython
from factory.project.cargo import Crate
from factory.project.floors import pyo3_floor
from factory.project.model import Pyo3
from factory.recipe.model import BuildSpec
from factory.recipe.targets import platform
from factory.recipe.texts import env_name
from factory.tables import Table
from factory.tags import Interpreter, PlatformTag
from tests.makers.plans import make_project
from tools.messages import DATA

PAGE = (DATA.parents[2] / "docs/reference/seed.md").read_text(encoding="utf-8")
EMPTY = Table({}, "Cargo.toml")
CRATE = make_project(backend="maturin", pyo3="0.29.2")


def rows(heading: str) -> Mapping[str, str]:
    """Return what the tables below a heading say that the factory does, by the name."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {name: does for names, _, does in cells for name in re.findall(r"`([^`]+)`", names)}


CHAPTERS_VARIABLES = """
PYO3_PYTHON PYO3_NO_PYTHON PYO3_CROSS_INCLUDE_DIR PYO3_CROSS_LIB_DIR PYO3_CROSS_PYTHON_VERSION LD_LIBRARY_PATH LIB PATH
"""
CHAPTERS_FEATURES = """
extension-module pyo3/extension-module default-features abi3 abi3-py36 abi3-py37 abi3-py38 Py_LIMITED_API
text_signature dict weakref
"""
CHAPTERS_OTHERS = """
--py-limited-api rlib cdylib manylinux2020 setup.py MANIFEST.in build-wheels.sh --target armv7-unknown-linux-gnueabihf
x86_64-pc-windows-gnu .config _sysconfigdata rust-cross rules_pyo3
"""
VARIABLES, FEATURES, OTHERS = rows("Environment variables"), rows("Features"), rows("Options, files and tools")
"""What the page has, and no more: a row that is added is looked at by the tests below."""


def is_refused(variable: str) -> bool:
    try:
        env_name(variable)
    except RefusalError:
        return True
    return False


def what_is_set() -> set[str]:
    """Return the variables of every build that there is."""
    seen = build_env(BuildSpec(), CRATE, Interpreter(13), epoch_s=1)
    unseen = build_env(BuildSpec(), CRATE, None, epoch_s=1)
    foreign = build_env(
        BuildSpec(), CRATE, Interpreter(13), epoch_s=1, zig_for=PlatformTag.parse("manylinux_2_17_armv7l")
    )
    programs = program_env(BuildSpec(), CRATE, Interpreter(13), epoch_s=1)
    in_guests = {name for name in VARIABLES if f'os.environ["{name}"] =' in program("libpython.py")}
    return {*seen, *unseen, *foreign, *programs, *in_guests}


def test_the_page_has_every_name_of_the_chapter() -> None:
    assert set(CHAPTERS_VARIABLES.split()) <= VARIABLES.keys()
    assert set(CHAPTERS_FEATURES.split()) <= FEATURES.keys()
    assert set(CHAPTERS_OTHERS.split()) <= OTHERS.keys()


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_refused_in_a_recipe_exactly_where_the_page_says_so(name: str) -> None:
    assert is_refused(name) == ("refuses it in `build.env`" in VARIABLES[name])


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_set_exactly_where_the_page_says_so(name: str) -> None:
    assert (name in what_is_set()) == VARIABLES[name].startswith("sets it")


def test_the_header_folder_of_the_target_is_refused_with_the_version_that_removed_it() -> None:
    with pytest.raises(RefusalError) as caught:
        env_name("PYO3_CROSS_INCLUDE_DIR")

    assert "removed in PyO3 0.14" in caught.value.hint


@pytest.mark.parametrize("name", [name for name in FEATURES if name.startswith("abi3-py")])
def test_a_floor_is_read_as_the_page_says(name: str) -> None:
    crate = Crate(manifest="Cargo.toml", table=EMPTY, workspace=EMPTY, workspace_folder="")

    floor = pyo3_floor("maturin", crate, Pyo3(version=Version("0.13"), features=frozenset({name})))

    assert floor is not None
    assert FEATURES[name] == f"reads it as the floor {floor.floors[0]}"


def test_a_module_links_libpython_without_the_feature() -> None:
    assert "would link libpython is refused" in FEATURES["extension-module"]
    assert pyo3_links_libpython(Version("0.13"), frozenset())
    assert not pyo3_links_libpython(Version("0.13"), frozenset({"extension-module"}))


def test_a_policy_that_never_existed_is_refused() -> None:
    assert OTHERS["manylinux2020"].startswith("refuses it")
    with pytest.raises(RefusalError, match="manylinux2020 never existed"):
        platform("manylinux2020_x86_64")
