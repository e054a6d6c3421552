"""Programs that link libpython, beside a wheel that must not: tests of the library, and a crate with its own lock."""

import zipfile

import pytest

from factory.elf.read import parse
from tests.docker.command import PLATFORM, Command, Ran
from tests.docker.projects import Project, make_c_project, pyproject
from tests.docker.rust_projects import ffi_module

pytestmark = [pytest.mark.engine, pytest.mark.index]

MANIFEST = """\
[package]
name = "NAME"
version = "1.0.0"
edition = "2021"
[lib]
crate-type = ["rlib", "cdylib"]
[dependencies]
pyo3-ffi = {version = "0.29", features = ["abi3-py39"]}
[features]
default = ["extension-module"]
extension-module = ["pyo3-ffi/extension-module"]
"""
PROFILING = """\
[package]
name = "profiling"
version = "1.0.0"
edition = "2021"
[workspace]
[dependencies]
NAME = {path = "..", default-features = false}
pyo3-ffi = "0.29"
cfg-if = "1"
"""
ANSWER = """
pub fn answer() -> i64 {
    unsafe { PyLong_AsLong(PyLong_FromLong(42)) as i64 }
}
#[cfg(test)]
mod tests {
    #[test]
    fn it_answers() {
        unsafe { pyo3_ffi::Py_Initialize() };
        assert_eq!(super::answer(), EXPECTED);
    }
}
"""
EMBEDDING = """\
[package]
name = "embedding"
version = "1.0.0"
edition = "2021"
[dependencies]
pyo3-ffi = "0.29"
"""
EMBEDDING_MAIN = """\
fn main() {
    unsafe { pyo3_ffi::Py_Initialize() };
    println!("Python is initialized: {}", unsafe { pyo3_ffi::Py_IsInitialized() });
}
"""
MAIN = """\
fn main() {
    unsafe { pyo3_ffi::Py_Initialize() };
    println!("the answer is {}", NAME::answer());
}
"""
RUN = [
    "cargo test --no-default-features",
    "cargo run --manifest-path profiling/Cargo.toml",
    'readelf -d "$CARGO_TARGET_DIR/debug/profiling" | grep NEEDED.*libpython3.11.so',
]


def library(name: str, *, expected: int) -> Project:
    return Project(
        name,
        {
            "pyproject.toml": pyproject(name, ["maturin>=1.9,<2"], "maturin"),
            "Cargo.toml": MANIFEST.replace("NAME", name),
            "src/lib.rs": ffi_module(name) + ANSWER.replace("EXPECTED", str(expected)),
            "profiling/Cargo.toml": PROFILING.replace("NAME", name),
            "profiling/src/main.rs": MAIN.replace("NAME", name),
        },
    )


EMBEDDED = Project(
    "embedding",
    {
        "pyproject.toml": pyproject("embedding", ["maturin>=1.9,<2"], "maturin"),
        "Cargo.toml": EMBEDDING,
        "src/main.rs": EMBEDDING_MAIN,
    },
)


@pytest.fixture(scope="module")
def tested(workshop: Command) -> Ran:
    """The tests of libraries, and a wheel beside them."""
    programs = {"run": RUN[0], "interpreters": ["cp311"]}
    right = workshop.recipe(
        library("tested", expected=42), interpreters=("cp311",), build={"locked": False}, programs=programs
    )
    wrong = workshop.recipe(
        library("wrong", expected=41),
        interpreters=("cp311",),
        build={"locked": False},
        programs={"run": [RUN[0], "echo never"], "interpreters": ["cp311"]},
        skip=[{"select": "*-manylinux_*", "reason": "the programs alone"}],
    )
    slow = workshop.recipe(
        make_c_project("slow"),
        interpreters=("cp311",),
        programs={"run": "sleep 600", "timeout": "2s"},
        skip=[{"select": "*-manylinux_*", "reason": "the programs alone"}],
    )
    return workshop.build(right, wrong, slow, "-o", "tested")


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    """A crate with a lock of its own, and a wheel of a program that embeds Python."""
    programs = {"run": RUN, "interpreters": ["cp311"], "manifest": "profiling/Cargo.toml"}
    right = workshop.recipe(
        library("right", expected=42), interpreters=("cp311",), build={"locked": False}, programs=programs
    )
    embedding = workshop.recipe(
        EMBEDDED,
        interpreters=("cp311",),
        platforms=["manylinux_2_36_x86_64"],
        build={"locked": False},
        repair={"exclude": ["libpython*"]},
        audit={"waive": [{"rule": "libpython-linked", "reason": "for those who have libpython"}]},
        test={"run": "embedding | grep -x 'Python is initialized: 1'"},
    )
    return workshop.build(right, embedding, "-o", "programs")


def test_the_tests_of_a_crate_run_with_libpython_and_its_wheel_has_none(tested: Ran) -> None:
    assert tested.records["tested/cp311-program-linux_x86_64"].status == "passed", tested.stderr
    assert tested.records[f"tested/cp39-abi3-{PLATFORM}"].status == "passed", tested.stderr
    assert "test tests::it_answers ... ok" in tested.log("tested", "programs")

    with zipfile.ZipFile(tested.folder / f"tested/tested-1.0-cp39-abi3-{PLATFORM}.whl") as wheel:
        (module,) = (wheel.read(name) for name in wheel.namelist() if name.endswith(".so"))
    assert not [name for name in parse(module).needed if "python" in name]


@pytest.mark.slow
def test_they_are_built_and_run_where_libpython_is(ran: Ran) -> None:
    record = ran.records["right/cp311-program-linux_x86_64"]

    assert record.status == "passed", ran.stderr
    assert record.cell.builder is not None
    assert record.cell.builder.image == "program-bookworm"
    assert "libpython is /usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0" in ran.log("right", "programs")


@pytest.mark.slow
def test_a_wheel_of_a_program_that_embeds_python_works_where_libpython_is_and_keeps_its_need(ran: Ran) -> None:
    record = ran.records["embedding"]

    assert record.status == "passed", ran.stderr
    assert [trial.image for trial in record.trials] == ["program-bookworm"]
    with zipfile.ZipFile(ran.folder / "programs/embedding-1.0-cp311-cp311-manylinux_2_36_x86_64.whl") as wheel:
        program = parse(wheel.read("embedding-1.0.data/scripts/embedding"))
    assert "libpython3.11.so.1.0" in program.needed


@pytest.mark.slow
def test_the_locks_that_cargo_made_are_kept(ran: Ran) -> None:
    made = {lock.path for lock in ran.records["right/cp311-program-linux_x86_64"].locks}

    assert made == {"Cargo.lock", "profiling/Cargo.lock"}


def test_a_program_that_fails_fails_its_cell_with_its_first_error(tested: Ran) -> None:
    record = tested.records["wrong/cp311-program-linux_x86_64"]

    assert (tested.code, record.status) == (1, "failed")
    assert record.failure is not None
    assert record.failure.step == "programs"
    assert "panicked at src/lib.rs" in record.failure.message
    assert "assertion `left == right` failed" in record.failure.message


def test_a_program_that_takes_longer_than_it_may_is_ended(tested: Ran) -> None:
    assert tested.records["slow/cp311-program-linux_x86_64"].status == "timeout"
    assert tested.failure("slow").message == "did not end within 2 s"


@pytest.mark.slow
@pytest.mark.usefixtures("ran")
def test_what_passed_is_not_run_again(workshop: Command) -> None:
    again = workshop.build(workshop.folder / "right.yaml", "-o", "programs")

    assert (again.code, again.containers) == (0, 0), again.stderr
    assert set(again.statuses.values()) == {"cached"}
