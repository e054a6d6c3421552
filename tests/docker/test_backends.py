"""Every backend that the docs name, from a small project of its own to a wheel that was tried, with the real tools."""

import json
import zipfile
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement

from tests.docker.command import CP313, PLATFORM, Command, Ran
from tests.docker.projects import C_MODULE, Project, pyproject
from tests.docker.rust_projects import (
    PYO3_FFI,
    ffi_module,
    make_maturin_project,
    setup_script_alone,
    several_extensions,
)

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

CP39_ABI3, CP311_ABI3 = f"cp39-abi3-{PLATFORM}", f"cp311-abi3-{PLATFORM}"
ANY = f"py3-none-{PLATFORM}"
OPTION = {"floor": {"option": "--py-limited-api={floor}"}}

CMAKE = """\
cmake_minimum_required(VERSION 3.26)
project(cmaked LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})
if(SKBUILD_SABI_COMPONENT)
  python_add_library(cmaked MODULE cmaked.c WITH_SOABI USE_SABI ${SKBUILD_SABI_VERSION})
else()
  python_add_library(cmaked MODULE cmaked.c WITH_SOABI)
endif()
install(TARGETS cmaked DESTINATION .)
"""
PLAIN_CMAKE = """\
cmake_minimum_required(VERSION 3.18)
project(plain LANGUAGES C)
add_library(plain SHARED plain.c)
install(TARGETS plain DESTINATION plain)
"""
PLAIN = """\
import ctypes, pathlib
answer = ctypes.CDLL(str(pathlib.Path(__file__).with_name("libplain.so"))).answer
"""
MESON = """\
project('mesoned', 'c', version: '1.0')
py = import('python').find_installation(pure: false)
py.extension_module('mesoned', 'mesoned.c', install: true, limited_api: '3.9')
"""
CFFI_BUILD = """\
from cffi import FFI
ffi = FFI()
ffi.cdef("int answer(void);")
ffi.set_source("_ffied", "static int answer(void) { return 42; }")
"""


def asks(module: str) -> dict[str, str]:
    return {"run": f"python -c 'import {module}; assert {module}.answer() == 42'"}


def cmaked() -> Project:
    return Project(
        "cmaked",
        {
            "pyproject.toml": pyproject("cmaked", ["scikit-build-core"], "scikit_build_core.build"),
            "CMakeLists.txt": CMAKE,
            "cmaked.c": C_MODULE.replace("NAME", "cmaked"),
        },
    )


def plain() -> Project:
    """A library for ctypes, which knows nothing of Python."""
    table = '[tool.scikit-build]\nwheel.py-api = "py3"\n'
    return Project(
        "plain",
        {
            "pyproject.toml": pyproject("plain", ["scikit-build-core"], "scikit_build_core.build", table),
            "CMakeLists.txt": PLAIN_CMAKE,
            "plain.c": "int answer(void) { return 42; }\n",
            "plain/__init__.py": PLAIN,
        },
    )


def mesoned() -> Project:
    table = "[tool.meson-python]\nlimited-api = true\n"
    return Project(
        "mesoned",
        {
            "pyproject.toml": pyproject("mesoned", ["meson-python"], "mesonpy", table),
            "meson.build": MESON,
            "mesoned.c": C_MODULE.replace("NAME", "mesoned"),
        },
    )


def cythonised() -> Project:
    modules = "cythonize('cythonised.pyx')"
    script = f"from Cython.Build import cythonize\nfrom setuptools import setup\nsetup(ext_modules={modules})\n"
    return Project(
        "cythonised",
        {
            "pyproject.toml": pyproject("cythonised", ["setuptools", "cython"], "setuptools.build_meta"),
            "setup.py": script,
            "cythonised.pyx": "def answer():\n    return 42\n",
        },
    )


def ffied() -> Project:
    system = pyproject("ffied", ["setuptools", "cffi"], "setuptools.build_meta")
    return Project(
        "ffied",
        {
            "pyproject.toml": system.replace("[build-system]", 'dependencies = ["cffi"]\n[build-system]'),
            "setup.py": "from setuptools import setup\nsetup(cffi_modules=['build_ffied.py:ffi'])\n",
            "build_ffied.py": CFFI_BUILD,
        },
    )


