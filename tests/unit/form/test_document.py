"""YAML read strictly: what each plain word means, and where each node stands."""

import pytest

from factory.form.document import Mapping, Node, Scalar, Sequence, compose
from factory.form.lines import source_of
from factory.form.problems import Problems


def composed(text: str) -> Node:
    problems = Problems()
    node = compose(source_of(text, "recipe.yaml"), problems)
    assert not problems.in_order()
    assert node is not None
    return node


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("cp313", "text"),
        ("3.10.1", "text"),
        ("2m", "text"),
        ("'3.10'", "text"),
        ('"yes"', "text"),
        ("3.10", "float"),
        (".5", "float"),
        (".inf", "float"),
        ("1e3", "float"),
        ("1.5e3", "float"),
        ("313", "int"),
        ("0777", "int"),
        ("0o777", "int"),
        ("0x1F", "int"),
        ("1_000", "int"),
        ("1:30", "int"),
        ("-1", "int"),
        ("08", "int"),
        ("2026-11-22", "date"),
        ("2026-11-22 10:00:00", "date"),
        ("yes", "bool"),
        ("Off", "bool"),
        ("y", "bool"),
        ("true", "bool"),
        ("~", "null"),
        ("null", "null"),
        ("", "null"),
        ("=", "value"),
    ],
)
def test_a_plain_word_means_what_either_yaml_would_make_of_it(text: str, meaning: str) -> None:
    """YAML 1.1 (https://yaml.org/type/) and the core schema of YAML 1.2 differ; what is not text in one is not text."""
    tree = composed(f"key: {text}\n")

    assert isinstance(tree, Mapping)
    assert isinstance(value := tree.entries[0].value, Scalar)
    assert value.meaning == meaning


def test_every_node_knows_its_place() -> None:
    tree = composed('name: nh3\nbuild:\n  env: {A: "é", B: ü}\nlist:\n- one\n')

    assert places(tree) == {
        "nh3": (1, 7, 3),
        "é": (3, 12, 3),
        "ü": (3, 20, 1),
        "one": (5, 3, 3),
    }


def places(node: Node) -> dict[str, tuple[int, int, int]]:
    match node:
        case Scalar(text=text, span=span):
            return {text: (span.line, span.column, span.length)}
        case Mapping(entries=entries):
            return {text: place for entry in entries for text, place in places(entry.value).items()}
        case Sequence(items=items):
            return {text: place for item in items for text, place in places(item).items()}
    return {}


def test_a_mapping_over_several_lines_is_its_first_line() -> None:
    tree = composed("build:\n  locked: true # why\n  timeout: 3\n")

    assert isinstance(tree, Mapping)
    span = tree.entries[0].value.span
    assert (span.line, span.text[span.column - 1 :][: span.length]) == (2, "locked: true")


def test_a_text_may_hold_anything_between_quotes_that_yaml_can_write() -> None:
    tree = composed('"\\u00e9\\t": |\n  two\n  \tlines\n')

    assert isinstance(tree, Mapping)
    assert tree.entries[0].key == "é\t"
    assert isinstance(value := tree.entries[0].value, Scalar)
    assert value.text == "two\n\tlines\n"
