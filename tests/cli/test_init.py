"""`factory init` towards whoever types it."""

from pathlib import Path

import pytest

from tests.cli.program import PROJECT, Program
from tests.makers.sources import PYPROJECT, make_demo


@pytest.fixture
def factory(tmp_path: Path) -> Program:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "speed.c").write_text("")
    return Program(folder=tmp_path)


def test_the_folder_is_the_source_and_the_recipe_can_be_planned_as_it_stands(factory: Program) -> None:
    done = factory("init")

    assert (done.code, done.stdout) == (0, "")
    assert done.stderr.startswith("recipe.yaml written; ")
    assert done.stderr.endswith("next: read it, then factory plan recipe.yaml\n")
    assert "for editors: factory schema >recipe.schema.json\n" in done.stderr
    assert factory("plan").code == 0


def test_a_recipe_that_is_there_is_written_over_by_force_alone(factory: Program) -> None:
    (factory.folder / "recipe.yaml").write_text("mine")

    refused = factory("init")
    kept = (factory.folder / "recipe.yaml").read_text()
    forced = factory("init", "--force")

    assert (refused.code, kept) == (5, "mine")
    assert refused.stderr == (
        "factory: recipe.yaml exists already\n  hint: name another file with -o, or write over it with --force\n"
    )
    assert forced.code == 0
    assert (factory.folder / "recipe.yaml").read_text().splitlines()[1].startswith("# demo")


def test_a_recipe_in_another_folder_finds_its_source(factory: Program) -> None:
    (factory.folder / "recipes").mkdir()

    done = factory("init", "-o", "recipes/demo.yaml")

    assert "  path: ..\n" in (factory.folder / "recipes" / "demo.yaml").read_text()
    words = f"plan recipes/demo.yaml --root {factory.folder}"
    assert done.stderr.endswith(f"factory {words}\n")
    assert factory(*words.split()).code == 0


def test_a_sdist_is_read_and_its_release_pinned_by_digest(factory: Program) -> None:
    sdist = make_demo(factory.folder, {"pyproject.toml": PYPROJECT.encode()})

    done = factory("init", sdist.name, "-o", "-")

    assert done.stdout.startswith("# yaml-language-server: $schema=recipe.schema.json\n# demo 1.0")
    assert "  sdist: demo==1.0" in done.stdout
    assert "  sha256: " in done.stdout


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("no such thing", 2, "'no such thing' is neither a file or folder here nor a release"),
        ("demo>=1", 2, "'demo>=1' does not pin one version"),
        ("demo[x]==1", 2, "'demo[x]==1' is more than a name and a version"),
        ("plain.txt", 2, "plain.txt is not an sdist, whose name ends in .tar.gz, .tgz, .zip"),
        ("broken.tar.gz", 3, "broken.tar.gz is broken"),
        ("empty", 3, "empty holds no files"),
    ],
)
def test_what_is_no_source_is_said_with_what_is(factory: Program, source: str, code: int, message: str) -> None:
    (factory.folder / "plain.txt").write_text("")
    (factory.folder / "broken.tar.gz").write_text("no gzip")
    (factory.folder / "empty").mkdir()

    done = factory("init", source)

    assert done.code == code
    assert done.stderr.startswith(f"factory: {message}")
    assert "  hint: " in done.stderr
    assert not (factory.folder / "recipe.yaml").exists()


@pytest.mark.parametrize("output", ["recipe.yaml", "-"])
def test_a_before_all_that_is_copied_is_said_on_stderr(factory: Program, output: str) -> None:
    (factory.folder / "pyproject.toml").write_text(f'{PROJECT}[tool.cibuildwheel]\nbefore-all = "ldconfig"\n')

    done = factory("init", "-o", output)

    assert done.stderr.startswith(
        "note: build.before-all was copied from the project: `factory build` runs it as root, with network, in a "
        "container of the build image, once for each image. Read it before you build.\n"
    )


def test_no_caution_is_said_of_a_project_without_before_all(factory: Program) -> None:
    assert "note:" not in factory("init").stderr


def test_a_folder_that_cannot_be_written_to_is_said(factory: Program) -> None:
    done = factory("init", "-o", "absent/recipe.yaml")

    assert done.code == 5
    assert "absent/recipe.yaml cannot be written: No such file or directory" in done.stderr


def test_a_source_that_cannot_be_read_still_gives_a_recipe_that_says_why(factory: Program) -> None:
    (factory.folder / "pyproject.toml").write_text("[project")

    done = factory("init")

    assert done.code == 0
    assert "fix before you build: pyproject.toml is not valid TOML" in done.stderr
    assert "pyproject.toml is not valid TOML" in (factory.folder / "recipe.yaml").read_text()
