"""Recipe fields that several backends read: the floor, and options for cargo."""

from factory.errors import PlanError
from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.tags import Abi3Floor

_CARGO_FIELDS = "features, default-features, profile and args"


def floor_value(build: BuildSpec, kind: str, floor: Abi3Floor | None) -> list[str]:
    """Return the recipe's text for the floor, filled in; nothing if the recipe gives the floor in another way."""
    if build.floor.kind != kind or floor is None:
        return []
    spelled = f"py3{floor.minor}" if kind == "feature" else str(floor)
    abi = "abi3t" if floor.free_threaded else "abi3"
    return [build.floor.value.replace("{floor}", spelled).replace("{abi}", abi)]


def refuse_cargo_fields(build: BuildSpec, project: Project) -> None:
    """Refuse the recipe's options for cargo, for a backend that takes none.

    Raises:
        PlanError: the recipe has one of them.
    """
    cargo = build.features or build.args or not build.default_features or build.profile != "release"
    if cargo or build.floor.kind == "feature":
        raise PlanError(
            f"{project.name} is built by {project.build_system.build_backend}, which takes no cargo options",
            hint=f"remove {_CARGO_FIELDS} and floor: {{feature: …}} from build, or give them in config-settings",
        )
