"""Makers of small projects as dictionaries of files: each states only the fact that matters to its test."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

EPOCH_S = 1_700_000_000

SHOW = "import os, sys\nif 'bdist_wheel' in sys.argv: print('SEEN', sorted(os.environ.items()))"
"""What a setup.py begins with that prints its environment in the build."""

C_MODULE = """\
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "NAME", NULL, -1, methods};
PyMODINIT_FUNC PyInit_NAME(void) { return PyModule_Create(&definition); }
"""

RUST_MODULE = """\
// An extension module by hand: no crate to fetch, and a second to compile.
use std::os::raw::{c_char, c_int, c_void};
use std::ptr::null_mut;

#[repr(C)]
pub struct Definition { base: [usize; 5], name: *const c_char, doc: *const c_char, size: isize, rest: [*mut c_void; 5] }

extern "C" { fn PyModule_Create2(definition: *mut Definition, api: c_int) -> *mut c_void; }

static mut DEFINITION: Definition = Definition {
    base: [1, 0, 0, 0, 0],
    name: b"NAME\\0".as_ptr() as *const c_char,
    doc: std::ptr::null(),
    size: -1,
    rest: [null_mut(); 5],
};

#[no_mangle]
pub unsafe extern "C" fn PyInit_NAME() -> *mut c_void { PyModule_Create2(std::ptr::addr_of_mut!(DEFINITION), 1013) }
"""


@dataclass(frozen=True)
class Project:
    """A project as files by path; every file has the same time, so that two of one content are the same source."""

    name: str
    files: Mapping[str, str]

    def write(self, folder: Path) -> None:
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            os.utime(path, (EPOCH_S, EPOCH_S))
            path.chmod(0o755 if text.startswith("#!") else 0o644)


SIZES = """
#include <Python.h>  /* first, because it asks for file offsets of 64 bits */
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
_Static_assert(SIZEOF_LONG == sizeof(long), "long");
_Static_assert(SIZEOF_LONG_DOUBLE == sizeof(long double), "long double");
_Static_assert(SIZEOF_VOID_P == sizeof(void *), "pointers");
_Static_assert(SIZEOF_UINTPTR_T == sizeof(uintptr_t), "uintptr_t");
_Static_assert(SIZEOF_SIZE_T == sizeof(size_t), "size_t");
_Static_assert(SIZEOF_TIME_T == sizeof(time_t), "time_t");
_Static_assert(SIZEOF_OFF_T == sizeof(off_t), "off_t");
_Static_assert(SIZEOF_FPOS_T == sizeof(fpos_t), "fpos_t");
_Static_assert(SIZEOF_WCHAR_T == sizeof(wchar_t), "wchar_t");
_Static_assert(SIZEOF_PTHREAD_T == sizeof(pthread_t), "pthread_t");
_Static_assert(PY_BIG_ENDIAN == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__), "byte order");
#ifdef ALIGNOF_MAX_ALIGN_T
_Static_assert(ALIGNOF_LONG == _Alignof(long), "alignment of long");
_Static_assert(ALIGNOF_SIZE_T == _Alignof(size_t), "alignment of size_t");
_Static_assert(ALIGNOF_MAX_ALIGN_T == _Alignof(max_align_t), "alignment of all");
#endif
#ifdef HAVE_GCC_UINT128_T
__uint128_t wide(void) { return 1; }
#endif
"""
"""C code that does not compile where Python's headers say something else of the machine than the compiler."""


def pyproject(name: str, requires: list[str], backend: str, more: str = "") -> str:
    return dedent(
        f"""\
        [project]
        name = "{name}"
        version = "1.0"
        [build-system]
        requires = {requires!r}
        build-backend = "{backend}"
        """
    ) + dedent(more)


def make_c_project(
    name: str,
    *,
    code: str = C_MODULE,
    setup: str = "",
    extension: str = "",
    sources: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
) -> Project:
    """One extension module by setuptools; `setup` is code before it, `extension` more arguments of it."""
    script = (
        f"{dedent(setup)}\n"
        "from setuptools import Extension, setup\n"
        f"setup(ext_modules=[Extension({name!r}, {list(sources) or [f'{name}.c']}{extension and ', ' + extension})])\n"
    )
    return Project(
        name,
        {
            "pyproject.toml": pyproject(name, ["setuptools"], "setuptools.build_meta"),
            "setup.py": script,
            f"{name}.c": code.replace("NAME", name),
            **(files or {}),
        },
    )


def make_rust_project(
    name: str,
    *,
    cargo: str = "",
    lock: str | None = None,
    setup: str = "",
    files: Mapping[str, str] | None = None,
) -> Project:
    """A module in Rust without any crate, by setuptools-rust; `cargo` is more of Cargo.toml, an empty lock is none."""
    own_lock = f'version = 4\n\n[[package]]\nname = "{name}"\nversion = "1.0.0"\n'
    script = (
        f"{dedent(setup)}\n"
        "from setuptools import setup\n"
        "from setuptools_rust import Binding, RustExtension\n"
        f"setup(rust_extensions=[RustExtension({name!r}, binding=Binding.NoBinding)], zip_safe=False)\n"
    )
    manifest = (
        f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n'
        f'[lib]\npath = "lib.rs"\ncrate-type = ["cdylib"]\n{dedent(cargo)}'
    )
    made = {
        "pyproject.toml": pyproject(name, ["setuptools", "setuptools-rust"], "setuptools.build_meta"),
        "setup.py": script,
        "Cargo.toml": manifest,
        "Cargo.lock": own_lock if lock is None else lock,
        "lib.rs": RUST_MODULE.replace("NAME", name),
        **(files or {}),
    }
    return Project(name, {path: text for path, text in made.items() if text})


def make_slow_project(name: str) -> Project:
    """A project whose build takes six seconds, and says nothing meanwhile."""
    return make_c_project(name, setup="import sys, time\nif 'bdist_wheel' in sys.argv: time.sleep(6)")
