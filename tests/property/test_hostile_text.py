"""Every reader of strangers' texts takes time and memory in proportion to the text, and ends as it documents.

The readers are found by introspection, so that a new one without limits fails here. What reads our own text alone is
left out by name, with the reason.
"""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from packaging.utils import canonicalize_name

import factory
from factory.audit import Expectation, audit
from factory.images.known import declared
from factory.init import Origin, recipe_of
from factory.recipe.parse import parse_recipe
from factory.tags import Interpreter
from factory.trials.requirements import requirements_of
from factory.untrusted import parse_rows
from factory.wheel import read_wheel
from tests.hostile import BIG, TEXTS, TREE_TEXTS, HarmError, Reader, damage, modules, readers, repeated, trees
from tests.makers.wheels import make_wheel

pytestmark = pytest.mark.thorough
TODAY = date(2026, 11, 22)
SHORT = (1 << 10, 1 << 12, 1 << 14)
LONG = (*SHORT, 1 << 16)
LONGEST = (*LONG, 1 << 18, 1 << 20, 1 << 22)

FUNCTIONS = {
    "factory.cli.audit.run_explain": "a command: its argument is the user's",
    "factory.cli.common.families": "a flag of the user's",
    "factory.cli.common.families_again": "a flag of the user's",
    "factory.cli.images.run_image_show": "a command: its argument is the user's",
    "factory.cli.schema.run_schema": "a command: its argument is the user's",
    "factory.engine.tarstream.folder": "makes folders of paths that the factory chose",
    "factory.host.urls.password_in": "takes URLs of this machine's own settings",
    "factory.images.assembly.machine_variables": "its argument is one of our own names of machines",
    "factory.images.foreign.way_to_emulate": "its argument is one of our own names of machines",
    "factory.images.known.spec_named": "looks up a name among our own data files",
    "factory.tool_bundle.unpack_wheel": "unpacks wheels of our own lock, checked by their hashes",
    "factory.store.entry.parse_entry": "reads the ledger, which the factory wrote",
    "factory.untrusted.limits.refusing": "takes the words of a message",
}
SLOW = ("factory.audit.rendering.rst_problem",)
"""docutils takes a tenth of a millisecond for each line: fewer and shorter texts do."""
FOUND = {reader.name: reader for module in modules(factory) for reader in readers(module, FUNCTIONS)}
OF_TEXTS = sorted(name for name, reader in FOUND.items() if not reader.reads_trees)
OF_TREES = sorted(name for name, reader in FOUND.items() if reader.reads_trees)


@pytest.mark.parametrize("name", OF_TEXTS)
def test_a_reader_bears_every_text(name: str) -> None:
    for make in (TREE_TEXTS if name in SLOW else TEXTS).values():
        damage(FOUND[name], make, SHORT if name in SLOW else LONG)


@pytest.mark.parametrize("name", OF_TEXTS)
def test_a_reader_bears_four_megabytes(name: str) -> None:
    for make in BIG.values():
        damage(FOUND[name], make, LONGEST)


@pytest.mark.parametrize("name", OF_TREES)
def test_a_reader_of_trees_bears_every_text_in_every_file(name: str) -> None:
    for make in TREE_TEXTS.values():
        damage(FOUND[name], make, (1 << 11, 1 << 13))


def _init(text: str) -> None:
    """Let `factory init` read a tree of cibuildwheel's."""
    origin = Origin(name=canonicalize_name("d"), path=Path())
    for name, tree in trees(text):
        if b"cibuildwheel" in tree[name]:
            recipe_of(origin, tree, declared(), families=["lookalike"], file=Path("recipe.yaml"), today=TODAY)


def _wheel(text: str) -> list[str]:
    """Let the gate judge a wheel with the text in each file of its dist-info."""
    content = text.encode(errors="surrogateescape")
    texts = {f"demo-1.0.dist-info/{name}": content for name in ("METADATA", "WHEEL", "entry_points.txt")}
    with TemporaryDirectory() as folder:
        path = make_wheel(Path(folder), texts, metadata=None, wheel=None)
        verdict = audit(read_wheel(path), Expectation(), TODAY)
    return [finding.message for finding in verdict.findings]


def _requirements(text: str) -> None:
    name = canonicalize_name("a")
    requirements_of(name, text.split("\n")[:100], (), Interpreter(13), "x86_64")


WHOLE = {
    "recipe": Reader(
        name="recipe", read=lambda text: parse_recipe(text.encode(errors="replace"), Path("recipe.yaml"), today=TODAY)
    ),
    "rows": Reader(name="rows", read=lambda text: parse_rows(text.encode(errors="surrogateescape"), 1 << 18)),
    "requirements": Reader(name="requirements", read=_requirements),
    "wheel": Reader(name="wheel", read=_wheel),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_way_bears_every_text(name: str) -> None:
    for make in TEXTS.values():
        damage(WHOLE[name], make, SHORT)


def test_a_recipe_can_be_begun_from_every_text() -> None:
    for make in BIG.values():
        damage(Reader(name="init", read=_init), make, (1 << 12, 1 << 14))


def test_readers_are_found_in_every_room_that_reads() -> None:
    rooms = {name.split(".")[1] for name in FOUND}

    assert rooms >= {
        "audit",
        "images",
        "init",
        "stages",
        "project",
        "recipe",
        "resolve",
        "source",
        "untrusted",
        "wheel",
    }
    assert {"factory.project.read.read_project", "factory.resolve.cargo.fetch_folder"} <= set(OF_TREES)
    assert {"factory.untrusted.tables.parse_toml", "factory.tags.PlatformTag.parse"} <= set(OF_TEXTS)


def test_what_is_left_out_is_there() -> None:
    """A name that is left out by a name that no longer is would hide nothing, and mislead."""
    known = {reader.name for module in modules(factory) for reader in readers(module, {})}

    assert set(FUNCTIONS) <= known


TOYS = {
    "quadratic": "import re\ndef read(text: str):\n    return re.search(r'\\s*x', text)\n",
    "raises": "def read(text: str):\n    return {'a': 1}[text]\n",
    "recursive": "import json\ndef read(text: bytes):\n    return text.isspace() or json.loads(b'[' * len(text))\n",
    "wordy": "from factory.errors import FactoryError\nclass Loud(FactoryError):\n"
    "    def __str__(self):\n        return self.args[0] * 2\ndef read(text: str):\n    raise Loud(text)\n",
    "growing": "def read(text: str):\n    return [text[n:] for n in range(len(text))]\n",
    "of trees": "from factory.project.files import Files\n"
    "def read(files: Files):\n    return {path: eval(files.read(path)) for path in files.paths}\n",
    "a constructor": "class Thing:\n    @classmethod\n    def parse(cls, text: str):\n        return int(text)\n",
}


@pytest.mark.parametrize("source", TOYS.values(), ids=TOYS)
def test_a_reader_without_limits_is_found_and_fails(source: str) -> None:
    module = ModuleType("factory.toy")
    exec(source, vars(module))

    (toy,) = [reader for reader in readers(module, {}) if not reader.name.endswith("Loud")]

    with pytest.raises(HarmError):
        _bear_all(toy)


def _bear_all(reader: Reader) -> None:
    for make in TEXTS.values():
        damage(reader, make, LONG)


def test_an_error_that_is_documented_is_expected() -> None:
    module = ModuleType("factory.toy")
    docstring = "Read.\n\n    Raises:\n        KeyError: always.\n    "
    exec(f'def read(text: str):\n    """{docstring}"""\n    raise KeyError(text)\n', vars(module))

    (toy,) = readers(module, {})

    damage(toy, repeated("a"), SHORT)
