"""Makers of Rust projects: small crates under maturin and setuptools-rust, each with one way of its own."""

from collections.abc import Mapping

from tests.docker.projects import RUST_MODULE, Project, pyproject

FFI_MODULE = """\
use NAMESPACE::*;
use std::ptr::{addr_of_mut, null_mut};
static mut DEFINITION: PyModuleDef = PyModuleDef {
    m_base: PyModuleDef_HEAD_INIT,
    m_name: c"NAME".as_ptr(),
    m_doc: null_mut(),
    m_size: -1,
    m_methods: null_mut(),
    m_slots: null_mut(),
    m_traverse: None,
    m_clear: None,
    m_free: None,
};
#[allow(non_snake_case)]
#[no_mangle]
pub unsafe extern "C" fn PyInit_NAME() -> *mut PyObject { PyModule_Create(addr_of_mut!(DEFINITION)) }
"""
"""A module against PyO3's raw functions, so that no macro has to be compiled."""

PYO3_FFI = '[dependencies]\npyo3-ffi = {version = "%s", features = [%s]}\n'
PYO3 = '[dependencies]\npyo3 = {version = "0.29", default-features = false}\n'
CFG_IF = '[dependencies]\ncfg-if = "1"\n'


def ffi_module(name: str, namespace: str = "pyo3_ffi") -> str:
    return FFI_MODULE.replace("NAMESPACE", namespace).replace("NAME", name)


def manifest(name: str, cargo: str = "", *, library: bool = True) -> str:
    lib = f'[lib]\nname = "{name}"\ncrate-type = ["cdylib"]\n' if library else ""
    return f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n{lib}{cargo}'


def own_lock(name: str) -> str:
    """Write the lock of a crate that needs no other."""
    return f'version = 4\n\n[[package]]\nname = "{name}"\nversion = "1.0.0"\n'


def make_maturin_project(
    name: str,
    *,
    cargo: str = "",
    code: str = "",
    maturin: str = "",
    requires: str = "maturin>=1.9.4,<2",
    dependencies: str = "[]",
    library: bool = True,
    files: Mapping[str, str] | None = None,
) -> Project:
    """A crate at the root of a maturin project; `maturin` is its table, without dependencies it has its lock."""
    system = pyproject(name, requires.split(), "maturin", f"[tool.maturin]\n{maturin}\n")
    made = {
        "pyproject.toml": system.replace("[build-system]", f"dependencies = {dependencies}\n[build-system]"),
        "Cargo.toml": manifest(name, cargo, library=library),
        "src/lib.rs" if library else "src/main.rs": code,
        **({} if "[dependencies]" in cargo else {"Cargo.lock": own_lock(name)}),
    }
    return Project(name, {**made, **(files or {})})


def several_extensions() -> Project:
    """By setuptools-rust, from pyproject.toml alone: a module on PyO3, one by hand whose crate has a lock of its own
    and a crate to fetch, a program, and package data that MANIFEST.in names.
    """
    tables = """\
        [tool.setuptools]
        packages = ["several"]
        [[tool.setuptools-rust.ext-modules]]
        target = "several.one"
        path = "one/Cargo.toml"
        py-limited-api = "auto"
        [[tool.setuptools-rust.ext-modules]]
        target = "several.two"
        path = "two/Cargo.toml"
        binding = "NoBinding"
        py-limited-api = "auto"
        [[tool.setuptools-rust.bins]]
        target = "several-tool"
        path = "tool/Cargo.toml"
        """
    return Project(
        "several",
        {
            "pyproject.toml": pyproject("several", ["setuptools", "setuptools-rust"], "setuptools.build_meta", tables),
            "MANIFEST.in": "include several/table.json\n",
            "several/__init__.py": "",
            "several/table.json": "{}\n",
            "one/Cargo.toml": manifest("one", PYO3),
            "one/src/lib.rs": ffi_module("one", "pyo3::ffi"),
            "two/Cargo.toml": manifest("two", CFG_IF),
            "two/src/lib.rs": RUST_MODULE.replace("NAME", "two"),
            "tool/Cargo.toml": manifest("several-tool", library=False),
            "tool/src/main.rs": 'fn main() { println!("several tools"); }\n',
        },
    )


def setup_script_alone() -> Project:
    """A module on PyO3 by setuptools-rust without a pyproject.toml: what it needs must stand in the recipe."""
    script = (
        "from setuptools import setup\n"
        "from setuptools_rust import RustExtension\n"
        "setup(name='scripted', version='1.0', rust_extensions=[RustExtension('scripted')], zip_safe=False)\n"
    )
    return Project(
        "scripted",
        {
            "setup.py": script,
            "Cargo.toml": manifest("scripted", PYO3),
            "src/lib.rs": ffi_module("scripted", "pyo3::ffi"),
        },
    )
