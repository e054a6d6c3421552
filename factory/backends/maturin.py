"""What maturin is given: cargo's options as `build-args`; and its own program, where no interpreter runs its hook."""

import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath

from factory.backends.fields import floor_value
from factory.guests import program
from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.steps import BUILT, INTERPRETERS, MATURIN, SOURCE, Step
from factory.tags import Abi3Floor, Interpreter

_CHECK_TIMEOUT_S = 60


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
    return ["-i", interpreter.program]


def steps_without_interpreter(
    settings: Mapping[str, str | list[str]],
    env: Mapping[str, str],
    passed: Mapping[str, str],
    *,
    subdir: str,
    timeout_s: int,
) -> tuple[Step, ...]:
    """Return the steps that show that no interpreter is in sight, and build the wheel by maturin's own program.

    They build as maturin's hook does (`_build_wheel` of its `maturin/__init__.py`), which needs a Python to run in.
    """
    args = _hook_args(settings, env)
    if not {"--compatibility", "--manylinux"}.intersection(args):
        args = ["--compatibility", "off", *args]
    check = ("sh", "-c", program("no_interpreter.sh"), "no-interpreter", str(INTERPRETERS))
    build = (str(MATURIN / "bin/maturin"), "pep517", "build-wheel", "--out", str(BUILT), *args)
    folder = SOURCE / PurePosixPath(subdir)
    return (
        Step(name="no-interpreter", argv=check, env=env, phase="build", timeout_s=_CHECK_TIMEOUT_S, cwd=folder),
        Step(name="build", argv=build, env=env, phase="build", timeout_s=timeout_s, cwd=folder, passed=passed),
    )


def _hook_args(settings: Mapping[str, str | list[str]], env: Mapping[str, str]) -> list[str]:
    """Return the arguments that maturin's hook takes from its settings, or without any from the environment."""
    args = settings.get("maturin.build-args", settings.get("build-args", env.get("MATURIN_PEP517_ARGS", "")))
    return shlex.split(args) if isinstance(args, str) else list(args)
