"""A build command as data, and where things lie in a cell's container."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from factory.tags import Interpreter

WORK = PurePosixPath("/work")
SOURCE = WORK / "source"
ENVIRONMENT = WORK / "env"
WHEELHOUSE = WORK / "wheelhouse"
BUILT = WORK / "built"
RAW = WORK / "raw"
REPAIRED = WORK / "repaired"
HOME = WORK / "home"
TARGET = WORK / "target"
EMULATOR = WORK / "emulator"
MATURIN = WORK / "maturin"
MINGW = WORK / "mingw"
USERLAND = PurePosixPath("/userland")
"""Where a trial image has the libraries and interpreters of another machine, by which QEMU runs that one's programs."""
USERLAND_EMULATOR = USERLAND / "emulator"
WINE = PurePosixPath("/usr/share/wine")
"""Where a trial image has its suite's wine, which loads modules for Windows."""
BAZEL_ROOT = WORK / "bazel"
BAZEL_CACHE = WORK / "bazel-cache"
"""What Bazel made of its actions, by what they read: kept from one build of a project to the next."""
COMPILER_LINKS = WORK / "compilers"
"""A folder of links by the names of the image's compilers, which lead to ccache."""
COMPILED = WORK / "compiled"
"""What ccache remembers: kept from one build of a project to the next."""
TOOLS = PurePosixPath("/tools")
CARGO_HOME = PurePosixPath("/cargo")
ZIG = PurePosixPath("/zig")
REPAIR_FOREIGN = ZIG / "repair_foreign.py"
HEADERS = WORK / "headers"
"""Where a build for another machine has that one's headers of Python."""
ZIG_SEED = PurePosixPath("/zig-cache")
MUSL = PurePosixPath("/musl")
REPAIR_MUSL = MUSL / "repair_musl.py"
ZIG_CACHE = WORK / "zig"

StepName = Literal[
    "source",
    "image",
    "container",
    "package-sources",
    "before-all",
    "packages",
    "package-list",
    "save-image",
    "compile-tools",
    "compile-userland",
    "zig-libraries",
    "fill-volume",
    "zig-cache",
    "resolve",
    "crates",
    "environment",
    "install",
    "requirements",
    "reset-source",
    "kept-crates",
    "kept-objects",
    "before",
    "no-interpreter",
    "build",
    "programs",
    "repair",
    "audit",
    "compare",
    "unpack",
    "load",
    "import",
    "import-cost",
    "wrap-programs",
    "start-commands",
    "old-processor",
    "test",
    "import-origins",
    "threads",
    "stubs",
]
STEP_NAMES: Mapping[StepName, str] = MappingProxyType(
    {
        "source": "A recipe's source is fetched and read, and its cells are planned.",
        "image": "An image is looked up, and made or pulled where it is missing; Rust is packed for images without it.",
        "container": "A container is started.",
        "package-sources": "An image that is being prepared gets its package sources, and apt reads their index.",
        "before-all": "A line of the recipe's `build.before-all` runs.",
        "packages": "The recipe's `build.system` packages are installed.",
        "package-list": "The packages of the prepared image are listed; their hashes are part of its identity.",
        "save-image": "The prepared container becomes an image.",
        "compile-tools": "Our own tools for containers are compiled to bytecode, once for each image.",
        "compile-userland": "Another machine's Python modules are compiled to bytecode, once for each image.",
        "fill-volume": "The engine copies files into a volume that containers share: our tools, Rust, or crates.",
        "zig-libraries": "zig compiles what it links into every library: once for each platform and language.",
        "zig-cache": "What zig compiled is copied into the build's workspace, where zig may add to it.",
        "resolve": "uv chooses the wheels that a build or a trial requires, and they are downloaded.",
        "crates": "cargo downloads the crates of the lock or, for `locked: false`, makes the lock.",
        "environment": "An empty environment is made, for the build or for a trial.",
        "install": "The build's requirements, or the wheel and what it requires, are installed.",
        "requirements": "The backend is asked what else it requires (`get_requires_for_build_wheel`).",
        "reset-source": "The source is written again, because the backend may have changed it when it was asked.",
        "kept-crates": "What cargo compiled before is put into the build's workspace, or taken out for the next build.",
        "kept-objects": "What the image's compiler made before, by ccache, is put into the workspace, or taken out.",
        "before": "A line of the recipe's `build.before` runs.",
        "no-interpreter": "For `build: {interpreter: none}`: a check that the build can find no interpreter.",
        "build": "The backend builds the wheel.",
        "programs": "A command of the recipe's `programs.run` builds and runs what links libpython.",
        "repair": "auditwheel repairs the wheel.",
        "audit": "The gate judges the wheel, before and after the repair.",
        "compare": "The wheel of the newest older release is fetched, and compared with this one (`audit.against`).",
        "unpack": "The wheel is unpacked, to be loaded.",
        "load": "The loader of the oldest libc resolves every object of the wheel.",
        "import": "Every library is loaded and every module imported.",
        "import-cost": "The imports of some modules are measured, each in new processes.",
        "wrap-programs": "A script that starts the emulator takes the place of each program for another machine.",
        "start-commands": "Every command that the wheel installs is started with `--help`.",
        "old-processor": "Modules are imported and programs started once more on an old processor, by an emulator.",
        "test": "The recipe's `test.run` runs.",
        "import-origins": "What the tests imported of the wheel is compared with what is installed.",
        "threads": "The modules are imported, and the recipe's `test.run` runs, in several threads at once.",
        "stubs": "mypy's stubtest compares the wheel's stubs with what it imports.",
    }
)
"""Every step of a run as people see it, with what it does; docs/reference/steps.md is made of it."""

