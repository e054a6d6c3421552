"""A law of `factory init`: whatever a source says, the recipe that is written is one."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.images.known import declared
from factory.init import Origin, recipe_of
from factory.init.carry import _READERS
from factory.recipe.parse import parse_recipe
from factory.terminal import shown
from tests.makers.sources import PYPROJECT, Files

ORIGIN = Origin(name=canonicalize_name("demo"), version=Version("1"))
TODAY = date(2026, 11, 22)
WORDS = [
    "pip install x", "{project}", "{package}/a", "{source}", "{floor}", "{wheel}", "cp3{9,10}-*", "*", "cp313-*", "&&",
    "-r a.txt", "pytest>=8", "A=1", "PATH=x", "'", '"', "$(x)", "auditwheel repair", "--exclude", "--strip", "yes",
    "3.10", "null", "~", "- a", "a: b", "#", "[", "}", "\n", "\x00", "\u2028", "é", "yum install a", "apk add b", "",
    "##[error]x", "::error::x", "\u202e", "\u200b",
]  # fmt: skip
texts = st.text(max_size=12) | st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
values = st.recursive(
    texts | st.booleans() | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
OPTIONS = [*_READERS, "archs", "build", "skip", "enable", "linux", "overrides", "test-skip", "manylinux-x86_64-image"]
tables = st.dictionaries(st.sampled_from(OPTIONS) | texts, values, max_size=8)


def toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value) if abs(value) < 1 << 62 else "0"
        case str():
            return basic(value)
        case dict():
            return "{" + ", ".join(f"{basic(name)} = {toml(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(toml(item) for item in value) + "]"
        case _:
            raise AssertionError(value)


def basic(text: str) -> str:
    escaped = "".join(one if one.isalnum() and one.isascii() else f"\\U{ord(one):08x}" for one in text)
    return f'"{escaped}"'


@pytest.mark.thorough
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(tables, texts, st.dictionaries(st.sampled_from(["setup.py", "a.txt", "meson.build", "setup.cfg"]), texts))
@example({"before-all": "yum install -y a"}, "", {})
@example({"environment": {"A": "##[error]x \u202e ###[x]", "B": "::error::x"}, "test-command": "##[x]"}, "", {})
@example({"test-requires": "pytest " * 300, "test-command": "x"}, "", {})
@example({"environment": {f"A{n}": "x" for n in range(500)}}, "", {})
@example({"environment": {f"PYO3_{n}": "x" for n in range(120)}}, "", {})
def test_what_is_written_reads(table: dict[str, object], rest: str, files: dict[str, str]) -> None:
    pyproject = f"{PYPROJECT}[tool]\ncibuildwheel = {toml(table)}\n" if not rest.startswith("!") else rest
    tree = Files(
        {"pyproject.toml": pyproject, **{name: text.encode(errors="replace").decode() for name, text in files.items()}}
    )

    settled = recipe_of(ORIGIN, tree, declared(), families=["lookalike"], file=Path("recipe.yaml"), today=TODAY)

    again = parse_recipe(settled.text.encode(), Path("recipe.yaml"), today=TODAY)
    assert again == settled.recipe
    assert settled.text == shown(settled.text), "it may be printed into a CI log: `-o -`"
    assert again.name == "demo"
    assert again.interpreters
