"""The steps that run the recipe's `before` lines, and call a project's PEP 517 hooks."""

import json
from collections.abc import Mapping
from types import MappingProxyType

from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.steps import BUILT, ENVIRONMENT, SOURCE, TOOLS, Step

_NOTHING: Mapping[str, str] = MappingProxyType({})


def hook_step(
    hook: str,
    project: Project,
    settings: Mapping[str, str | list[str]],
    env: Mapping[str, str],
    passed: Mapping[str, str] = _NOTHING,
    *,
    subdir: str,
    timeout_s: int,
) -> Step:
    """Call a PEP 517 hook of the project in `subdir`: `requires` writes the dynamic requirements, `wheel` the wheel."""
    system = project.build_system
    request = {
        "hook": hook,
        "source": str(SOURCE / subdir),
        "backend": system.build_backend,
        "backend_path": list(system.backend_path) or None,
        "settings": dict(settings),
        "output": str(BUILT),
    }
    return Step(
        name="requirements" if hook == "requires" else "build",
        argv=(str(ENVIRONMENT / "bin/python"), "-I", str(TOOLS / "frontend.py"), json.dumps(request, sort_keys=True)),
        env=env,
        phase="prepare" if hook == "requires" else "build",
        timeout_s=timeout_s,
        cwd=SOURCE / subdir,
        passed=passed,
    )


def before_steps(
    build: BuildSpec, env: Mapping[str, str], passed: Mapping[str, str] = _NOTHING, *, subdir: str
) -> tuple[Step, ...]:
    """Return a step for each of the recipe's `before` lines, run by `sh -e` in the project's folder of the source."""
    return tuple(
        Step(
            name="before",
            argv=("sh", "-ec", line),
            env=env,
            phase="build",
            timeout_s=build.timeout_s,
            cwd=SOURCE / subdir,
            passed=passed,
        )
        for line in build.before
    )
