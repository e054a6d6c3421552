"""What cargo compiled for a project serves its next builds: whatever was edited, and no other project."""

import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.docker.command import CP313, Command, Ran
from tests.docker.events import is_building, wait_for
from tests.docker.projects import Project
from tests.docker.rust_projects import make_maturin_project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

MODULE = """\
use pyo3_ffi::*;
use std::ptr::{addr_of_mut, null_mut};
static mut DEFINITION: PyModuleDef = PyModuleDef {
    m_base: PyModuleDef_HEAD_INIT, m_name: c"NAME".as_ptr(), m_doc: null_mut(), m_size: -1, m_methods: null_mut(),
    m_slots: null_mut(), m_traverse: None, m_clear: None, m_free: None,
};
#[allow(non_snake_case)]
#[no_mangle]
pub unsafe extern "C" fn PyInit_NAME() -> *mut PyObject {
    let module = PyModule_Create(addr_of_mut!(DEFINITION));
    PyModule_AddIntConstant(module, c"answer".as_ptr(), ANSWER);
    module
}
"""
FFI = '[dependencies]\npyo3-ffi = {version = "0.29", features = ["extension-module"]}\n'
VERBOSE = {"locked": False, "args": ["-v"]}
BESIDE, PATCHED, READ = "beside/src/lib.rs", "patched/src/lib.rs", "hundred"
NEVER = "#[derive(Clone, Copy)]\npub enum Void {}\npub fn unreachable(never: Void) -> ! { match never {} }\n"
SUM = 'beside::ONE + void::TEN + include_str!(concat!(env!("OUT_DIR"), "/hundred")).trim().parse::<i64>().unwrap()'
SCRIPT = """\
fn main() {
    println!("cargo:rerun-if-changed=hundred");
    std::fs::copy("hundred", format!("{}/hundred", std::env::var("OUT_DIR").unwrap())).unwrap();
}
"""
EDITED = make_maturin_project(
    "edited",
    cargo=f"""{FFI}\
beside = {{path = "beside"}}
fnv = "1"
unreachable = "1"
void = "1"
[patch.crates-io]
void = {{path = "patched"}}
""",
    code=MODULE.replace("NAME", "edited").replace("ANSWER", SUM),
    files={
        "build.rs": SCRIPT,
        "beside/Cargo.toml": '[package]\nname = "beside"\nversion = "1.0.0"\nedition = "2021"\n',
        BESIDE: "pub const ONE: i64 = 1;\n",
        "patched/Cargo.toml": '[package]\nname = "void"\nversion = "1.0.2"\nedition = "2021"\n',
        PATCHED: f"{NEVER}pub const TEN: i64 = 10;\n",
        READ: "100\n",
    },
)
"""A module whose answer is made of a crate beside it, a patched one, and a file that its build script reads."""


def with_files(project: Project, **files: str) -> Project:
    return replace(project, files={**project.files, **files})


def answering(name: str, number: int) -> Mapping[str, str]:
    return {"run": f"python -c 'import {name}; assert {name}.answer == {number}, {name}.answer'"}


def printed(ran: Ran, cell: str) -> str:
    """What the build of a cell printed."""
    (log,) = (ran.run_folder / "logs").glob(f"*/{cell}-*/[0-9][0-9]-build.log")
    return log.read_text(encoding="utf-8")


