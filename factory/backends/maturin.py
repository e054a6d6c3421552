"""What maturin is given: cargo's options as `build-args`."""

from collections.abc import Mapping

from factory.backends.fields import floor_value
from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.tags import Abi3Floor, Interpreter


def settings(build: BuildSpec, project: Project, floor: Abi3Floor | None) -> Mapping[str, list[str]]:
    """Return the build arguments that the recipe's fields amount to."""
    args: list[str] = []
    features = [*build.features, *floor_value(build, "feature", floor)]
    if features:
        args += ["--features", ",".join(features)]
    if not build.default_features:
        args += ["--no-default-features"]
    if build.profile != "release":
        args += ["--profile", build.profile]
    if build.manifest is not None:
        args += ["--manifest-path", build.manifest]
    if project.cargo_lock is not None:
        args += ["--locked"]  # only the crates of the lock were fetched
    args += [*build.args, *floor_value(build, "option", floor)]
    return {"build-args": args} if args else {}


def named_interpreter(interpreter: Interpreter) -> list[str]:
    """Name an interpreter that is not here: by a name instead of a path maturin takes its own description of it."""
    return ["-i", f"python{interpreter.version}{'t' if interpreter.free_threaded else ''}"]
