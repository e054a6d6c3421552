"""Wheels that are wrong about their interpreter."""

from dataclasses import replace

from factory.audit import Expectation
from tests.corpus.sample import (
    ABI3T_NAME,
    LOADER,
    META,
    MUSL_NAME,
    PROGRAM,
    RUNPATH,
    SBOM,
    Cases,
    Sample,
    abi3,
    beside,
    metadata,
    module,
    named,
    on,
    tags,
)
from tests.makers.objects import make_module, make_object
from tests.makers.wheels import ABI3_MODULE, ABI3_NAME, MODULE


def _pure(tag: str, requires_python: str) -> Sample:
    metadata = f"{META}Requires-Python: {requires_python}\n"
    return Sample({"demo/data.bin": b""}, wheel={"filename": f"demo-1.0-{tag}.whl", "metadata": metadata})


def _of_pypy(requires_python: str) -> Sample:
    metadata, name = (
        f"{META}Requires-Python: {requires_python}\n",
        "demo-1.0-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl",
    )
    files = {"demo/core.pypy311-pp73-x86_64-linux-gnu.so": make_module()}
    return Sample(files, wheel={"filename": name, "metadata": metadata})


CASES: Cases = {
    "libpython-linked": (
        Sample({MODULE: make_module(needed=["libpython3.11.so.1.0"])}),
        Sample(
            {
                MODULE: make_module(needed=["libpython_like.so"], runpath=RUNPATH),
                "demo.libs/libpython_like.so": make_object(),
            }
        ),
    ),
    "libpython-reached": (
        Sample(
            {
                MODULE: make_module(needed=["libfoo.so"], runpath="$ORIGIN"),
                "demo/libfoo.so": make_object(needed=["libpython3.so"]),
            }
        ),
        Sample({MODULE: make_module(needed=["libfoo.so"], runpath="$ORIGIN"), "demo/libfoo.so": make_object()}),
    ),
    "libpython-opened": (
        Sample({MODULE: make_module(undefined=["dlopen"]) + b"\0libpython3.11.so.1.0\0"}),
        Sample({MODULE: make_module(undefined=["dlopen"]) + b"\0libpython3.11.so.1.0 is not needed\0"}),
    ),
    "libpython-opened/by a path": (
        Sample({MODULE: make_module(undefined=["dlopen"]) + b"\0/usr/lib/libpypy3.11-c.so\0"}),
        Sample({MODULE: make_module(undefined=["dlsym"]) + b"\0/usr/lib/libpypy3.11-c.so\0"}),
    ),
    "libpython-opened/by a made name": (
        Sample({MODULE: make_module(undefined=["dlopen"]) + b"\0libpython%d.%d.so.1.0\0"}),
        Sample({MODULE: make_module(undefined=["dlopen"]) + b"\0cannot find libpython%d.%d.so.1.0\0"}),
    ),
    "libpython-embedded": (
        Sample({MODULE: make_module(exports=["Py_Initialize"])}),
        Sample({MODULE: make_module(undefined=["Py_Initialize"], exports=["Py_InitializeDemo"])}),
    ),
    "program-without-libpython": (
        Sample({MODULE: make_module(), PROGRAM: make_object(program=True, undefined=["Py_Initialize"])}),
        Sample({MODULE: make_module(), PROGRAM: make_object(program=True, weak=["Py_Initialize"], undefined=["puts"])}),
    ),
    "abi3-symbol-above-floor": (abi3("PyType_GetName"), abi3("PyType_GetSlot")),
    "abi3-symbol-above-floor/exported before it was stable": (
        abi3("PyType_GetName"),
        abi3("PyType_FromModuleAndSpec"),
    ),
    "abi3-symbol-unstable": (abi3("PyUnicode_New"), abi3("PyUnicode_FromString")),
    "abi3-symbol-unstable/weak": (abi3("PyUnicode_New"), abi3(weak=("PyUnicode_New",))),
    "abi3-suffix": (named(ABI3_NAME, {MODULE: make_module()}), named(ABI3_NAME, {"demo/core.so": make_module()})),
    "suffix-interpreter": (
        Sample({"demo/core.cpython-313-x86_64-linux-gnu.so": make_module()}),
        Sample({"demo/core.abi3.so": make_module()}),
    ),
    "suffix-interpreter/of another machine": (
        Sample({"demo/core.cpython-311-aarch64-linux-gnu.so": make_module()}),
        on("aarch64", machine=183, name="demo/core.cpython-311-aarch64-linux-gnu.so"),
    ),
    "suffix-interpreter/of another libc": (
        Sample({"demo/core.cpython-311-x86_64-linux-musl.so": make_module()}),
        named(MUSL_NAME, {"demo/core.cpython-311-x86_64-linux-musl.so": make_module()}),
    ),
    "init-missing": (
        Sample({MODULE: make_object(exports=["PyInit_other"])}),
        Sample({MODULE: make_object(exports=["PyModExport_core"])}),
    ),
    "init-missing/none at all": (
        Sample({MODULE: make_object(undefined=["PyList_New"])}),
        Sample({MODULE: make_object(undefined=["puts"])}),
    ),
    "init-missing/a library that uses Python": (
        Sample({MODULE: make_module(), "demo/helper.abi3.so": make_object(undefined=["PyList_New"])}),
        Sample({MODULE: make_module(), "demo/libhelper.so": make_object(undefined=["PyList_New"])}),
    ),
    "module-missing": (
        Sample({MODULE: make_module(), "demo/fast.py": b""}, Expectation(modules=("demo.fast",))),
        Sample(expect=Expectation(modules=("demo.core",))),
    ),
    "module-guess-missing": (
        Sample(expect=Expectation(guessed_modules=("demo.fast", "demo.core"))),
        Sample(expect=Expectation(modules=("demo.core",), guessed_modules=("demo.core",))),
    ),
    "modules-unnamed": (
        Sample(expect=tags("cp311-cp311-manylinux_2_17_x86_64")),
        Sample(expect=replace(tags("cp311-cp311-manylinux_2_17_x86_64"), modules=("demo.core",))),
    ),
    "modules-unnamed/beside a library for ctypes": (
        Sample(
            {MODULE: make_module(), "demo/libhelper.so": make_object(undefined=["puts"])},
            tags("cp311-cp311-manylinux_2_17_x86_64"),
        ),
        Sample(
            {"demo/libhelper.so": make_object(undefined=["puts"])},
            tags("cp311-cp311-manylinux_2_17_x86_64"),
        ),
    ),
    "pure-wheel": (
        Sample({"demo/__init__.py": b""}),
        named("demo-1.0-py3-none-manylinux_2_17_x86_64.whl", {"demo/data.bin": b""}),
    ),
    "requires-python": (
        Sample(wheel={"metadata": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.12\n"}),
        Sample(wheel={"metadata": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.11.4\n"}),
    ),
    "requires-python/of PyPy": (_of_pypy(">=3.12"), _of_pypy(">=3.11")),
    "requires-python/of one interpreter without its ABI": (
        _pure("cp311-none-any", ">=3.12"),
        _pure("cp311-none-any", "<3.12"),
    ),
    "requires-python/every one": (_pure("py3-none-any", "<3"), _pure("py2.py3-none-any", "<3")),
    "libpython-linked/stable stub": (module(needed=["libpython3.so"]), module(needed=["libpthread.so.0"])),
    "libpython-linked/free-threaded": (
        Sample(
            {"demo/core.cpython-313t-x86_64-linux-gnu.so": make_module(needed=["libpython3.13t.so.1.0"])},
            wheel={"filename": "demo-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl"},
        ),
        Sample(
            {"demo/core.cpython-313t-x86_64-linux-gnu.so": make_module()},
            wheel={"filename": "demo-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl"},
        ),
    ),
    "libpython-linked/debug": (module(needed=["libpython3.11d.so.1.0"]), module(needed=["librt.so.1"])),
    "libpython-linked/wide characters": (module(needed=["libpython2.7mu.so.1.0"]), module(needed=["libm.so.6"])),
    "libpython-linked/PyPy": (module(needed=["libpypy3.11-c.so"]), module(needed=["libdl.so.2"])),
    "libpython-linked/by a path": (
        module(needed=["/usr/lib/libpython3.11.so.1.0"]),
        module(needed=["ld-linux-x86-64.so.2"]),
    ),
    "libpython-linked/grafted": (
        Sample(
            {
                MODULE: make_module(needed=["libpython3-1a2b3c4d.so"], runpath=RUNPATH),
                "demo.libs/libpython3-1a2b3c4d.so": make_object(soname="libpython3-1a2b3c4d.so"),
                SBOM: b"{}",
            }
        ),
        Sample(
            {
                MODULE: make_module(needed=["libpy-1a2b3c4d.so"], runpath=RUNPATH),
                "demo.libs/libpy-1a2b3c4d.so": make_object(soname="libpy-1a2b3c4d.so"),
                SBOM: b"{}",
            }
        ),
    ),
    "libpython-linked/by a program": (
        beside(PROGRAM, make_object(program=True, interpreter=LOADER, needed=["libpython3.11.so.1.0"])),
        beside(PROGRAM, make_object(program=True, interpreter=LOADER, needed=["libc.so.6"])),
    ),
    "libpython-reached/in two steps": (
        Sample(
            {
                MODULE: make_module(needed=["liba.so"], runpath="$ORIGIN"),
                "demo/liba.so": make_object(needed=["libb.so"], runpath="$ORIGIN"),
                "demo/libb.so": make_object(needed=["libpython3.11.so.1.0"]),
            }
        ),
        Sample(
            {
                MODULE: make_module(needed=["liba.so"], runpath="$ORIGIN"),
                "demo/liba.so": make_object(needed=["libb.so"], runpath="$ORIGIN"),
                "demo/libb.so": make_object(needed=["libc.so.6"]),
            }
        ),
    ),
    "libpython-embedded/hidden": (
        Sample({MODULE: make_object(exports=["PyInit_core"], needed=["libm.so.6", "libc.so.6"])}),
        Sample({MODULE: make_object(exports=["PyInit_core"], undefined=["PyModule_Create2"])}),
    ),
    "libpython-embedded/in a library": (
        Sample(
            {
                MODULE: make_module(needed=["libfoo.so"], runpath="$ORIGIN"),
                "demo/libfoo.so": make_object(exports=["Py_Initialize", "Py_Finalize"]),
            }
        ),
        Sample(
            {
                MODULE: make_module(needed=["libfoo.so"], runpath="$ORIGIN"),
                "demo/libfoo.so": make_object(exports=["py_initialize"]),
            }
        ),
    ),
    "abi3-symbol-above-floor/lowest of two": (
        named(
            "demo-1.0-cp39.cp312-abi3-manylinux_2_17_x86_64.whl",
            {ABI3_MODULE: make_module(undefined=["PyType_GetName"])},
        ),
        named(
            "demo-1.0-cp311.cp312-abi3-manylinux_2_17_x86_64.whl",
            {ABI3_MODULE: make_module(undefined=["PyType_GetName"])},
        ),
    ),
    "abi3-symbol-above-floor/weak": (abi3("PyObject_Vectorcall"), abi3(weak=("PyObject_Vectorcall",))),
    "abi3-symbol-above-floor/data": (abi3("Py_Version"), abi3("Py_FileSystemDefaultEncoding")),
    "abi3-symbol-above-floor/a gap": (
        abi3("PyCFunction_New"),
        named(
            "demo-1.0-cp310-abi3-manylinux_2_17_x86_64.whl",
            {ABI3_MODULE: make_module(undefined=["PyCFunction_New"])},
        ),
    ),
    "abi3-symbol-above-floor/in a library": (
        Sample(
            {
                ABI3_MODULE: make_module(needed=["libfoo.so"], runpath="$ORIGIN"),
                "demo/libfoo.so": make_object(undefined=["PyObject_GetBuffer"]),
            },
            wheel={"filename": ABI3_NAME},
        ),
        Sample(
            {
                ABI3_MODULE: make_module(needed=["libfoo.so"], runpath="$ORIGIN"),
                "demo/libfoo.so": make_object(undefined=["PyObject_Repr"]),
            },
            wheel={"filename": ABI3_NAME},
        ),
    ),
    "abi3-symbol-above-floor/without its own suffix": (
        named(ABI3_NAME, {"demo/core.so": make_module(undefined=["PyType_GetName"])}),
        named(ABI3_NAME, {"demo/core.so": make_module(undefined=["PyType_GetSlot"])}),
    ),
    "abi3-symbol-unstable/private": (abi3("_PyObject_GC_New", "_PyUnicode_Ready"), abi3("_PyObject_GC_New")),
    "abi3-symbol-unstable/debug builds": (
        named(
            "demo-1.0-cp312-abi3-manylinux_2_17_x86_64.whl",
            {ABI3_MODULE: make_module(undefined=["_Py_NegativeRefcount"])},
        ),
        named(
            "demo-1.0-cp312-abi3-manylinux_2_17_x86_64.whl",
            {ABI3_MODULE: make_module(undefined=["_Py_IncRef"])},
        ),
    ),
    "abi3-symbol-unstable/Windows only": (abi3("PyErr_SetFromWindowsErr"), abi3("PyErr_SetFromErrno")),
    "abi3-symbol-unstable/own of another name": (
        abi3("PyDemo_Make"),
        Sample(
            {
                ABI3_MODULE: make_module(undefined=["PyDemo_Make"], needed=["libd.so"], runpath="$ORIGIN"),
                "demo/libd.so": make_object(exports=["PyDemo_Make"]),
            },
            wheel={"filename": ABI3_NAME},
        ),
    ),
    "abi3-suffix/PyPy's": (
        named(ABI3_NAME, {"demo/core.pypy311-pp73-x86_64-linux-gnu.so": make_module()}),
        named(ABI3_NAME, {ABI3_MODULE: make_module()}),
    ),
    "abi3-suffix/abi3 under abi3t": (
        named(ABI3T_NAME, {ABI3_MODULE: make_object(exports=["PyModExport_core"])}),
        named(ABI3T_NAME, {"demo/core.abi3t.so": make_object(exports=["PyModExport_core"])}),
    ),
    "abi3-suffix/abi3t under abi3": (
        named(ABI3_NAME, {"demo/core.abi3t.so": make_module()}),
        named("demo-1.0-cp315-abi3-manylinux_2_17_x86_64.whl", {"demo/core.abi3t.so": make_module()}),
    ),
    "abi3-underclaimed": (
        Sample({ABI3_MODULE: make_module()}),
        Sample({ABI3_MODULE: make_module(), MODULE: make_module()}),
    ),
    "abi3t-floor": (
        named(
            "demo-1.0-cp313-abi3.abi3t-manylinux_2_17_x86_64.whl",
            {"demo/core.so": make_object(exports=["PyModExport_core"])},
        ),
        named(ABI3T_NAME, {"demo/core.so": make_object(exports=["PyModExport_core"])}),
    ),
    "abi3t-object-layout": (
        named(ABI3T_NAME, {"demo/core.abi3t.so": make_module()}),
        named(
            ABI3T_NAME,
            {"demo/core.abi3t.so": make_object(exports=["PyModExport_core"], undefined=["PyModule_FromSlotsAndSpec"])},
        ),
    ),
    "abi3t-object-layout/of the older kind": (
        named(ABI3T_NAME, {"demo/core.so": make_object(exports=["PyInit_core"], undefined=["PyModule_Create2"])}),
        named(ABI3T_NAME, {"demo/core.so": make_module(exports=["PyModExport_core"])}),
    ),
    "suffix-interpreter/abi3 in a free-threaded wheel": (
        named("demo-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl", {ABI3_MODULE: make_module()}),
        named("demo-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
    ),
    "suffix-interpreter/with the GIL in a free-threaded wheel": (
        named(
            "demo-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl",
            {"demo/core.cpython-313-x86_64-linux-gnu.so": make_module()},
        ),
        named(
            "demo-1.0-cp313-cp313t-manylinux_2_17_x86_64.whl",
            {"demo/core.cpython-313t-x86_64-linux-gnu.so": make_module()},
        ),
    ),
    "suffix-interpreter/one of two": (
        Sample({MODULE: make_module(), "demo/fast.cpython-312-x86_64-linux-gnu.so": make_module("fast")}),
        Sample({MODULE: make_module(), "demo/fast.cpython-311-x86_64-linux-gnu.so": make_module("fast")}),
    ),
    "init-missing/expected and without any": (
        Sample({MODULE: make_object(exports=["init"])}, Expectation(modules=("demo.core",))),
        Sample({MODULE: make_module()}, Expectation(modules=("demo.core",))),
    ),
    "init-missing/not ASCII": (
        Sample({"demo/é.so": make_object(exports=["PyInit_e"], undefined=["PyModuleDef_Init"])}),
        Sample({"demo/é.so": make_object(exports=["PyInitU_9ca"], undefined=["PyModuleDef_Init"])}),
    ),
    "module-missing/in another package": (
        Sample(expect=Expectation(modules=("other.core",))),
        Sample({"other/core.cpython-311-x86_64-linux-gnu.so": make_module()}, Expectation(modules=("other.core",))),
    ),
    "requires-python/unreadable": (metadata("Requires-Python: three"), metadata("Requires-Python: >=3")),
    "symbol-undefined/of another interpreter": (
        module(undefined=["PyInterpreterState_GetDict", "PyLong_AsInt"]),
        module(undefined=["PyInterpreterState_GetDict"]),
    ),
    "symbol-undefined/of free-threaded builds": (
        named(
            "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
            {"demo/core.so": make_module(undefined=["_Py_DecRefShared"])},
        ),
        named(
            "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
            {"demo/core.so": make_module(undefined=["_Py_Dealloc"])},
        ),
    ),
    "symbols-unjudged": (
        named("demo-1.0-cp399-cp399-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
        named("demo-1.0-cp39-cp39-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
    ),
}