def write_c(command: Command) -> Iterator[object]:
    """Backends of C: by an option, for every Python, by the interpreter that builds, per version, by cffi."""
    both = ("cp39", "cp313")
    option = {"floor": {"option": "wheel.py-api={floor}"}}
    yield command.recipe(cmaked(), interpreters=both, abi3="cp39", build=option, test=asks("cmaked"))
    yield command.recipe(plain(), interpreters=both, test=asks("plain"))
    by_interpreter = {"floor": "interpreter"}
    yield command.recipe(mesoned(), interpreters=both, abi3="cp39", build=by_interpreter, test=asks("mesoned"))
    yield command.recipe(cythonised(), audit={"modules": ["cythonised"]}, test=asks("cythonised"))
    calls = {"run": "python -c 'from _ffied import lib; assert lib.answer() == 42'"}
    yield command.recipe(
        ffied(), interpreters=both, abi3="cp39", build=OPTION, audit={"modules": ["_ffied"]}, test=calls
    )


@pytest.fixture(scope="module")
def in_c(workshop: Command) -> Ran:
    return workshop.build(*map(str, write_c(workshop)), "-o", "c")


def test_every_backend_of_c_yields_what_is_owed(in_c: Ran) -> None:
    assert in_c.code == 0, in_c.stderr
    assert names(in_c, "c") == {
        f"cmaked-1.0-{CP39_ABI3}.whl",
        f"plain-1.0-{ANY}.whl",
        f"mesoned-1.0-{CP39_ABI3}.whl",
        f"cythonised-1.0-{CP313}.whl",
        f"ffied-1.0-{CP39_ABI3}.whl",
    }


def test_the_programs_that_the_image_lacks_are_what_the_backends_hooks_ask_for(in_c: Ran, workshop: Command) -> None:
    """PEP 517: `get_requires_for_build_wheel` may name what the machine lacks; the image's CMake is 3.18."""
    entries = [json.loads(path.read_text()) for path in (workshop.store / "ledger/prepare").iterdir()]
    asked = {Requirement(text).name for entry in entries for text in entry["result"]["requirements"]}

    assert in_c.code == 0, in_c.stderr
    assert asked >= {"cmake", "ninja"}


def names(ran: Ran, folder: str) -> set[str]:
    return {path.name for path in (ran.folder / folder).glob("*.whl")}


FLOOR_FEATURES = '[features]\nabi3-py39 = ["pyo3-ffi/abi3-py39"]\nabi3-py311 = ["pyo3-ffi/abi3-py311"]\n'
LIBRARY = '#[no_mangle]\npub extern "C" fn answer() -> i32 { 42 }\n'
UNIFFI = "uniffi::setup_scaffolding!();\n#[uniffi::export]\nfn answer() -> u32 { 42 }\n"


def write_rust(command: Command) -> Iterator[object]:
    """maturin's bindings, setuptools-rust's ways, and floors by features."""
    unlocked = {"locked": False}
    both = ("cp39", "cp313")
    program = make_maturin_project(
        "program", code='fn main() { println!("42"); }\n', maturin='bindings = "bin"', library=False
    )
    yield command.recipe(program, interpreters=both, test={"run": 'test "$(program)" = 42'})
    library = make_maturin_project("library", code=LIBRARY, dependencies='["cffi"]', requires="maturin>=1.9.4,<2 cffi")
    calls = {"run": "python -c 'from library import lib; assert lib.answer() == 42'"}
    yield command.recipe(library, interpreters=both, test=calls)
    united = make_maturin_project(
        "united",
        code=UNIFFI,
        cargo='[dependencies]\nuniffi = "=0.31.0"\n',
        requires="maturin>=1.9.4,<2 uniffi-bindgen==0.31.0",
    )
    yield command.recipe(united, interpreters=both, build=unlocked, test=asks("united"))
    floors = make_maturin_project("floors", code=ffi_module("floors"), cargo=PYO3_FFI % ("0.29", "") + FLOOR_FEATURES)
    by_feature = {**unlocked, "floor": {"feature": "abi3-{floor}"}}
    yield command.recipe(floors, interpreters=both, abi3=["cp39", "cp311"], build=by_feature)
    flavours = {**OPTION, **unlocked}
    yield command.recipe(
        several_extensions(),
        interpreters=("cp39", "cp311", "cp313"),
        abi3="cp311",
        build=flavours,
        audit={"modules": ["several.one", "several.two"]},
        test={"run": 'test "$(several-tool)" = "several tools"'},
    )
    yield command.recipe(setup_script_alone(), build={**unlocked, "requires": ["setuptools-rust"]})


