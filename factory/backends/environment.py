"""The environment of a build: its variables, and the steps that make it and install into it."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from factory.backends.ccache import CCACHE
from factory.backends.mingw import mingw_env
from factory.backends.zig import TARGET_PLATFORM, zig_env
from factory.machines import USUAL_MACHINE
from factory.project.model import Project
from factory.recipe.model import BuildSpec
from factory.steps import (
    CARGO_HOME,
    COMPILER_LINKS,
    ENVIRONMENT,
    HOME,
    MATURIN,
    MINGW,
    SYSTEM_PATH,
    TARGET,
    TOOLS,
    UV_OFFLINE,
    WHEELHOUSE,
    Step,
    image_python,
    search_path,
    trial_python,
)
from factory.tags import Interpreter, PlatformTag, WindowsTag


def build_env(
    build: BuildSpec,
    project: Project,
    interpreter: Interpreter | None,
    *,
    epoch_s: int,
    system: str = SYSTEM_PATH,
    zig_for: PlatformTag | None = None,
    machine: str = USUAL_MACHINE,
    mingw_for: WindowsTag | None = None,
) -> Mapping[str, str]:
    """Return the whole environment of a build; nothing is inherited from the host. `system` is the image's PATH.

    `zig_for` is what zig compiles for in a container of a `machine`, `mingw_for` what mingw-w64 compiles for; both
    are None where the image's compiler does.

    PyO3 looks only at whether PYO3_BUILD_EXTENSION_MODULE is set (PyO3 0.26's guide, "The extension-module feature"),
    so it is set for Rust extensions and not for anything else, programs included. maturin before 1.9.4 and
    setuptools-rust before 1.12 do not set it themselves. PYO3_PYTHON is absolute: maturin takes the version of an
    interpreter that is missing from its *name*, and builds all the same. Without an interpreter PYO3_NO_PYTHON says so
    (PyO3's guide, "Building abi3 extensions without a Python interpreter").
    """
    env = _offline_env(project, epoch_s)
    env["PATH"] = search_path(*build.path, (MATURIN if interpreter is None else ENVIRONMENT) / "bin", system=system)
    if project.cargo_manifest is not None:
        env |= {"PYO3_NO_PYTHON": "1"} if interpreter is None else {"PYO3_PYTHON": str(image_python(interpreter))}
        if not project.programs:
            env["PYO3_BUILD_EXTENSION_MODULE"] = "1"
    if zig_for is not None and interpreter is not None:
        env |= zig_env(zig_for, project, interpreter, machine)
    if mingw_for is not None:
        env |= {**mingw_env(mingw_for, interpreter), "PATH": f"{MINGW}:{env['PATH']}"}
    return MappingProxyType({**env, **build.env})


def program_env(
    build: BuildSpec, project: Project, interpreter: Interpreter, *, epoch_s: int, system: str = SYSTEM_PATH
) -> Mapping[str, str]:
    """Return the whole environment of programs that link libpython, in a program image.

    PYO3_BUILD_EXTENSION_MODULE is absent: set to anything, it would leave libpython out.
    """
    env = _offline_env(project, epoch_s)
    env |= {"PATH": search_path(*build.path, system=system), "PYO3_PYTHON": str(trial_python(interpreter))}
    return MappingProxyType({**env, **build.env})


def _offline_env(project: Project, epoch_s: int) -> dict[str, str]:
    """Return what every build without network has in its environment."""
    env = {
        "HOME": str(HOME),
        "TMPDIR": "/tmp",  # noqa: S108 -- the container's own tmpfs
        "LC_ALL": "C.UTF-8",
        "SOURCE_DATE_EPOCH": str(epoch_s),
        "PIP_NO_INDEX": "1",  # a build has no network: pip fails at once instead of after its retries
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "CARGO_NET_OFFLINE": "true",
        "GIT_TERMINAL_PROMPT": "0",
    }
    if project.cargo_manifest is not None:
        env |= {"CARGO_HOME": str(CARGO_HOME), "CARGO_TARGET_DIR": str(TARGET)}
    return env


def environment_step(interpreter: Interpreter, env: Mapping[str, str]) -> Step:
    """Make an empty build environment of the image's interpreter, which must exist at its usual path.

    The same command makes the links to ccache: another one would cost each cell a tenth of a second.
    """
    python = str(image_python(interpreter))
    links = ("sh", str(TOOLS / "environment.sh"), str(COMPILER_LINKS), str(CCACHE))
    return Step(
        name="environment",
        argv=(*links, str(TOOLS / "bin/uv"), "venv", *UV_OFFLINE, "--no-project", "--python", python, str(ENVIRONMENT)),
        env=_here(env),
        phase="prepare",
        timeout_s=120,
    )


def remove_step(*paths: PurePosixPath, env: Mapping[str, str]) -> Step:
    """Remove files or folders of the workspace."""
    argv = ("rm", "-rf", *(str(path) for path in paths))
    return Step(name="reset-source", argv=argv, env=env, phase="prepare", timeout_s=120)


def copy_step(folder: PurePosixPath, to: PurePosixPath, env: Mapping[str, str]) -> Step:
    """Copy a folder into the workspace, where it may be written to."""
    return Step(name="zig-cache", argv=("cp", "-r", str(folder), str(to)), env=env, phase="prepare", timeout_s=120)


def install_step(wheels: tuple[str, ...], env: Mapping[str, str]) -> Step:
    """Install exactly these wheels of the wheelhouse into the build environment."""
    paths = tuple(str(WHEELHOUSE / name) for name in wheels)
    return Step(
        name="install",
        argv=(
            *(str(TOOLS / "bin/uv"), "pip", "install", *UV_OFFLINE, "--no-deps", "--no-index"),
            *("--link-mode", "copy", "--python", str(ENVIRONMENT / "bin/python"), *paths),
        ),
        env=_here(env),
        phase="prepare",
        timeout_s=300,
    )


def _here(env: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables for uv, which asks the interpreter what it runs on: wheels of build tools run here."""
    return {name: value for name, value in env.items() if name != TARGET_PLATFORM}
