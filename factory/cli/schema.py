"""`factory schema`."""

import json
from importlib.resources import files

import click

from factory.recipe.schema import schema


def run_schema(name: str) -> int:
    """Print a JSON Schema: the recipe's is made from its fields, the others are files."""
    if name == "recipe":
        click.echo(json.dumps(schema(), indent=2))
    else:
        click.echo((files("factory") / "schemas" / f"{name}-1.json").read_text(encoding="utf-8"), nl=False)
    return 0
