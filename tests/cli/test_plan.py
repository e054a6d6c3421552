"""What `factory plan` says of a source before anything is built; following a hint changes the outcome."""

import re
from pathlib import Path

import pytest

from tests.cli.program import Program

PYPROJECT = (
    '[project]\nname = "mono"\nversion = "1"\n[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n'
)
RECIPE = "factory: 1\nname: mono\nsource: {path: .}\ninterpreters: [cp313]\nplatforms: [manylinux_2_31_x86_64]\n"
MEMBER = (
    "[package]\nname = 'mono'\nversion.workspace = true\n[lib]\ncrate-type = ['cdylib']\n"
    "[dependencies]\ncore = {path = '../core'}\npyo3 = '0.29'\n"
)
LOCK = "version = 4\n[[package]]\nname = 'pyo3'\nversion = '0.29.2'\n"


@pytest.fixture
def factory(tmp_path: Path) -> Program:
    return Program(folder=tmp_path)


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_a_member_named_without_its_workspace_is_led_to_the_folder_that_holds_both(factory: Program) -> None:
    root = {"Cargo.toml": "[workspace]\nmembers = ['core', 'py']\n[workspace.package]\nversion = '1.0.0'\n"}
    core = {"core/Cargo.toml": "[package]\nname = 'core'\nversion.workspace = true\n", "core/src/lib.rs": ""}
    member = {"py/Cargo.toml": MEMBER, "py/src/lib.rs": "", "py/pyproject.toml": PYPROJECT, "py/recipe.yaml": RECIPE}
    _write(factory.folder, {**root, **core, **member, "Cargo.lock": LOCK})

    refused = factory("plan", "py/recipe.yaml")
    written = re.search(r"hint: write (source: \{.*\}); if the recipe may read it, add --root (\S+)", refused.stderr)
    assert refused.code == 3
    assert written, refused.stderr
    (factory.folder / "py/recipe.yaml").write_text(RECIPE.replace("source: {path: .}", written[1]))
    followed = factory("plan", "py/recipe.yaml", "--root", written[2], "--ids")

    assert written[1] == "source: {path: .., subdir: py}"
    assert (followed.code, followed.stdout) == (0, "mono/cp313-cp313-manylinux_2_31_x86_64\n")


def test_a_link_out_of_the_source_leads_to_the_folder_that_holds_both(factory: Program) -> None:
    setup = "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('mono', ['mono.c'])])\n"
    project = PYPROJECT.replace("maturin", "setuptools").replace('"setuptools"\n', '"setuptools.build_meta"\n')
    _write(factory.folder, {"py/pyproject.toml": project, "py/setup.py": setup, "py/recipe.yaml": RECIPE, "README": ""})
    (factory.folder / "py/README").symlink_to("../README")

    refused = factory("plan", "py/recipe.yaml")
    written = re.search(r"hint: write (source: \{.*\}); if the recipe may read it, add --root (\S+)", refused.stderr)
    assert (refused.code, "the link README points to '../README', outside of the tree" in refused.stderr) == (3, True)
    assert written, refused.stderr
    (factory.folder / "py/recipe.yaml").write_text(RECIPE.replace("source: {path: .}", written[1]))
    followed = factory("plan", "py/recipe.yaml", "--root", written[2], "--ids")

    assert written[1] == "source: {path: .., subdir: py}"
    assert (followed.code, followed.stdout) == (0, "mono/cp313-cp313-manylinux_2_31_x86_64\n")


def test_a_link_to_nothing_is_to_be_removed(factory: Program) -> None:
    _write(factory.folder, {"py/setup.py": "", "py/recipe.yaml": RECIPE})
    (factory.folder / "py/README").symlink_to("../README")

    refused = factory("plan", "py/recipe.yaml")

    assert refused.code == 3
    assert "hint: remove the link, or put a file in its place" in refused.stderr


def test_a_lock_that_is_not_where_cargo_looks_is_missed_by_the_plan(factory: Program) -> None:
    crate = {
        "Cargo.toml": MEMBER.replace("version.workspace = true", "version = '1'").replace(
            "core = {path = '../core'}\n", ""
        )
    }
    _write(factory.folder, {**crate, "src/lib.rs": "", "pyproject.toml": PYPROJECT, "recipe.yaml": RECIPE})

    refused = factory("plan")
    followed = factory("plan", "--set", "build.locked=false", "--ids")

    assert refused.code == 3
    assert "the source has no Cargo.lock, where cargo looks for the lock of its crates" in refused.stderr
    assert "hint: write build: {locked: false}" in refused.stderr
    assert followed.code == 0


def test_overrides_for_no_cell_are_shown_in_their_places(factory: Program) -> None:
    overrides = (
        "overrides:\n  - {select: 'cp39-*', test: {run: a}}\n  - {select: 'cp313-*', test: {run: b}}\n"
        "  - {select: '*@cp39', test: {run: c}}\n"
    )
    setup = "from setuptools import Extension, setup\nsetup(name='mono', ext_modules=[Extension('mono', ['mono.c'])])\n"
    _write(factory.folder, {"setup.py": setup, "mono.c": "", "recipe.yaml": RECIPE + overrides})

    refused = factory("plan")

    assert refused.code == 3
    assert "recipe.yaml:7:14: overrides[0].select: selects no cell: cp39-*" in refused.stderr
    assert "recipe.yaml:9:14: overrides[2].select: selects no trial: *@cp39" in refused.stderr
    assert "hint: the cells are cp313-cp313-manylinux_2_31_x86_64" in refused.stderr
