"""Problems as text."""

from factory.errors import Problem, Span
from factory.form.frames import render_problems


def problem_at(text: str, column: int, length: int = 1, *, hint: str = "") -> Problem:
    span = Span(file="recipe.yaml", line=7, column=column, length=length, text=text)
    return Problem(field="name", message="is odd", span=span, hint=hint)


def frame_of(problem: Problem) -> list[str]:
    return render_problems([problem]).splitlines()[1:]


def test_a_problem_shows_its_place_its_line_and_the_way_out() -> None:
    text = render_problems([problem_at("name: nh3", 7, 3, hint="write it even")])

    assert text == (
        "recipe.yaml:7:7: name: is odd\n"
        "  |\n"
        "7 | name: nh3\n"
        "  |       ^^^\n"
        "  hint: write it even\n"
    )  # fmt: skip


def test_problems_are_parted_by_an_empty_line() -> None:
    text = render_problems([problem_at("a", 1), problem_at("b", 1)])

    assert text.count("\n\n") == 1


def test_a_problem_without_a_place_has_no_frame() -> None:
    assert render_problems([Problem(field="", message="is odd")]) == "is odd\n"


def test_a_caret_is_under_characters_that_are_two_columns_wide() -> None:
    assert frame_of(problem_at("日本: 語", 5, 1)) == ["  |", "7 | 日本: 語", "  |       ^^"]


def test_a_character_that_combines_takes_no_column() -> None:
    assert frame_of(problem_at("e\u0301: x", 5, 1))[-1] == "  |    ^"


def test_a_terminal_never_sees_a_control_character() -> None:
    line = frame_of(problem_at("a\x1b[31m\tb\u202e", 1))[1]

    assert line == "7 | a�[31m b�"


def test_a_caret_never_leaves_its_line() -> None:
    assert frame_of(problem_at("name: nh3", 7, 500))[-1] == "  |       ^^^"


def test_a_long_line_is_cut_around_the_place() -> None:
    line, caret = frame_of(problem_at("x" * 500 + "HERE" + "y" * 500, 501, 4))[1:3]

    assert len(line) == 104
    assert line.startswith("7 | …x")
    assert line.endswith("y…")
    assert line[caret.index("^") : caret.rindex("^") + 1] == "HERE"
