"""The table of fields in docs/reference/recipe.md, made from the parser's own table."""

from collections.abc import Iterator

from factory.form.fields import Field
from factory.form.records import Record, walk
from factory.recipe.sections.whole import TOP
from tools.messages import DATA

REFERENCE = DATA.parents[2] / "docs" / "reference" / "recipe.md"
BEGIN = "<!-- The table is made by `python -m tools.generated`. -->\n"
_WHOLE_RECIPE = {field.name for field in TOP if field.level == "recipe"}
END = "<!-- Here the table ends. -->\n"


def rendered() -> str:
    """Return the reference as it should be: its own words, and the table between the two marks."""
    words = REFERENCE.read_text(encoding="utf-8")
    before, _, rest = words.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def table() -> str:
    """Write the table of fields."""
    head = "| field | type | default | level | enters the key of | |\n|---|---|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(_cells(name, field))} |\n" for name, field in _rows())


def _rows() -> Iterator[tuple[str, Field]]:
    """Every field but what `overrides` repeats of other sections."""
    repeated = tuple(f"overrides[].{field.name}" for field in TOP)
    for name, field in walk(TOP):
        if not name.startswith(repeated):
            yield name, field


def _cells(name: str, field: Field) -> Iterator[str]:
    yield f"`{name}`"
    yield field.kind.name.replace("|", "\\|")
    yield _default(field)
    yield "recipe" if name.partition("[")[0] in _WHOLE_RECIPE else field.level
    yield ", ".join(field.enters) or "none"
    yield field.doc


def _default(field: Field) -> str:
    if field.required:
        return "**required**"
    if field.shown_default:
        return field.shown_default
    if isinstance(field.kind, Record) or field.default is None or field.default == ():
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
