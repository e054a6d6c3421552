"""What has changed between two wheels, and what is the same under another name."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from factory.comparison.changes import Comparison, compared
from factory.comparison.contents import Contents, contents
from factory.wheel import read_wheel
from tests.makers.objects import make_module, make_object
from tests.makers.wheels import make_wheel

NAME = "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
NEXT = NAME.replace("1.0", "1.1")


def made(folder: Path, files: Mapping[str, bytes], filename: str = NAME, requires_python: str = "") -> Contents:
    folder.mkdir(exist_ok=True)
    name, version = filename.split("-")[:2]
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += f"Requires-Python: {requires_python}\n" if requires_python else ""
    return contents(read_wheel(make_wheel(folder, files, filename=filename, metadata=metadata)))


def told(comparison: Comparison) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(each.change, each.message, each.subjects) for each in comparison.differences]


def between(
    folder: Path, old: Mapping[str, bytes], new: Mapping[str, bytes], filename: str = NEXT
) -> list[tuple[str, str, tuple[str, ...]]]:
    return told(compared(made(folder / "new", new, filename), made(folder / "old", old)))


def test_stubs_that_a_release_no_longer_has_are_lost_like_those_of_mlx_0_32_0(tmp_path: Path) -> None:
    shared = {"mlx/py.typed": b"\n", "mlx/core.cpython-313-x86_64-linux-gnu.so": make_module()}
    stubs = {"mlx/core/__init__.pyi": b"x: int\n", "mlx/core/fast.pyi": b"y: int\n"}

    assert between(tmp_path, {**shared, **stubs}, shared) == [
        ("lost", "2 stubs, though py.typed promises types", ("mlx.core", "mlx.core.fast"))
    ]


def test_stubs_of_modules_that_are_typed_themselves_now_are_only_counted(tmp_path: Path) -> None:
    old = {"demo/py.typed": b"\n", "demo/words.py": b"", "demo/words.pyi": b"x: int\n"}

    assert between(tmp_path, old, {name: old[name] for name in list(old)[:2]}) == [("lost", "1 stub", ("demo.words",))]


def test_a_stub_that_became_a_package_is_not_lost_like_those_of_tokenizers_0_23_3(tmp_path: Path) -> None:
    old = {"tokenizers/models.pyi": b"x: int\n"}
    new = {"tokenizers/models/__init__.pyi": b"x: int\n"}

    assert between(tmp_path, old, new) == []


def test_data_and_licences_and_entry_points_are_lost(tmp_path: Path) -> None:
    old = {
        "demo/table.csv": b"1\n",
        "demo-1.0.data/data/share/demo.1": b"manual\n",
        "demo-1.0.dist-info/licenses/LICENSE": b"MIT\n",
        "demo-1.0.dist-info/entry_points.txt": b"[console_scripts]\ndemo = demo:main\n",
    }

    assert between(tmp_path, old, {"demo.py": b""}) == [
        ("lost", "2 data files", (".data/data/share/demo.1", "demo/table.csv")),
        ("lost", "1 licence file", ("LICENSE",)),
        ("gained", "1 module", ("demo",)),
        ("lost", "entry points", ("console_scripts: demo",)),
    ]


def test_what_moved_with_the_release_its_metadata_or_its_interpreter_is_not_lost(tmp_path: Path) -> None:
    old = {
        "demo/core.cpython-312-x86_64-linux-gnu.so": make_module(),
        "demo/pure.py": b"",
        "demo-1.0.data/scripts/tool": b"#!/bin/sh\n",
        "demo-1.0.dist-info/LICENSE": b"MIT\n",
        "demo/static/app-0a1b2c3d4e.js": b"1",
        "demo/libown.so.1.2": make_object(soname="libown.so.1"),
    }
    new = {
        "demo/core.cpython-313-x86_64-linux-gnu.so": make_module(),
        "demo/pure.abi3.so": make_module(),
        "demo-1.1.data/scripts/tool": b"#!/bin/sh\n",
        "demo-1.1.dist-info/licenses/LICENSE": b"MIT\n",
        "demo/static/app-ffeeddccbb.js": b"1",
        "demo/libown.so.1.3": make_object(soname="libown.so.1"),
    }

    assert between(tmp_path, old, new) == []


def test_a_build_that_fell_back_to_pure_python_loses_its_modules(tmp_path: Path) -> None:
    old = {"demo/__init__.py": b"", "demo/core.cpython-313-x86_64-linux-gnu.so": make_module()}

    found = between(tmp_path, old, {"demo/__init__.py": b""}, "demo-1.1-py3-none-any.whl")

    assert ("lost", "1 module", ("demo.core",)) in found


def test_grafts_are_matched_by_name_and_interface_whatever_their_hashes(tmp_path: Path) -> None:
    def grafted(*names: str) -> dict[str, bytes]:
        libraries = {f"demo.libs/{name}": make_object(soname=name) for name in names}
        module = make_module(needed=[*names, "libc.so.6"], runpath="$ORIGIN/../demo.libs")
        return {"demo/core.abi3.so": module, **libraries}

    old = grafted("libpq-37e301e2.so.5.13", "libgone-0a0a0a0a.so.1", "libsame-11111111.so.2")
    new = grafted("libpq-9b38f5e3.so.5.17", "libnew-0b0b0b0b.so.1", "libsame-11111111.so.2")

    assert between(tmp_path, old, new) == [
        ("grafts", "libraries added", ("libnew.so.1",)),
        ("grafts", "libraries gone", ("libgone.so.1",)),
        ("grafts", "libraries renewed", ("libpq.so.5",)),
        ("needs", "demo.core now needs libnew.so.1 and no longer needs libgone.so.1", ()),
    ]


def test_exports_of_own_libraries_are_lost_and_those_of_modules_are_nobodys(tmp_path: Path) -> None:
    old = {"demo/libown.so": make_object(exports=["own_open", "own_close", "_ZN3own4openEv"])}
    new = {"demo/libown.so": make_object(exports=["own_open"])}

    assert between(tmp_path, old, new) == [("lost", "symbols that demo/libown.so exported", ("own_close",))]


@pytest.mark.parametrize(
    ("old", "new", "change", "message"),
    [
        (
            "demo-1.0-cp38-abi3-manylinux_2_17_x86_64.whl",
            "demo-1.1-cp39-abi3-manylinux_2_17_x86_64.whl",
            "narrowed",
            "the stable ABI's floor from cp38 to cp39",
        ),
        (
            "demo-1.0-cp38-abi3-manylinux_2_17_x86_64.whl",
            "demo-1.1-cp313-cp313-manylinux_2_17_x86_64.whl",
            "narrowed",
            "tags from cp38-abi3 to cp313-cp313",
        ),
        (
            "demo-1.0-cp315-abi3-manylinux_2_17_x86_64.whl",
            "demo-1.1-cp315-abi3.abi3t-manylinux_2_17_x86_64.whl",
            "widened",
            "tags from cp315-abi3 to cp315-abi3.cp315-abi3t",
        ),
        (
            "demo-1.0-cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
            "demo-1.1-cp313-cp313-manylinux_2_28_x86_64.whl",
            "narrowed",
            "the oldest platform from manylinux_2_17_x86_64 to manylinux_2_28_x86_64",
        ),
    ],
)
def test_tags_and_platforms_are_narrowed_or_widened(
    tmp_path: Path, old: str, new: str, change: str, message: str
) -> None:
    comparison = compared(made(tmp_path / "new", {"demo.py": b""}, new), made(tmp_path / "old", {"demo.py": b""}, old))

    assert told(comparison) == [(change, message, ())]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (">=3.9", ">=3.11", "narrowed"),
        (">=3.11", ">=3.9", "widened"),
        ("", ">=3.9", "narrowed"),
        (">=3.9", ">= 3.9", ""),
    ],
)
def test_requires_python_is_compared_by_the_versions_that_it_admits(
    tmp_path: Path, before: str, after: str, change: str
) -> None:
    old = made(tmp_path / "old", {"demo.py": b""}, requires_python=before)
    new = made(tmp_path / "new", {"demo.py": b""}, NEXT, requires_python=after)

    assert [each.change for each in compared(new, old).differences] == ([change] if change else [])


def test_members_that_grew_by_much_are_named_with_their_sizes_the_largest_first(tmp_path: Path) -> None:
    old = {"demo/model.bin": bytes(100_000), "demo/small.bin": bytes(1000), "demo/steady.bin": bytes(1_000_000)}
    new = {
        "demo/model.bin": bytes(300_000),
        "demo/small.bin": bytes(60_000),
        "demo/steady.bin": bytes(1_100_000),
        "demo/new.bin": bytes(2_000_000),
    }

    assert between(tmp_path, old, new) == [
        ("size", "demo/new.bin has 2.0 MB, new", ()),
        ("size", "demo/model.bin has 300 kB, before 100 kB", ()),
    ]