def test_every_edit_reaches_the_wheel_and_nothing_from_outside_is_compiled_again(command: Command) -> None:
    """All files have the same times. `unreachable` is a registry's crate, which needs the patched one."""
    cells = ("cp311", "cp313")
    more: dict[str, Any] = {"interpreters": cells, "build": VERBOSE}
    first = command.build(command.recipe(EDITED, test=answering("edited", 111), **more))
    files = {BESIDE: "pub const ONE: i64 = 2;\n", PATCHED: f"{NEVER}pub const TEN: i64 = 20;\n", READ: "200\n"}
    recipe = command.recipe(with_files(EDITED, **files), test=answering("edited", 222), **more)

    again = command.build(recipe)
    made = command.dist
    anew = command.build(recipe, "--no-cache")

    assert [ran.code for ran in (first, again, anew)] == [0, 0, 0], first.stderr + again.stderr + anew.stderr
    assert sorted("Compiling fnv" in printed(first, cell) for cell in cells) == [False, True]
    assert ["Compiling pyo3-ffi" in printed(first, cell) for cell in cells] == [True, True]
    for cell in cells:
        assert [f"Fresh {name} " in printed(again, cell) for name in ("fnv", "pyo3-ffi")] == [True, True]
        compiled = [f"Compiling {name} " in printed(again, cell) for name in ("beside", "void", "unreachable")]
        assert compiled == [True, True, True]
        assert "Compiling fnv" in printed(anew, cell)
    assert command.dist == made
    assert {record.unlike for record in anew.records.values()} == {""}


POISONED = make_maturin_project(
    "poisoned",
    cargo=FFI,
    code=MODULE.replace("NAME", "poisoned").replace("ANSWER", 'env!("ANSWER").parse().unwrap()'),
    files={
        "build.rs": """\
use std::{env, fs};
fn main() {
    println!("cargo:rustc-env=ANSWER={}", env::var("DEP_PYTHON_POISON").unwrap_or("42".into()));
    let built = env::var("OUT_DIR").unwrap() + "/../..";
    for entry in fs::read_dir(built).unwrap() {
        let output = entry.unwrap().path().join("output");
        if let Ok(text) = fs::read_to_string(&output) {
            if output.to_str().unwrap().contains("pyo3-ffi") && !text.contains("POISON") {
                fs::write(output, text + "cargo:POISON=666\\n").unwrap();
            }
        }
    }
}
"""
    },
)
"""Changes what cargo notes of another crate, which its own build script is told at the next build."""


def test_a_poisoned_target_folder_harms_its_own_project_alone_and_no_cache_tells(command: Command) -> None:
    edited = with_files(POISONED, **{"src/lib.rs": f"{POISONED.files['src/lib.rs']}// edited\n"})
    first = command.build(command.recipe(POISONED, build=VERBOSE, test=answering("poisoned", 42)))
    again = command.build(command.recipe(edited, build=VERBOSE, test=answering("poisoned", 666)))
    (command.folder / "other").mkdir()
    other = replace(command, folder=command.folder / "other")

    elsewhere = other.build(other.recipe(edited, build=VERBOSE, test=answering("poisoned", 42)))
    anew = command.build(command.recipe(edited, build=VERBOSE, test=answering("poisoned", 42)), "--no-cache")

    assert [ran.code for ran in (first, again, elsewhere, anew)] == [0, 0, 0, 0], [first, again, elsewhere, anew]
    assert anew.records["poisoned"].unlike == f"unlike/poisoned/{CP313}/poisoned-1.0-cp313-cp313-linux_x86_64.whl"
    assert "not the same bytes: poisoned/" in anew.stderr


def test_of_two_runs_of_a_project_the_one_that_is_killed_harms_nothing(command: Command) -> None:
    name = "hurried"
    code = MODULE.replace("NAME", name).replace("ANSWER", "7")
    plain = make_maturin_project(name, cargo=FFI, code=code)
    first = command.build(command.recipe(plain, build=VERBOSE))
    (command.folder / "killed").mkdir()
    killed = replace(command, folder=command.folder / "killed")
    edited = command.recipe(with_files(plain, **{"src/lib.rs": f"{code}// one\n"}), build=VERBOSE)
    child = killed.start("build", edited)
    wait_for(killed.folder, child, is_building(name))

    beside = command.start("build", edited, "--json", "run.json", "--no-cache")
    child.send_signal(signal.SIGKILL)
    child.communicate()
    ended = command.end(beside)
    again = command.build(command.recipe(with_files(plain, **{"src/lib.rs": f"{code}// two\n"}), build=VERBOSE))

    assert [ran.code for ran in (first, ended, again)] == [0, 0, 0], first.stderr + ended.stderr + again.stderr
    assert "Fresh pyo3-ffi" in printed(again, "cp313")
    assert command("store", "verify").code == 0
