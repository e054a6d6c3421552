"""Wheels whose objects a real compiler made: each is proven bad by what the loader or an interpreter says to it."""

import platform
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MODULE = "demo/core.so"
MARKED = f"demo/core{sysconfig.get_config_var('EXT_SUFFIX')}"
TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
HERE = f"manylinux_{platform.libc_ver()[1].replace('.', '_')}_x86_64"
ANY = f"demo-1.0-py3-none-{HERE}.whl"
OURS = f"demo-1.0-{TAG}-{TAG}-{HERE}.whl"
PROGRAM = "demo-1.0.data/scripts/tool"
CORE = "int core(void) { return 3; }"
_HEADERS = f"-I{sysconfig.get_path('include')}"

Change = Callable[[bytearray], None]
Works = Callable[[Path, str], bool]


@dataclass(frozen=True)
class Part:
    """One object: its source, what the linker is told, and a last change to its bytes."""

    source: str = CORE
    flags: tuple[str, ...] = ()
    change: Change | None = None
    shipped: bool = True
    cxx: bool = False


@dataclass(frozen=True)
class Built:
    """Objects in the order in which they are built, the first but last one being what is loaded."""

    parts: Mapping[str, Part]
    filename: str = ANY
    scripts: Mapping[str, bytes] = field(default_factory=dict)

    def build(self, folder: Path) -> dict[str, bytes]:
        """Compile every part in a folder, and return what the wheel ships."""
        for name, content in self.scripts.items():
            (folder / name).write_bytes(content)
        for name, part in self.parts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shared = [] if name == PROGRAM else ["-shared", "-fPIC"]
            compiler = ["g++", "-x", "c++"] if part.cxx else ["gcc", "-x", "c"]
            argv = [*compiler, *shared, "-o", name, "-", "-Wl,--no-as-needed", "-Wl,-z,now", *part.flags]
            done = subprocess.run(argv, input=part.source.encode(), check=False, cwd=folder, capture_output=True)
            assert done.returncode == 0, done.stderr[:2000]
            if part.change is not None:
                object_bytes = bytearray(path.read_bytes())
                part.change(object_bytes)
                path.write_bytes(object_bytes)
        for name, part in self.parts.items():
            if not part.shipped:
                (folder / name).unlink()
        return {name: (folder / name).read_bytes() for name, part in self.parts.items() if part.shipped}


@dataclass(frozen=True)
class Pair:
    """A wheel that breaks a rule, one that nearly does, and the trial that tells them apart."""

    bad: Built
    near: Built
    works: Works


def _python(code: str, *arguments: str, cwd: Path) -> bool:
    argv = [sys.executable, "-I", "-c", code, *arguments]
    return subprocess.run(argv, cwd=cwd, capture_output=True, check=False).returncode == 0


