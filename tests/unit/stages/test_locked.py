"""Which crates of a lock lie outside of the source, and which may depend on the interpreter."""

import pytest

from factory.stages.locked import LockedCrate, by_python, digest_of, locked, outside, vendored, with_dependents
from tests.makers.sources import make_tree

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
        ("", set()),
        ("/cargo/registry/src/index-1/probing-1.0.0/build.rs\n", {"probing"}),
        ("/cargo/registry/src/index-1/probing-2.0.0/build.rs\n", set()),
        ("/cargo/git/checkouts/somewhere-1/abc/build.rs\n", {"of-git"}),
    ],
    ids=[
        "no build script mentions Python",
        "its build script mentions Python",
        "another version does",
        "a repository's does",
    ],
)
def test_crates_that_may_depend_on_the_interpreter(found: str, expected: set[str]) -> None:
    crates = (crate("pyo3-ffi"), crate("probing"), crate("libc"), crate("of-git", source="git+https://git.example/x"))

    assert by_python(found, crates) == expected


VENDORED = {"vendor/libc/.cargo-checksum.json": "{}", "vendor/libc/src/lib.rs": "", "src/lib.rs": "", "Cargo.lock": ""}


@pytest.mark.parametrize("path", ["src/lib.rs", "Cargo.lock", "vendored.rs", "rust-toolchain.md"])
def test_an_edit_of_the_sources_own_files_changes_nothing_that_lies_outside(path: str) -> None:
    assert digest_of(make_tree({**VENDORED, path: "edited"}), ()) == digest_of(make_tree(VENDORED), ())


@pytest.mark.parametrize(
    "path",
    ["vendor/libc/src/lib.rs", "vendor/libc/build.rs", ".cargo/config.toml", "crates/.cargo/config", "rust-toolchain"],
)
def test_an_edit_of_a_vendored_crate_or_of_cargos_settings_is_a_new_beginning(path: str) -> None:
    assert digest_of(make_tree({**VENDORED, path: "edited"}), ()) != digest_of(make_tree(VENDORED), ())


def test_another_version_of_a_crate_from_outside_is_a_new_beginning_and_one_of_the_sources_own_is_not() -> None:
    tree = make_tree(VENDORED)

    assert digest_of(tree, [crate("libc", version="2.0.0")]) != digest_of(tree, [crate("libc")])
    assert digest_of(tree, [crate("leaf", source="", version="2.0.0")]) == digest_of(tree, [crate("leaf", source="")])


def test_folders_of_vendored_crates_are_found() -> None:
    assert vendored(make_tree(VENDORED)) == ("vendor/libc/",)