UV_OFFLINE = ("--no-config", "--offline", "--no-cache", "--quiet")
"""Options of every uv command in a container, whose result may depend on nothing but the files there."""

INTERPRETERS = PurePosixPath("/opt/python")
"""Where a build image has its interpreters."""

COMPILERS = tuple(
    PurePosixPath(folder)
    for folder in ("/usr/include", "/usr/local/include", "/usr/lib/gcc", "/usr/libexec/gcc", "/opt/rh")
)
"""Where build images have headers and what compilers start; without them nothing can be compiled."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command in a container; no shell reads `argv` unless it starts one.

    `name` is for people, and in no key. `passed` are variables whose values may be secret: keys hold digests of them,
    and logs do not show them.
    """

    name: StepName
    argv: tuple[str, ...]
    env: Mapping[str, str]
    phase: Literal["prepare", "build", "repair", "trial"]
    timeout_s: int
    cwd: PurePosixPath = WORK
    passed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)


def image_python(interpreter: Interpreter) -> PurePosixPath:
    """Return an interpreter's path in a build image, as the pypa images have it."""
    return INTERPRETERS / f"{interpreter.python_tag}-{interpreter.abi_tag}" / "bin/python"


def search_path(*first: PurePosixPath | str, system: str = SYSTEM_PATH) -> str:
    """Return a PATH of these folders, followed by the system's, or by that of a build image."""
    return ":".join([*(str(folder) for folder in first), system])


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """An interpreter, and its path in a container; `under` is what starts programs of its machine, if another."""

    interpreter: Interpreter
    path: PurePosixPath
    under: tuple[str, ...] = ()


def trial_python(interpreter: Interpreter) -> PurePosixPath:
    """Return an interpreter's path in a trial image that holds it: where its distribution has it."""
    return PurePosixPath("/usr/bin", interpreter.program)


def emulated_python(interpreter: Interpreter) -> Python:
    """Return another machine's interpreter in a trial image that has that machine's userland."""
    path = USERLAND / trial_python(interpreter).relative_to("/")
    return Python(interpreter=interpreter, path=path, under=(str(USERLAND_EMULATOR), "-L", str(USERLAND)))
