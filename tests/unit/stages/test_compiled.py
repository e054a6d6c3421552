"""Which files of a target folder serve another build."""

from collections.abc import Iterable
from pathlib import PurePosixPath

import pytest

from factory.engine.api import FileEntry, LinkEntry, TreeEntry
from factory.errors import FactoryError
from factory.stages.compiled import Compiled, compiled_in
from factory.stages.target_folder import within

HASH = "0123456789abcdef"


def kept(paths: Iterable[str], crates: str = "libc pyo3-ffi") -> list[str]:
    """Return which of these paths are kept of some crates."""
    entries = [FileEntry(path=PurePosixPath(path), content=b"") for path in paths]
    return [str(entry.path) for entry in Compiled(crates=frozenset(crates.split())).of(entries)]


@pytest.mark.parametrize(
    "path",
    [
        ".rustc_info.json",
        f"release/.fingerprint/libc-{HASH}/invoked.timestamp",
        f"x86_64-unknown-linux-gnu/release/.fingerprint/pyo3-ffi-{HASH}/lib-pyo3_ffi",
        f"release/build/libc-{HASH}/build-script-build",
        f"release/build/libc-{HASH}/out/nested/generated.rs",
        f"release/build/pyo3-ffi/{HASH}/deps/libpyo3_ffi.rlib",
    ],
)
def test_what_belongs_to_a_crate_outside_of_the_source_is_kept(path: str) -> None:
    assert kept([path]) == [path]


@pytest.mark.parametrize(
    "path",
    [
        "release/libleaf.so",
        "release/libleaf.d",
        "CACHEDIR.TAG",
        "maturin/libleaf.so",
        f"release/.fingerprint/leaf-{HASH}/lib-leaf",
        f"release/.fingerprint/libc-leaf-{HASH}/lib-libc_leaf",
        "release/.fingerprint/libc/lib-libc",
        f"release/build/leaf-{HASH}/output",
        f"release/build/libc-leaf/{HASH}/out/x",
        f"release/build/libc-{HASH}",
        "release/deps/libleaf.so",
        f"release/deps/libleaf-{HASH}.rlib",
        "release/incremental/leaf-1/x",
        "release/examples/x",
    ],
)
def test_all_else_is_left_out(path: str) -> None:
    assert kept([path]) == []


def test_objects_are_kept_of_the_libraries_that_have_kept_fingerprints() -> None:
    fingerprints = [f"release/.fingerprint/pyo3-ffi-{HASH}/lib-pyo3-ffi", f"release/.fingerprint/leaf-{HASH}/lib-leaf"]
    objects = [f"release/deps/{name}-{HASH}.{end}" for name, end in (("libpyo3_ffi", "rlib"), ("pyo3_ffi", "d"))]

    assert kept([*fingerprints, *objects, f"release/deps/libleaf-{HASH}.rlib"]) == [fingerprints[0], *objects]


def test_a_hard_link_is_kept_with_what_it_is_linked_to() -> None:
    script = f"release/build/libc-{HASH}/build_script_build-{HASH}"
    links: list[TreeEntry] = [
        LinkEntry(path=PurePosixPath(f"release/build/libc-{HASH}/build-script-build"), target=target, hard=True)
        for target in (script, "release/libleaf.so")
    ]

    assert list(Compiled(crates=frozenset({"libc"})).of(links)) == links[:1]


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("   Compiling libc v0.2.1\n   Compiling leaf v1.0.0 (/work/source)\n", {"libc", "leaf"}),
        ("    Finished release\n", None),
        ("   Compiling libc v0.2.1\n[... 9 bytes left out ...]\n", None),
    ],
    ids=["some", "cargo is quiet", "not all is known"],
)
def test_what_cargo_compiled_is_read_where_it_tells_all(printed: str, names: set[str] | None) -> None:
    assert compiled_in(printed) == names


def test_entries_beyond_the_limit_are_refused() -> None:
    entries = [FileEntry(path=PurePosixPath(name), content=b"1234") for name in "ab"]

    assert len(list(within(entries, 8))) == 2
    with pytest.raises(FactoryError, match="more than"):
        list(within(entries, 7))
