"""Which crates of a lock lie outside of the source, and which may depend on the interpreter."""

import pytest

from factory.stages.locked import LockedCrate, by_python, locked, outside, with_dependents

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
LOCK = f"""\
version = 4
[[package]]
name = "leaf"
version = "1.0.0"
dependencies = ["pyo3", "syn 2.0.1"]
[[package]]
name = "pyo3"
version = "0.29.3"
source = "{REGISTRY}"
checksum = "ab"
dependencies = ["libc", "pyo3-build-config (registry+https://crates.example)"]
"""


def crate(name: str, *needs: str, source: str = REGISTRY, version: str = "1.0.0") -> LockedCrate:
    return LockedCrate(name=name, version=version, source=source, needs=needs)


def test_a_locks_crates_are_read_with_the_names_of_what_they_need() -> None:
    leaf, pyo3 = locked(LOCK.encode())

    assert leaf == LockedCrate(name="leaf", version="1.0.0", needs=("pyo3", "syn"))
    assert pyo3 == LockedCrate(
        name="pyo3", version="0.29.3", source=REGISTRY, checksum="ab", needs=("libc", "pyo3-build-config")
    )


@pytest.mark.parametrize("content", [b"no TOML", b"package = 1", b"\xff", b"[[package]]\ndependencies = 3\n"])
def test_what_is_no_lock_names_no_crate_that_is_kept(content: bytes) -> None:
    assert not outside(locked(content))


def test_a_registrys_crate_that_needs_one_of_the_source_is_compiled_again() -> None:
    crates = (
        crate("leaf", "middle", "libc", source=""),
        crate("middle", "patched"),
        crate("patched", source=""),
        crate("libc"),
    )

    assert outside(crates) == {"libc"}


def test_a_registrys_crate_with_the_name_of_one_of_the_source_is_compiled_again() -> None:
    assert outside((crate("same", source=""), crate("same"), crate("other"))) == {"other"}


def test_crates_that_need_each_other_end_the_search() -> None:
    crates = (crate("one", "two"), crate("two", "one"), crate("three"))

    assert with_dependents(frozenset({"one"}), crates) == {"one", "two"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("", {"pyo3-ffi"}),
        ("/cargo/registry/src/index-1/probing-1.0.0/build.rs\n", {"pyo3-ffi", "probing"}),
        ("/cargo/registry/src/index-1/probing-2.0.0/build.rs\n", {"pyo3-ffi"}),
        ("/cargo/git/checkouts/somewhere-1/abc/build.rs\n", {"pyo3-ffi", "of-git"}),
    ],
    ids=["by its name", "its build script mentions Python", "another version does", "a repository's does"],
)
def test_crates_that_may_depend_on_the_interpreter(found: str, expected: set[str]) -> None:
    crates = (crate("pyo3-ffi"), crate("probing"), crate("libc"), crate("of-git", source="git+https://git.example/x"))

    assert by_python(found, crates) == expected
