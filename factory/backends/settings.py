"""The config settings that a cell passes to its backend (PEP 517)."""

import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType

from factory.backends import bazel, maturin, pep517, setuptools
from factory.backends.maturin import named_interpreter
from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.tags import Abi3Floor, Interpreter

_BACKENDS: Mapping[str, Callable[[BuildSpec, Project, Abi3Floor | None], Mapping[str, list[str]]]] = MappingProxyType(
    {
        "maturin": maturin.settings,
        "setuptools": setuptools.settings,
        "pep517": pep517.settings,
        "bazel": bazel.settings,
    }
)


def config_settings(
    build: BuildSpec, project: Project, floor: Abi3Floor | None, *, cross: Interpreter | None = None
) -> Mapping[str, str | list[str]]:
    """Return the PEP 517 config settings: the recipe's own, with what its other fields add.

    `cross` is the interpreter that is built for, where the one that builds is of another machine.

    Raises:
        PlanError: the recipe has a field that this backend cannot honour.
    """
    settings = dict(_BACKENDS[project.backend](build, project, floor))
    if cross is not None and project.backend == "maturin":
        settings["build-args"] = [*settings.get("build-args", []), *named_interpreter(cross)]
    for name, values in build.config_settings.items():
        words = [word for value in values for word in shlex.split(value)] if name == "build-args" else values
        settings[name] = [*settings.get(name, []), *words]
    return {name: values[0] if len(values) == 1 else values for name, values in settings.items()}
