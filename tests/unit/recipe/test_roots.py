"""What a recipe reads of this machine lies in its root; a refusal shows the place, and what to type."""

import os
from pathlib import Path

import pytest

from factory.errors import FactoryError, RecipeError
from factory.recipe.model import GitSource, PathSource
from factory.recipe.parse import load_recipe, load_recipes
from factory.recipe.roots import default_root
from tests.budgets import within_memory

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


PRIVATE = "[secret]\npassword = hunter2\n"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "private"
    path.write_text(PRIVATE)
    return path


def assert_hides(error: FactoryError, *says: str) -> None:
    assert not error.problems, "no line of the file is shown"
    assert "hunter2" not in f"{error.message} {error.hint}"
    for text in says:
        assert text in f"{error.message}\n{error.hint}"


@pytest.mark.parametrize("repository", [True, False], ids=["repository", "folder"])
def test_a_link_out_of_a_folder_of_recipes_is_not_read(tmp_path: Path, private: Path, *, repository: bool) -> None:
    recipes = tmp_path / "project/recipes"
    write(recipes, "{path: .}")
    (recipes / "z.yaml").symlink_to("../../private")
    if repository:
        (tmp_path / "project/.git").mkdir()
    within = tmp_path / "project" if repository else recipes

    loaded = load_recipes([recipes])

    assert [recipe.name for recipe in loaded.recipes] == ["demo"], "the others are read"
    (error,) = loaded.errors
    link = recipes / "z.yaml"
    assert_hides(
        error,
        f"{link} is not read: the link {link} leads to {private}, outside of {within}",
        f"name the recipe itself: {private}, or add --root {tmp_path}",
    )


def test_a_link_that_is_named_itself_is_not_read_either(tmp_path: Path, private: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/z.yaml").symlink_to(private)

    with pytest.raises(RecipeError) as caught:
        load_recipe(tmp_path / "own/z.yaml")

    assert_hides(caught.value, "is not read")


@pytest.mark.parametrize("named", ["recipes/z.yaml", "recipes/inner/../z.yaml"])
def test_a_linked_folder_of_a_repository_leads_nowhere_out_of_it(tmp_path: Path, named: str) -> None:
    """Not even where the folder is a repository of its own."""
    (tmp_path / "elsewhere/.git").mkdir(parents=True)
    (tmp_path / "elsewhere/inner").mkdir()
    (tmp_path / "elsewhere/z.yaml").write_text(PRIVATE)
    (tmp_path / "project/.git").mkdir(parents=True)
    (tmp_path / "project/recipes").symlink_to("../elsewhere")

    with pytest.raises(RecipeError) as caught:
        load_recipe(tmp_path / "project" / named)

    assert_hides(caught.value, f"the link {tmp_path}/project/recipes leads to {tmp_path}/elsewhere")


def test_links_that_stay_inside_or_that_this_machine_has_are_followed(tmp_path: Path) -> None:
    (tmp_path / "data/project/.git").mkdir(parents=True)
    recipe = write(tmp_path / "data/project/real", "{path: .}")
    (tmp_path / "data/project/link.yaml").symlink_to("real/recipe.yaml")
    (tmp_path / "data/project/folder").symlink_to("real")
    (tmp_path / "home").symlink_to("data")

    for path in ("link.yaml", "folder/recipe.yaml", "real/recipe.yaml"):
        assert load_recipe(tmp_path / "home/project" / path).name == "demo"
    assert recipe.is_file()


def test_a_root_that_covers_what_a_link_leads_to_lets_it_be_read(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "{path: .}")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/z.yaml").symlink_to("../elsewhere/recipe.yaml")

    assert load_recipe(tmp_path / "own/z.yaml", root=tmp_path).name == "demo"
    with pytest.raises(RecipeError, match="is not read"):
        load_recipe(tmp_path / "own/z.yaml", root=tmp_path / "own")


@pytest.mark.parametrize("path", ["pipe.yaml", "/dev/zero"])
def test_a_pipe_or_a_device_is_no_recipe(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")

    with pytest.raises(RecipeError, match=r"cannot read .*: it is a device, a pipe or a socket"):
        load_recipe(tmp_path / path)


def test_a_recipe_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as stream:
        stream.truncate(1 << 40)

    with within_memory(32 << 20), pytest.raises(RecipeError) as caught:
        load_recipe(tmp_path / "huge.yaml")

    assert caught.value.problems[0].message == "is larger than 1 MiB"
