"""What a recipe reads of this machine lies in its root; a refusal shows the place, and what to type."""

from pathlib import Path

import pytest

from factory.errors import RecipeError
from factory.recipe.model import GitSource, PathSource
from factory.recipe.parse import load_recipe
from factory.recipe.roots import default_root

HEAD = "factory: 1\nname: demo\ninterpreters: [cp313]\nplatforms: [manylinux_2_31_x86_64]\nsource: "


def write(folder: Path, source: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.yaml"
    path.write_text(f"{HEAD}{source}\n")
    return path


@pytest.mark.parametrize(
    ("source", "field", "column"),
    [
        ("{path: ../other}", "source.path", 16),
        ("{path: /etc}", "source.path", 16),
        ("{path: link}", "source.path", 16),
        ("{path: link/../priv}", "source.path", 16),
        ("{sdist: a==1, patches: [a.patch, ../x.patch]}", "source.patches", 42),
        ("{path: ., patches: [link/x.patch]}", "source.patches", 29),
        ('{git: "file:///etc/x", rev: main}', "source.git", 15),
        ('{git: "file:///etc/%2e%2e/x", rev: main}', "source.git", 15),
        ('{git: "file:///etc/%00", rev: main}', "source.git", 15),
    ],
)
def test_what_lies_outside_is_refused_where_it_is_written(tmp_path: Path, source: str, field: str, column: int) -> None:
    recipe = write(tmp_path / "own", source)
    (tmp_path / "other").mkdir()
    (tmp_path / "own/link").symlink_to("../other")

    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe)

    (problem,) = caught.value.problems
    assert problem.field == field
    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == (5, column)
    assert problem.message.endswith(f"is outside {tmp_path}/own, the folder that this recipe may read")
    assert problem.hint.startswith(("if the recipe may read it, add --root /", "a path cannot contain a NUL"))


def test_the_hint_names_the_nearest_folder_that_holds_both_and_with_it_the_recipe_is_read(tmp_path: Path) -> None:
    recipe = write(tmp_path / "recipes/a", "{path: ../../trees/b}")

    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe)

    assert caught.value.problems[0].hint == f"if the recipe may read it, add --root {tmp_path}"
    source = load_recipe(recipe, root=tmp_path).source
    assert isinstance(source, PathSource)
    assert source.path == tmp_path / "recipes/a/../../trees/b"


def test_without_a_root_it_is_the_repository_that_holds_the_recipe(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    recipe = write(tmp_path / "recipes/deep", "{path: ../../trees/b}")

    assert isinstance(load_recipe(recipe).source, PathSource)
    assert default_root(recipe) == tmp_path


def test_a_recipe_that_is_a_link_belongs_to_where_it_leads(tmp_path: Path) -> None:
    """A link in a repository may not give a recipe outside of it the rights of one inside."""
    (tmp_path / "repository/.git").mkdir(parents=True)
    recipe = write(tmp_path / "elsewhere", "{path: ..}")
    (tmp_path / "repository/recipe.yaml").symlink_to(recipe)

    assert default_root(tmp_path / "repository/recipe.yaml") == tmp_path / "elsewhere"


def test_a_ring_of_links_is_no_way_out(tmp_path: Path) -> None:
    recipe = write(tmp_path, "{path: ring}")
    (tmp_path / "ring").symlink_to("ring")

    assert isinstance(load_recipe(recipe).source, PathSource)


def test_a_setting_is_held_to_the_root_as_well(tmp_path: Path) -> None:
    recipe = write(tmp_path / "own", "{path: .}")

    with pytest.raises(RecipeError, match="has a problem"):
        load_recipe(recipe, overrides=["source.path=/etc"])


def test_the_root_goes_with_a_repository_for_its_submodules(tmp_path: Path) -> None:
    recipe = write(tmp_path, f'{{git: "file://{tmp_path}/r", rev: main}}')

    source = load_recipe(recipe).source

    assert isinstance(source, GitSource)
    assert source.root == tmp_path
