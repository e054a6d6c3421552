"""Bazel: a program of ours runs it in the container, and packs the wheel where the target makes a shared object."""

import json
from collections.abc import Mapping

from factory.backends.fields import floor_value
from factory.errors import PlanError
from factory.guests import program
from factory.plan.model import Cell
from factory.project.model import Project
from factory.recipe.model import BazelSpec, BuildSpec
from factory.steps import BAZEL_CACHE, BAZEL_ROOT, BUILT, ENVIRONMENT, SOURCE, Step
from factory.tags import Abi3Floor

PYTHON = "PYTHON_BIN_PATH"
"""Where rules for Bazel look for the interpreter (pybind11_bazel's `python_configure`, TensorFlow's)."""


def settings(build: BuildSpec, project: Project, _floor: Abi3Floor | None) -> Mapping[str, list[str]]:
    """Return nothing: Bazel is called by no hook, and so takes no settings.

    Raises:
        PlanError: the recipe has a field that Bazel cannot honour.
    """
    fields = {
        "features": build.features,
        "default-features": not build.default_features,
        "profile": build.profile != "release",
        "config-settings": build.config_settings,
        "floor: {feature: …}": build.floor.kind == "feature",
    }
    if given := [field for field, has in fields.items() if has]:
        raise PlanError(
            f"{project.name} is built by bazel, which takes no {', '.join(given)}",
            hint="give the options of `bazel build` in build: {args: […]}, and a floor's as floor: {option: TEXT}",
        )
    return {}


def bazel_step(
    build: BuildSpec, bazel: BazelSpec, cell: Cell, env: Mapping[str, str], passed: Mapping[str, str], *, subdir: str
) -> Step:
    """Build the target for one interpreter, and leave the wheel: the target's own, or one packed of its library."""
    order = {
        "target": bazel.target,
        "options": [*build.args, *floor_value(build, "option", cell.floor)],
        "module": bazel.module,
        "packages": bazel.packages,
        "name": cell.recipe,
        "version": None if bazel.version is None else str(bazel.version),
        "description": bazel.description,
        "requires_python": bazel.requires_python,
        "dependencies": [str(requirement) for requirement in bazel.dependencies],
        "python_tag": cell.wheel_tag.python,
        "abi_tag": cell.wheel_tag.abi,
        "root": str(BAZEL_ROOT),
        "cache": str(BAZEL_CACHE),
        "output": str(BUILT),
    }
    python = str(ENVIRONMENT / "bin/python")
    return Step(
        name="build",
        argv=(python, "-I", "-c", program("run_bazel.py"), json.dumps(order, sort_keys=True)),
        env={PYTHON: python, **env},
        phase="build",
        timeout_s=build.timeout_s,
        cwd=SOURCE / subdir,
        passed=passed,
    )
