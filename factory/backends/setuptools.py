"""What setuptools is given: the floor as a `--build-option`."""

from collections.abc import Mapping

from factory.backends.fields import floor_value, refuse_cargo_fields
from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.tags import Abi3Floor


def settings(build: BuildSpec, project: Project, floor: Abi3Floor | None) -> Mapping[str, list[str]]:
    """Return the option that sets the floor.

    setuptools takes a python tag, `cp315`, for abi3t too: a free-threaded interpreter that builds makes it that
    (setuptools 84, `stable_abi_tag`).
    """
    refuse_cargo_fields(build, project)
    options = floor_value(build, "option", floor and Abi3Floor(floor.minor))
    return {"--build-option": options} if options else {}
