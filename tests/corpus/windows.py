"""Wheels for Windows that it refuses to install, load or import."""

from collections.abc import Sequence
from typing import Unpack

from factory.audit import Expectation
from tests.corpus.sample import Cases, Sample, named
from tests.makers.objects import make_module
from tests.makers.pe import ARM64, I386, PeFacts, make_pe
from tests.makers.wheels import MODULE

NAME = "demo-1.0-cp313-cp313-win_amd64.whl"
ABI3_NAME = "demo-1.0-cp39-abi3-win_amd64.whl"
PYD = "demo/core.cp313-win_amd64.pyd"


def made(python: str = "python313.dll", *needed: str, symbols: Sequence[str] = (), **facts: Unpack[PeFacts]) -> bytes:
    """Make a module that asks its interpreter for symbols, and needs more libraries."""
    whole: PeFacts = {
        "imports": {python: ["PyModule_Create2", *symbols], **{name: ["f"] for name in needed}},
        "exports": ["PyInit_core"],
    }
    whole.update(facts)
    return make_pe(**whole)


def module(python: str = "python313.dll", *needed: str, **files: bytes) -> Sample:
    return named(NAME, {PYD: made(python, *needed)} | {f"demo/{name}.dll": data for name, data in files.items()})


def abi3(content: bytes, path: str = "demo/core.pyd") -> Sample:
    return named(ABI3_NAME, {path: content})


CASES: Cases = {
    "pe-broken": (
        named(NAME, {PYD: made(), "demo/x.dll": b"MZ"}),
        named(NAME, {PYD: made(), "demo/x.dll": b"ZM"}),
    ),
    "pe-broken/cut short": (
        named(NAME, {PYD: made()[:0x300]}),
        named(NAME, {PYD: made() + b"\0"}),
    ),
    "pe-broken/of Windows alone": (
        named(NAME, {PYD: made(), "demo/start.exe": b"MZ"}),
        Sample({MODULE: make_module(), "demo/start.exe": b"MZ"}),
    ),
    "dll-missing": (module("python313.dll", "libgcc_s_seh-1.dll"), module("python313.dll", "KERNEL32.dll")),
    "dll-missing/threads of MinGW": (
        module("python313.dll", "libwinpthread-1.dll"),
        module("python313.dll", "api-ms-win-crt-runtime-l1-1-0.dll"),
    ),
    "dll-missing/of a library": (
        module("python313.dll", "a.dll", a=make_pe(imports={"b.dll": ["f"]})),
        module("python313.dll", "A.dll", a=make_pe(imports={"b.dll": ["f"]}), b=make_pe()),
    ),
    "dll-missing/of another machine's": (
        named(NAME, {PYD: made(), "demo/x.dll": make_pe(imports={"b.dll": ["f"]})}),
        named(NAME, {PYD: made(), "demo/x.dll": make_pe(machine=I386, imports={"b.dll": ["f"]})}),
    ),
    "dll-redistributable": (module("python313.dll", "MSVCP140.dll"), module("python313.dll", "VCRUNTIME140_1.dll")),
    "python-dll": (module("python312.dll"), module("python3.dll")),
    "python-dll/under abi3": (abi3(made("python313.dll")), abi3(made("python3.dll"))),
    "python-dll/for debugging": (module("python313_d.dll"), module("Python313.DLL")),
    "python-dll/without the GIL": (
        named("demo-1.0-cp313-cp313t-win_amd64.whl", {"demo/core.cp313t-win_amd64.pyd": made("python313.dll")}),
        named("demo-1.0-cp313-cp313t-win_amd64.whl", {"demo/core.cp313t-win_amd64.pyd": made("python313t.dll")}),
    ),
    "wrong-machine/on Windows": (
        named(NAME, {PYD: made(machine=I386)}),
        named(NAME, {PYD: made(), "demo/inject.exe": make_pe(machine=I386, is_library=False)}),
    ),
    "wrong-machine/on Windows, a needed library": (
        module("python313.dll", "a.dll", a=make_pe(machine=ARM64)),
        named(NAME, {PYD: made("python313.dll", "a.dll"), "x/a.dll": make_pe(machine=ARM64), "y/a.dll": make_pe()}),
    ),
    "abi3-suffix/on Windows": (abi3(made("python3.dll"), "demo/core.cp39-win_amd64.pyd"), abi3(made("python3.dll"))),
    "suffix-interpreter/on Windows": (
        named(NAME, {"demo/core.cp312-win_amd64.pyd": made()}),
        named(NAME, {"demo/core.pyd": made()}),
    ),
    "suffix-interpreter/abi3, which Windows does not look for": (
        named(NAME, {"demo/core.abi3.pyd": made()}),
        named(NAME, {"demo/core.pyd": made()}),
    ),
    "init-missing/on Windows": (
        named(NAME, {PYD: made(exports=["PyInit_other"])}),
        named(NAME, {PYD: made(exports=["PyInit_core", "PyInit_other"])}),
    ),
    "module-missing/on Windows": (
        Sample({PYD: made()}, Expectation(modules=("demo.other",)), {"filename": NAME}),
        Sample({PYD: made()}, Expectation(modules=("demo.core",)), {"filename": NAME}),
    ),
    "pure-wheel/on Windows": (
        named(NAME, {"demo/core.py": b"pass\n"}),
        named(NAME, {PYD: made(), "demo/core.py": b"pass\n"}),
    ),
    "abi3-symbol-above-floor/on Windows": (
        abi3(made("python3.dll", symbols=["PyType_GetName"])),
        abi3(made("python3.dll", symbols=["PyErr_SetFromWindowsErr"])),
    ),
    "abi3-symbol-unstable/on Windows": (
        abi3(made("python3.dll", symbols=["_PyObject_Vectorcall"])),
        abi3(made("python3.dll", "vcruntime140.dll", symbols=["PyObject_Call"])),
    ),
    "debug-info/on Windows": (
        named(NAME, {PYD: made(sections=[".debug_info"])}),
        named(NAME, {PYD: made(sections=[".debug_frame"])}),
    ),
    "symbols-unjudged/on Windows": (module(), named(NAME, {PYD: make_pe(exports=["PyInit_core"])})),
}
