"""The table of recipes/README.md that says which recipe or example shows a field, or which test proves it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from factory.form.document import Mapping as Tree
from factory.form.document import Node, Sequence, compose
from factory.form.lines import source_of
from factory.form.problems import Problems
from factory.form.records import walk
from factory.recipe.sections.whole import TOP
from tools.messages import DATA

REPOSITORY = DATA.parents[2]
README = REPOSITORY / "recipes" / "README.md"
OURS = [*sorted((REPOSITORY / "recipes").glob("*.yaml")), *sorted((REPOSITORY / "examples").glob("*/recipe.yaml"))]
BEGIN = "<!-- The table is made by `python -m tools.generated`. -->\n"
END = "<!-- Here the table ends. -->\n"
_SHOWN = 3

PROVEN: Mapping[str, str] = MappingProxyType(
    {
        "source.git": "docker/test_recipe_fields.py",
        "source.rev": "docker/test_recipe_fields.py",
        "source.url": "docker/test_recipe_fields.py",
        "source.patches": "docker/test_recipe_fields.py",
        "source.keep": "docker/test_leftovers.py",
        "wheel": "docker/test_any_python.py",
        "images": "docker/test_pulled_images.py",
        "build.bazel.dependencies": "docker/test_bazel.py",
        "build.constraints": "docker/test_recipe_fields.py",
        "build.interpreter": "docker/test_without_interpreter.py",
        "build.pass-env": "docker/test_recipe_fields.py",
        "build.timeout": "docker/test_projects.py",
        "build.memory": "docker/test_engine_faults.py",
        "build.disk": "docker/test_hostile_builds.py",
        "repair.exclude": "docker/test_repair.py",
        "repair.strip": "docker/test_repair.py",
        "audit.against": "native/test_against.py",
        "audit.against.compare": "native/test_against.py",
        "audit.against.size": "native/test_against.py",
        "audit.against.lost": "native/test_against.py",
        "audit.guessed-modules": "docker/test_good_projects.py",
        "test.source": "docker/test_trying.py",
        "test.gil": "docker/test_trying.py",
        "test.gil.allowed": "docker/test_trying.py",
        "test.resolve": "docker/test_lower_bounds.py",
        "test.stubs": "docker/test_stubs.py",
        "test.stub-allowlist": "docker/test_stubs.py",
        "test.threads": "docker/test_threads.py",
        "test.unimported": "docker/test_trying.py",
        "test.processor": "docker/test_trying.py",
        "programs.manifest": "docker/test_programs.py",
        "programs.timeout": "docker/test_programs.py",
        "overrides": "docker/test_recipe_fields.py",
    }
)
"""Tests that need a field: an address, an image or a secret, which no recipe here can have, or a limit that is met."""


def title(recipe: Path) -> str:
    """Return what people call a recipe: an example by its folder."""
    return recipe.parent.name if recipe.name == "recipe.yaml" else recipe.stem


def fields() -> list[str]:
    """Return every field by its dotted name, but for what `overrides` repeats of other sections."""
    repeated = tuple(f"overrides[].{field.name}" for field in TOP)
    return [name for name, _ in walk(TOP) if not name.startswith(repeated)]


def shown() -> dict[str, list[Path]]:
    """Return for every field the recipes and examples that have it, for all cells or in an override."""
    told = {recipe: set(_names(_tree(recipe))) for recipe in OURS}
    for names in told.values():
        names |= {name.removeprefix("overrides[].") for name in names}
    return {name: [recipe for recipe, names in told.items() if name in names] for name in fields()}


def rendered() -> str:
    """Return the README as it should be: its own words, and the table between the two marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{_table()}\n{END}{after}"


def _table() -> str:
    lines = (f"| `{name}` | {_where(name, recipes)} |\n" for name, recipes in shown().items())
    return "| field | seen in |\n|---|---|\n" + "".join(lines)


def _where(name: str, recipes: list[Path]) -> str:
    links = [f"[{title(recipe)}]({_link(recipe)})" for recipe in recipes[-_SHOWN:]]
    more = [f"{len(recipes) - _SHOWN} more"] if len(recipes) > _SHOWN else []
    tests = [f"`tests/{PROVEN[name]}`"] if name in PROVEN else []
    return ", ".join([*links, *more, *tests])


def _link(recipe: Path) -> str:
    return recipe.name if recipe.parent == README.parent else f"../{recipe.relative_to(REPOSITORY)}"


def _tree(recipe: Path) -> Node:
    tree = compose(source_of(recipe.read_bytes().decode(), recipe.name), Problems())
    assert tree is not None
    return tree


def _names(node: Node, prefix: str = "") -> Iterator[str]:
    """Yield the dotted names of what a recipe says, the items of a list of mappings under `name[]`."""
    match node:
        case Tree(entries=entries):
            for entry in entries:
                name = f"{prefix}{entry.key}"
                yield name
                inside = f"{name}[]." if isinstance(entry.value, Sequence) else f"{name}."
                yield from _names(entry.value, inside)
        case Sequence(items=items):
            for item in items:
                yield from _names(item, prefix)
        case _:
            return