@pytest.fixture(scope="module")
def in_rust(workshop: Command) -> Ran:
    return workshop.build(*map(str, write_rust(workshop)), "-o", "rust-backends")


def test_every_backend_of_rust_yields_what_is_owed(in_rust: Ran) -> None:
    assert in_rust.code == 0, in_rust.stderr
    assert names(in_rust, "rust-backends") == {
        f"program-1.0-{ANY}.whl",
        f"library-1.0-{ANY}.whl",
        f"united-1.0-{ANY}.whl",
        f"floors-1.0-{CP39_ABI3}.whl",
        f"floors-1.0-{CP311_ABI3}.whl",
        f"several-1.0-cp39-cp39-{PLATFORM}.whl",
        f"several-1.0-{CP311_ABI3}.whl",
        f"scripted-1.0-{CP313}.whl",
    }


def test_a_wheel_for_every_python_is_tried_on_every_listed_one(in_rust: Ran) -> None:
    for recipe in ("program", "library", "united"):
        trials = in_rust.records[recipe].trials

        assert [(str(trial.interpreter), trial.outcome) for trial in trials] == [
            ("cp39", "passed"),
            ("cp313", "passed"),
        ]


def test_package_data_and_programs_arrive_beside_the_extensions(in_rust: Ran) -> None:
    with zipfile.ZipFile(in_rust.folder / f"rust-backends/several-1.0-{CP311_ABI3}.whl") as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith("/")}

    assert held == {
        "several/__init__.py",
        "several/table.json",
        "several/one.abi3.so",
        "several/two.abi3.so",
        "several-1.0.data/scripts/several-tool",
    }


def write_gradations(command: Command) -> Iterator[object]:
    """Backends that do not say themselves that a module must not link libpython, and a PyO3 that must be told."""
    unlocked = {"locked": False}
    old = make_maturin_project(
        "old_maturin", code=ffi_module("old_maturin"), cargo=PYO3_FFI % ("0.29", ""), requires="maturin==1.9.3"
    )
    yield command.recipe(old, build=unlocked, audit={"modules": ["old_maturin.old_maturin"]})
    older = {**unlocked, "requires": ["setuptools-rust==1.11.1"]}
    yield command.recipe(setup_script_alone(), build=older, audit={"modules": ["scripted"]})
    linked = make_maturin_project("linked", code=ffi_module("linked"), cargo=PYO3_FFI % ("=0.25.1", ""))
    yield command.recipe(linked, build=unlocked)
    told = make_maturin_project("told", code=ffi_module("told"), cargo=PYO3_FFI % ("=0.25.1", '"extension-module"'))
    yield command.recipe(told, build=unlocked)


@pytest.fixture(scope="module")
def graded(workshop: Command) -> Ran:
    return workshop.build(*map(str, write_gradations(workshop)), "-o", "graded")


def test_a_backend_older_than_pyo3s_variable_builds_in_an_environment_that_has_it(graded: Ran) -> None:
    """maturin sets PYO3_BUILD_EXTENSION_MODULE from 1.9.4 on, setuptools-rust from 1.12 on."""
    assert graded.records["old-maturin"].status == "passed", graded.stderr
    assert graded.records["scripted"].status == "passed", graded.stderr


def test_an_old_pyo3_without_its_feature_fails_with_the_reason(graded: Ran) -> None:
    failure = graded.failure("linked")

    assert failure.message.startswith("links libpython3.13, which no wheel may")
    assert "build: {features: [pyo3/extension-module]}" in failure.hint
    assert graded.records["told"].status == "passed", graded.stderr
