"""Laws of reading recipes: any text gives a recipe or problems, and problems have places in the text."""

from datetime import date
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from factory.errors import RecipeError, Span
from factory.form.frames import render_problems
from factory.form.records import walk
from factory.recipe.parse import parse_recipe
from factory.recipe.sections.whole import TOP

GOOD = Path(__file__).parents[1] / "data" / "recipes" / "good"
EVERYTHING = (GOOD / "everything.yaml").read_text(encoding="utf-8")
TODAY = date(2026, 11, 22)

_INDICATORS = ["\n", "  ", "- ", ": ", ", ", "[", "]", "{", "}", "? ", "#", '"', "'", "|", ">", "\t", "\r\n", "\\"]
_REFUSED = ["&a ", "*a", "!!str ", "!x ", "<<: ", "---\n", "...\n", "%YAML 1.1\n", "\x00", "\ufeff", "é", "日"]
_WORDS = ["null", "yes", "3.10", "2026-11-22", "1:30", "0777", "cp39..cp314", "supported", "{floor}", "a" * 1100]
PIECES = [*(field.example for _, field in walk(TOP)), *_INDICATORS, *_REFUSED, *_WORDS]
texts = st.text(max_size=200) | st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join)

settings = st.builds("{}={}".format, st.sampled_from(["build.timeout", "name", "skip", "test.run", "a.b.c"]), texts)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A good recipe in which something was replaced."""
    start = draw(st.integers(0, len(EVERYTHING)))
    end = draw(st.integers(start, min(start + 30, len(EVERYTHING))))
    return EVERYTHING[:start] + draw(st.sampled_from(PIECES) | st.text(max_size=5)) + EVERYTHING[end:]


def problems_of(content: bytes, *overrides: str) -> RecipeError | None:
    try:
        parse_recipe(content, Path("recipe.yaml"), overrides=overrides, rules=frozenset({"a-rule"}), today=TODAY)
    except RecipeError as error:
        return error
    return None


@given(st.binary(max_size=300) | texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\xff\xfe")
@example(b"a: \xed\xa0\x80")
def test_any_bytes_are_a_recipe_or_problems(content: bytes) -> None:
    error = problems_of(content)

    assert error is None or error.problems


@given(texts | damaged())
def test_a_place_lies_in_the_text_and_has_a_way_out(text: str) -> None:
    lines = text.split("\n")

    error = problems_of(text.encode("utf-8", "replace"))

    for problem in error.problems if error else ():
        assert problem.message
        assert problem.hint
        assert isinstance(span := problem.span, Span)
        assert 1 <= span.line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1
        assert span.length >= 1


@given(
    st.lists(
        texts | settings,
        max_size=3,
    )
)
def test_any_settings_give_a_recipe_or_problems_in_them(given_settings: list[str]) -> None:
    error = problems_of(EVERYTHING.encode(), *given_settings)

    for problem in error.problems if error else ():
        assert problem.span is not None
        assert 1 <= problem.span.line <= max(EVERYTHING.count("\n"), "\n".join(given_settings).count("\n")) + 1


@given(damaged())
def test_any_problem_renders_without_control_characters(text: str) -> None:
    error = problems_of(text.encode("utf-8", "replace"))

    rendered = render_problems(error.problems) if error else ""

    assert all(character.isprintable() for line in rendered.split("\n") for character in line)
