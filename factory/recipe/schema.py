"""The JSON Schema of a recipe, for editors: made from the table of fields whenever it is asked for."""

from factory.form.kinds import Schema
from factory.form.records import Record
from factory.recipe.sections.whole import FORMAT, TOP

_ID = "urn:uuid:d9c85b96-3be3-5381-a5c9-e4bdb1f5d2c7"  # of format 1; another format is another schema


def schema() -> Schema:
    """Return the schema (draft 2020-12) of this format.

    Its `$id` is a UUID, as the factory has no address; a catalogue of schemas that takes it in has a URL for it.
    It says less than the parser: only that knows the rules between fields, and the grammar of most texts.
    """
    described = Record(fields=TOP, build=lambda _values: None).schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _ID,
        "title": f"Wheel factory recipe, format {FORMAT}",
        **described,
    }
