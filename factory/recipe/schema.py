"""The JSON Schema of a recipe, for editors: made from the table of fields whenever it is asked for."""

from factory.form.kinds import Schema
from factory.form.records import Record
from factory.recipe.sections.whole import FORMAT, TOP


def schema() -> Schema:
    """Return the schema (draft 2020-12) of this format.

    It says less than the parser: only that knows the rules between fields, and the grammar of most texts.
    """
    described = Record(fields=TOP, build=lambda _values: None).schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Wheel factory recipe, format {FORMAT}",
        **described,
    }
