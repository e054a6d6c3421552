"""The variables by which builds call zig as their compiler and linker."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from factory.machines import MACHINES
from factory.project.model import Project
from factory.steps import ZIG, ZIG_CACHE, image_python
from factory.tags import Interpreter, PlatformTag


def zig_program() -> PurePosixPath:
    """Return where zig itself lies."""
    return ZIG / "ziglang/zig"


def zig_target(platform: PlatformTag) -> str:
    """Return what zig calls a platform: `x86_64-linux-gnu.2.17`."""
    return f"{MACHINES[platform.arch].zig}.{platform.major}.{platform.minor}"


def zig_env(platform: PlatformTag, project: Project, interpreter: Interpreter) -> Mapping[str, str]:
    """Return the variables of a build whose compiler and linker is zig.

    setuptools reads CC, CXX, AR, LDSHARED and LDCXXSHARED in place of what the interpreter was compiled with; cargo
    reads its linker's name per target. pkg-config is to find nothing: the image's libraries need the image's glibc.
    """
    tools = ZIG / "bin"
    env = {
        "ZIG": str(zig_program()),
        "ZIG_TARGET": zig_target(platform),
        "ZIG_PYTHON": str(image_python(interpreter)),
        "ZIG_GLOBAL_CACHE_DIR": str(ZIG_CACHE),
        "ZIG_LOCAL_CACHE_DIR": str(ZIG_CACHE),
        "CC": str(tools / "cc"),
        "CXX": str(tools / "c++"),
        "AR": str(tools / "ar"),
        "RANLIB": str(tools / "ranlib"),
        "LDSHARED": f"{tools / 'cc'} -shared",
        "LDCXXSHARED": f"{tools / 'c++'} -shared",
        "PKG_CONFIG_PATH": "",
        "PKG_CONFIG_LIBDIR": "",
    }
    if project.cargo_manifest is not None:
        name = MACHINES[platform.arch].rust.upper().replace("-", "_")
        env[f"CARGO_TARGET_{name}_LINKER"] = str(tools / "cc")
    return env
