"""What a bad recipe is told: the whole message lies beside it, and is read as prose."""

import re
from pathlib import Path

import pytest

from factory.errors import Problem, RecipeError
from factory.form.records import walk
from factory.recipe.parse import load_recipe, load_recipes, parse_recipe
from factory.recipe.sections.whole import TOP
from tools.messages import BAD, DATA, TODAY, TYPES, message_of

MINIMAL = (
    "factory: 1\nname: nh3\nsource: {sdist: nh3==0.3.7}\ninterpreters: [cp313]\nplatforms: [manylinux_2_28_x86_64]\n"
)


def problems_of(text: str, *overrides: str) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text.encode(), Path("recipe.yaml"), overrides=overrides, today=TODAY)
    return caught.value


@pytest.mark.parametrize("recipe", BAD, ids=[recipe.stem for recipe in BAD])
def test_a_bad_recipe_has_the_message_that_is_written_beside_it(recipe: Path) -> None:
    expected = recipe.with_suffix(".txt").read_text(encoding="utf-8")

    assert message_of(recipe) == expected


def test_every_message_belongs_to_a_recipe() -> None:
    messages = {path.stem for path in (DATA / "bad").rglob("*.txt")}

    assert messages == {recipe.stem for recipe in BAD}


def test_there_is_a_bad_recipe_for_the_type_of_every_field() -> None:
    """`types/<field>.yaml`: what it is told is about this field, and nothing else is wrong with it."""
    fields = [name.replace("[]", "") for name, _ in walk(TOP) if not name.startswith(REPEATED)]

    named = {recipe.stem: {_field(problem) for problem in problems_in(recipe)} for recipe in TYPES.glob("*.yaml")}

    assert named == {name: {name} for name in fields}


REPEATED = tuple(f"overrides[].{section.name}" for section in TOP)


def _field(problem: Problem) -> str:
    return re.sub(r"\[[0-9]+\]", "", problem.field)


def problems_in(recipe: Path) -> tuple[Problem, ...]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(recipe.read_bytes(), recipe, today=TODAY)
    return caught.value.problems


def test_every_problem_says_what_to_do_next() -> None:
    for message in (DATA / "bad").rglob("*.txt"):
        text = message.read_text(encoding="utf-8")
        places = re.findall(r"^\S+:[0-9]+:[0-9]+: ", text, flags=re.MULTILINE)

        assert len(places) == text.count("  hint: ") > 0, message.name


def test_a_bad_recipe_ends_the_run_with_two() -> None:
    error = problems_of("")

    assert error.exit_code == 2
    assert error.message == "recipe.yaml has a problem"


def test_a_recipe_of_more_than_a_mebibyte_is_not_read() -> None:
    error = problems_of(MINIMAL + "#" * (1 << 20))

    assert [problem.message for problem in error.problems] == ["is larger than 1 MiB"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "text",
    [
        "- [x]\n" * 100_000,
        "".join(f"key{number}: 1\n" for number in range(50_000)),
        "a: " + "[" * 500_000,
        "a: " + "{a: " * 200_000,
        "x: [" + "&a b, " * 100_000 + "]",
        "x: &a [" + "*a, " * 100_000 + "]",
        "? " * 300_000,
        "- " * 400_000,
        "x" * 1_000_000,
        "interpreters: [" + "cp313, " * 100_000 + "]",
        "build: {requires: ['a; " + "(" * 900 + "']}",
        "build: {requires: ['a; " + "not " * 240 + "']}",
        f"name: {'9' * 900}\nplatforms: [manylinux_{'9' * 900}_1_x86_64]\ntest: {{timeout: {'9' * 900}}}",
    ],
    ids=lambda text: text[:20],
)
def test_a_recipe_that_means_harm_is_refused_in_a_few_words(text: str) -> None:
    error = problems_of(text)

    assert 0 < len(error.problems) <= 50


def test_problems_are_in_the_order_of_the_text() -> None:
    error = problems_of("test: {timeout: soon}\n" + MINIMAL + "zzz: 1\naudit: {modules: [a-b]}\nabi3: cp399\n")

    assert [problem.field for problem in error.problems] == ["test.timeout", "", "audit.modules[0]", "abi3"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"cannot read .*nh3\.yaml: No such file"):
        load_recipe(tmp_path / "nh3.yaml")


def test_a_setting_of_several_lines_keeps_the_places_of_those_after_it() -> None:
    error = problems_of(MINIMAL, "test.run=[a,\n b]", "build.timeout=soon")

    (problem,) = error.problems
    assert problem.span is not None
    assert (problem.span.file, problem.span.line, problem.span.column) == ("--set", 3, 15)


def test_a_folder_holds_recipes_and_each_bad_one_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(MINIMAL)
    (tmp_path / "a.yml").write_text(MINIMAL.replace("nh3", "rpds"))
    (tmp_path / "c.yaml").write_text("factory: 2\n")
    (tmp_path / "notes.txt").write_text("not a recipe")

    loaded = load_recipes([tmp_path, tmp_path / "b.yaml"])

    assert [recipe.name for recipe in loaded.recipes] == ["rpds", "nh3"]
    assert [error.message for error in loaded.errors] == [f"{tmp_path / 'c.yaml'} has 5 problems"]


def test_two_recipes_of_one_name_are_an_error_because_their_cells_have_one_address(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MINIMAL)
    (tmp_path / "b.yaml").write_text(MINIMAL)

    loaded = load_recipes([tmp_path])

    assert [recipe.file.name for recipe in loaded.recipes] == ["a.yaml"]
    assert [error.message for error in loaded.errors] == [
        f"{tmp_path / 'b.yaml'} has the name nh3, as {tmp_path / 'a.yaml'} has"
    ]


def test_a_folder_without_recipes_is_an_error(tmp_path: Path) -> None:
    loaded = load_recipes([tmp_path])

    assert [error.message for error in loaded.errors] == [f"{tmp_path} contains no recipe"]
