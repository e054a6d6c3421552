"""The environment, settings and steps that build one cell's wheel through its PEP 517 backend."""

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from factory.backends.base import (
    BUILT,
    CARGO_HOME,
    ENVIRONMENT,
    HOME,
    SOURCE,
    SYSTEM_PATH,
    TARGET,
    TOOLS,
    WHEELHOUSE,
    Step,
    image_python,
    search_path,
)
from factory.errors import PlanError
from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.tags import Abi3Floor, Interpreter

_QUIET = ("--no-config", "--offline", "--no-cache", "--quiet")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_CARGO_FIELDS = "features, default-features, profile and args"


def build_env(
    build: BuildSpec, project: Project, interpreter: Interpreter, *, epoch_s: int, system: str = SYSTEM_PATH
) -> Mapping[str, str]:
    """Return the whole environment of a build; nothing of the host's is inherited. `system` is the image's PATH.

    PYO3_BUILD_EXTENSION_MODULE is judged by its presence (PyO3 0.26's guide, "The extension-module feature"), so it is
    set for Rust extensions and absent elsewhere, programs included. maturin before 1.9.4 and setuptools-rust before
    1.12 do not set it themselves. PYO3_PYTHON is absolute: maturin reads a missing interpreter's version out of its
    *name* and builds all the same.
    """
    env = {
        "PATH": search_path(*build.path, ENVIRONMENT / "bin", system=system),
        "HOME": str(HOME),
        "TMPDIR": "/tmp",  # noqa: S108 -- the container's own tmpfs
        "LC_ALL": "C.UTF-8",
        "SOURCE_DATE_EPOCH": str(epoch_s),
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "CARGO_NET_OFFLINE": "true",
        "GIT_TERMINAL_PROMPT": "0",
    }
    if project.cargo_manifest is not None:
        env |= {
            "CARGO_HOME": str(CARGO_HOME),
            "CARGO_TARGET_DIR": str(TARGET),
            "PYO3_PYTHON": str(image_python(interpreter)),
        }
        if not project.programs:
            env["PYO3_BUILD_EXTENSION_MODULE"] = "1"
    return MappingProxyType({**env, **build.env})


def config_settings(build: BuildSpec, project: Project, floor: Abi3Floor | None) -> Mapping[str, str | list[str]]:
    """Return the PEP 517 config settings: the recipe's own, with what its other fields add.

    Raises:
        PlanError: a field that this backend has no way to honour.
    """
    settings = dict(_BACKENDS[project.backend](build, project, floor))
    for name, values in build.config_settings.items():
        words = [word for value in values for word in shlex.split(value)] if name == "build-args" else values
        settings[name] = [*settings.get(name, []), *words]
    return {name: values[0] if len(values) == 1 else values for name, values in settings.items()}


def _maturin(build: BuildSpec, project: Project, floor: Abi3Floor | None) -> Mapping[str, list[str]]:
    args: list[str] = []
    features = [*build.features, *_floor_value(build, "feature", floor)]
    if features:
        args += ["--features", ",".join(features)]
    if not build.default_features:
        args += ["--no-default-features"]
    if build.profile != "release":
        args += ["--profile", build.profile]
    if build.manifest is not None:
        args += ["--manifest-path", build.manifest]
    if project.cargo_lock is not None:
        args += ["--locked"]
    args += [*build.args, *_floor_value(build, "option", floor)]
    return {"build-args": args} if args else {}


def _setuptools(build: BuildSpec, project: Project, floor: Abi3Floor | None) -> Mapping[str, list[str]]:
    _refuse_cargo_fields(build, project)
    options = _floor_value(build, "option", floor)
    return {"--build-option": options} if options else {}


def _pep517(build: BuildSpec, project: Project, floor: Abi3Floor | None) -> Mapping[str, list[str]]:
    _refuse_cargo_fields(build, project)
    settings: dict[str, list[str]] = {}
    for option in _floor_value(build, "option", floor):
        name, _, value = option.partition("=")
        settings.setdefault(name, []).append(value)
    return settings


_BACKENDS: Mapping[str, Callable[[BuildSpec, Project, Abi3Floor | None], Mapping[str, list[str]]]] = MappingProxyType(
    {"maturin": _maturin, "setuptools": _setuptools, "pep517": _pep517}
)


def _refuse_cargo_fields(build: BuildSpec, project: Project) -> None:
    cargo = build.features or build.args or not build.default_features or build.profile != "release"
    if cargo or build.floor.kind == "feature":
        raise PlanError(
            f"{project.name} is built by {project.build_system.build_backend}, which takes no cargo options",
            hint=f"remove {_CARGO_FIELDS} and floor: {{feature: …}} from build, or say them in config-settings",
        )


def _floor_value(build: BuildSpec, kind: str, floor: Abi3Floor | None) -> list[str]:
    if build.floor.kind != kind or floor is None:
        return []
    spelled = f"py3{floor.minor}" if kind == "feature" else str(floor)
    return [build.floor.value.replace("{floor}", spelled)]


def environment_step(interpreter: Interpreter, env: Mapping[str, str]) -> Step:
    """Make an empty build environment of the image's interpreter, which must exist under the path it promises."""
    python = str(image_python(interpreter))
    return Step(
        name="environment",
        argv=(str(TOOLS / "bin/uv"), "venv", *_QUIET, "--no-project", "--python", python, str(ENVIRONMENT)),
        env=env,
        phase="prepare",
        timeout_s=120,
    )


def remove_step(*paths: PurePosixPath, env: Mapping[str, str]) -> Step:
    """Remove files or folders of the workspace."""
    argv = ("rm", "-rf", *(str(path) for path in paths))
    return Step(name="renew", argv=argv, env=env, phase="prepare", timeout_s=120)


def install_step(wheels: tuple[str, ...], env: Mapping[str, str]) -> Step:
    """Install wheels that lie in the wheelhouse, exactly these, into the build environment."""
    paths = tuple(str(WHEELHOUSE / name) for name in wheels)
    return Step(
        name="environment",
        argv=(
            *(str(TOOLS / "bin/uv"), "pip", "install", *_QUIET, "--no-deps", "--no-index"),
            *("--link-mode", "copy", "--python", str(ENVIRONMENT / "bin/python"), *paths),
        ),
        env=env,
        phase="prepare",
        timeout_s=300,
    )


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
    order = {
        "hook": hook,
        "source": str(SOURCE / subdir),
        "backend": system.build_backend,
        "backend_path": list(system.backend_path) or None,
        "settings": dict(settings),
        "output": str(BUILT),
    }
    return Step(
        name="requirements" if hook == "requires" else "build",
        argv=(str(ENVIRONMENT / "bin/python"), "-I", str(TOOLS / "frontend.py"), json.dumps(order, sort_keys=True)),
        env=env,
        phase="prepare" if hook == "requires" else "build",
        timeout_s=timeout_s,
        cwd=SOURCE / subdir,
        passed=passed,
    )


def before_steps(
    build: BuildSpec, env: Mapping[str, str], passed: Mapping[str, str] = _NOTHING, *, subdir: str
) -> tuple[Step, ...]:
    """Return the recipe's `before` lines, each by `sh -e` in the project's folder of the cell's copy of the source."""
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
