"""What any other backend is given: the floor as a setting of its own."""

from collections.abc import Mapping

from factory.backends.fields import floor_value, refuse_cargo_fields
from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.tags import Abi3Floor


def settings(build: BuildSpec, project: Project, floor: Abi3Floor | None) -> Mapping[str, list[str]]:
    """Return the setting that the floor's option names."""
    refuse_cargo_fields(build, project)
    named: dict[str, list[str]] = {}
    for option in floor_value(build, "option", floor):
        name, _, value = option.partition("=")
        named.setdefault(name, []).append(value)
    return named