def loads(folder: Path, name: str) -> bool:
    """Load it as Python loads modules: RTLD_NOW."""
    return _python("import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(folder / name), cwd=Path("/"))


def imports(folder: Path, name: str) -> bool:
    """Import it as demo.core."""
    del name
    (folder / "demo/__init__.py").touch()
    return _python("import sys; sys.path.insert(0, sys.argv[1]); import demo.core", str(folder), cwd=Path("/"))


def starts(folder: Path, name: str) -> bool:
    """Run it as a program."""
    path = folder / name
    path.chmod(0o755)
    try:
        return subprocess.run([path], capture_output=True, check=False, cwd="/").returncode == 0
    except OSError:
        return False


def keeps_rights(folder: Path, name: str) -> bool:
    """Load it, and find no memory of the process writable and executable at once."""
    code = (
        "import ctypes, sys; ctypes.CDLL(sys.argv[1]); maps = open('/proc/self/maps').read();"
        "sys.exit(any(line.split()[1].startswith('rwx') for line in maps.splitlines()))"
    )
    return _python(code, str(folder / name), cwd=Path("/"))


_PLANTED = """
#include <stdlib.h>
__attribute__((constructor)) static void taken(void) { _Exit(3); }
int far(void) { return 9; }
"""


def is_alone(folder: Path, name: str) -> bool:
    """Load it where a library of the name that it asks for lies in the working folder: that one must not be taken."""
    planted = folder / "planted"
    (planted / "lib").mkdir(parents=True, exist_ok=True)
    for place in (planted, planted / "lib"):
        argv = ["gcc", "-shared", "-fPIC", "-x", "c", "-o", str(place / "libfar.so"), "-"]
        subprocess.run(argv, input=_PLANTED, text=True, check=True)
    code = "import ctypes, sys\ntry: ctypes.CDLL(sys.argv[1])\nexcept OSError: pass"
    return _python(code, str(folder / name), cwd=planted)


def _patched(offset: int, layout: str, value: int) -> Change:
    return lambda content: struct.pack_into(layout, content, offset, value)


def _each_load(offset: int, layout: str, change: Callable[[int], int]) -> Change:
    """Change a field in every PT_LOAD of a 64-bit object."""

    def apply(content: bytearray) -> None:
        (start,) = struct.unpack_from("<Q", content, 32)
        (count,) = struct.unpack_from("<H", content, 56)
        for at in range(start, start + 56 * count, 56):
            if struct.unpack_from("<I", content, at) == (1,):
                (old,) = struct.unpack_from(layout, content, at + offset)
                struct.pack_into(layout, content, at + offset, change(old))

    return apply


def _forget_first(content: bytearray) -> None:
    """Make the loader overlook the first DT_NEEDED entry, as repair tools do with libpython's."""
    (start,) = struct.unpack_from("<Q", content, 32)
    (count,) = struct.unpack_from("<H", content, 56)
    for at in range(start, start + 56 * count, 56):
        kind, _, offset = struct.unpack_from("<IIQ", content, at)
        if kind == 2:
            assert struct.unpack_from("<Q", content, offset) == (1,)
            struct.pack_into("<Q", content, offset, 0x60000042)


def _cut(content: bytearray) -> None:
    del content[len(content) // 3 :]


def _headless(content: bytearray) -> None:
    """Take the section headers away, as packers do."""
    content[40:48], content[60:64] = bytes(8), bytes(4)


def _one(source: str = CORE, *flags: str, change: Change | None = None, filename: str = ANY) -> Built:
    return Built({MODULE: Part(source, flags, change)}, filename)


def _two(library: Part, core: Part, *, name: str = "demo/libfar.so") -> Built:
    return Built({name: library, MODULE: core})


FAR = "int far(void) { return 1; }"
CALLS_FAR = "int far(void); int core(void) { return far(); }"
FAR_TEXT = "#include <string>\nint far(std::string s) { return s.size(); }"
CALLS_FAR_TEXT = '#include <string>\nint far(std::string s); int core() { return far("x"); }'
NO_SUCH = "void PyNo_Such(void); void f(void) { PyNo_Such(); }"
IN_LIB64 = ("-Ldemo/lib64", "-lfar")
MUSL = "libc.musl-x86_64.so.1"
NEAR_BY = ("-Ldemo", "-lfar", "-Wl,-rpath,$ORIGIN")
_MODULE = """
#include <Python.h>
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "core", 0, 0, 0, 0, 0, 0, 0};
PyMODINIT_FUNC PyInit_%s(void) { return PyModule_Create(&def); }
"""
_EMBEDDER = "void Py_Initialize(void); int main(void) { Py_Initialize(); return 0; }"
_BIG_STORAGE = "static __thread char big[1 << 20]; char *core(int i) { return &big[i]; }"


def _versioned(linked: str, shipped: str) -> Built:
    """Link against a library that offers one version, and ship another build of it."""

    def library(version: str, *, shipped: bool = True) -> Part:
        source = f'__asm__(".symver far_,far@@{version}"); int far_(void) {{ return 1; }}'
        return Part(source, ("-Wl,-soname,libfar.so", f"-Wl,--version-script={version}"), shipped=shipped)

    scripts = {version: f"{version} {{ global: far; }};".encode() for version in ("DEMO_1", "DEMO_2")}
    core = Part(CALLS_FAR, ("-Llinked", "-lfar", "-Wl,-rpath,$ORIGIN"))
    parts = {"linked/libfar.so": library(linked, shipped=False), MODULE: core, "demo/libfar.so": library(shipped)}
    return Built(parts, scripts=scripts)


PAIRS: dict[str, Pair] = {
    "symbol-undefined": Pair(_one("int nowhere(void); int core(void) { return nowhere(); }"), _one(), loads),
    "symbol-undefined/weak": Pair(
        _one("int nowhere(void); int core(void) { return nowhere(); }"),
        _one("__attribute__((weak)) int nowhere(void); int core(void) { return nowhere ? nowhere() : 0; }"),
        loads,
    ),
    "symbol-undefined/in a library": Pair(
        _two(Part("int gone(void); int far(void) { return gone(); }"), Part(CALLS_FAR, NEAR_BY)),
        _two(Part(FAR), Part(CALLS_FAR, NEAR_BY)),
        loads,
    ),
    "symbol-undefined/the other C++ ABI": Pair(
        _two(
            Part(
                "#include <string>\nint far(std::string s) { return s.size(); }",
                ("-D_GLIBCXX_USE_CXX11_ABI=0",),
                cxx=True,
            ),
            Part(CALLS_FAR_TEXT, NEAR_BY, cxx=True),
        ),
        _two(
            Part(FAR_TEXT, cxx=True),
            Part(CALLS_FAR_TEXT, NEAR_BY, cxx=True),
        ),
        loads,
    ),
    "library-missing": Pair(
        Built({"demo/libfar.so": Part(FAR, shipped=False), MODULE: Part(CALLS_FAR, NEAR_BY)}),
        _two(Part(FAR), Part(CALLS_FAR, NEAR_BY)),
        loads,
    ),
    "library-missing/no search path": Pair(
        _two(Part(FAR), Part(CALLS_FAR, ("-Ldemo", "-lfar"))),
        _two(Part(FAR), Part(CALLS_FAR, NEAR_BY)),
        loads,
    ),
    "library-missing/$LIB that is not there": Pair(
        _two(
            Part(FAR),
            Part(CALLS_FAR, (*IN_LIB64, "-Wl,-rpath,$ORIGIN/$LIB")),
            name="demo/lib64/libfar.so",
        ),
        _two(
            Part(FAR),
            Part(CALLS_FAR, (*IN_LIB64, "-Wl,-rpath,$ORIGIN/lib64")),
            name="demo/lib64/libfar.so",
        ),
        loads,
    ),
    "needed-path": Pair(
        _two(Part(FAR), Part(CALLS_FAR, ("-Wl,demo/libfar.so", "-Wl,-rpath,$ORIGIN"))),
        _two(Part(FAR, ("-Wl,-soname,libfar.so",)), Part(CALLS_FAR, ("-Wl,demo/libfar.so", "-Wl,-rpath,$ORIGIN"))),
        loads,
    ),
    "needed-hidden": Pair(_one(CORE, "-Wl,-F,libnowhere.so"), _one(), loads),
    "rpath-relative": Pair(
        _two(Part(FAR), Part(CALLS_FAR, ("-Ldemo", "-lfar", "-Wl,-rpath,lib:$ORIGIN"))),
        _two(Part(FAR), Part(CALLS_FAR, NEAR_BY)),
        is_alone,
    ),
    "rpath-relative/empty": Pair(
        _two(Part(FAR), Part(CALLS_FAR, ("-Ldemo", "-lfar", "-Wl,-rpath,:$ORIGIN"))),
        _two(Part(FAR), Part(CALLS_FAR, NEAR_BY)),
        is_alone,
    ),
    "symbol-version-undefined": Pair(_versioned("DEMO_2", "DEMO_1"), _versioned("DEMO_1", "DEMO_1"), loads),
    "elf-broken/misplaced": Pair(_one(change=_each_load(8, "<Q", lambda old: old and old - 8)), _one(), loads),
    "elf-broken": Pair(_one(change=_cut), _one(), loads),
    "wrong-machine": Pair(_one(change=_patched(18, "<H", 183)), _one(), loads),
    "wrong-libc": Pair(
        Built({MUSL: Part(FAR, shipped=False), MODULE: Part(CORE, ("-L.", f"-l:{MUSL}"))}),
        _one(CORE, "-lm"),
        loads,
    ),
    "executable-stack": Pair(_one(CORE, "-Wl,-z,execstack"), _one(CORE, "-Wl,-z,noexecstack"), keeps_rights),
    "writable-code": Pair(_one(change=_each_load(4, "<I", lambda old: 7 if old & 1 else old)), _one(), keeps_rights),
    "static-tls": Pair(_one(_BIG_STORAGE, "-ftls-model=initial-exec"), _one(_BIG_STORAGE), loads),
    "libpython-linked": Pair(
        Built({"libpython3.so": Part(FAR, shipped=False), MODULE: Part(CORE, ("-L.", "-l:libpython3.so"))}),
        _one(CORE, "-lm"),
        loads,
    ),
    "program-interpreter": Pair(
        Built({MODULE: Part(), PROGRAM: Part("int main(void) { return 0; }", ("-Wl,--dynamic-linker=/opt/ld.so",))}),
        Built({MODULE: Part(), PROGRAM: Part("int main(void) { return 0; }")}),
        lambda folder, _: starts(folder, PROGRAM),
    ),
    "program-without-libpython": Pair(
        Built(
            {
                "libpython3.so": Part("void Py_Initialize(void) {}", shipped=False),
                MODULE: Part(),
                PROGRAM: Part(_EMBEDDER, ("-L.", "-l:libpython3.so", "-Wl,-rpath,$ORIGIN/../.."), _forget_first),
            }
        ),
        Built({MODULE: Part(), PROGRAM: Part("int main(void) { return 0; }")}),
        lambda folder, _: starts(folder, PROGRAM),
    ),
    "init-missing": Pair(
        Built({MARKED: Part(_MODULE % "other", (_HEADERS,))}, OURS),
        Built({MARKED: Part(_MODULE % "core", (_HEADERS,))}, OURS),
        imports,
    ),
    "suffix-interpreter": Pair(
        Built({"demo/core.cpython-399-x86_64-linux-gnu.so": Part(_MODULE % "core", (_HEADERS,))}, OURS),
        Built({MARKED: Part(_MODULE % "core", (_HEADERS,))}, OURS),
        imports,
    ),
    "symbol-undefined/of another interpreter": Pair(
        Built({MARKED: Part(_MODULE % "core" + NO_SUCH, (_HEADERS,))}, OURS),
        Built({MARKED: Part(_MODULE % "core", (_HEADERS,))}, OURS),
        imports,
    ),
}
