"""What an earlier build left never reaches a build, and what only looks like it does."""

from pathlib import Path

import pytest

from factory.host import Host, read_host
from factory.recipe.model import PathSource
from factory.source.folder import read_folder
from factory.source.leftovers import cleaned, sort_out
from factory.source.tree import Tree
from factory.stages.source import source_files
from tests.makers.sources import make_tree


@pytest.fixture
def host() -> Host:
    return read_host({})


def _left(*paths: str, keep: tuple[str, ...] = ()) -> tuple[str, ...]:
    return sort_out(sorted(paths), keep).left_out


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        (("setup.py", "build/lib.linux-x86_64-cpython-311/pkg/_core.so"), ("build/",)),
        (("setup.py", "build/notes.txt"), ("build/",)),
        (("python/setup.py", "python/build/lib/pkg/__init__.py"), ("python/build/",)),
        (("a/b/c/build/temp.linux-x86_64-cpython-311/core.o", "a/b/c/core.c"), ("a/b/c/build/",)),
        (("pyproject.toml", "src/demo.egg-info/SOURCES.txt"), ("src/demo.egg-info/",)),
        (("CMakeLists.txt", "cmake-build-debug/CMakeCache.txt"), ("cmake-build-debug/",)),
        (("CMakeLists.txt", "CMakeCache.txt", "CMakeFiles/3.25/a.cmake"), ("CMakeCache.txt", "CMakeFiles/")),
        (("meson.build", "builddir/meson-private/build.dat", "builddir/build.ninja"), ("builddir/",)),
        (("setup.py", "_skbuild/linux-x86_64-3.11/cmake-build/a.o"), ("_skbuild/",)),
        (("rust/Cargo.toml", "rust/target/release/libdemo.so"), ("rust/target/",)),
        (("Cargo.toml", "out/target/.rustc_info.json"), ("out/target/",)),
        (("pkg/__pycache__/a.cpython-311.pyc", "pkg/a.py"), ("pkg/__pycache__/",)),
        (("pkg/_core.cpython-311-x86_64-linux-gnu.so", "pkg/a.py"), ("pkg/_core.cpython-311-x86_64-linux-gnu.so",)),
        (("pkg/_core.abi3.so", "src/lib.rs"), ("pkg/_core.abi3.so",)),
        (("src/core.c", "src/core.o", "src/libother.so.1"), ("src/core.o", "src/libother.so.1")),
        (("csrc/fast.cpp", "pkg/libfast.so", "obj/fast.o"), ("obj/fast.o", "pkg/libfast.so")),
        (("setup.py", ".factory/runs/1/events.jsonl"), (".factory/",)),
        (("pyproject.toml", "dist/SHA256SUMS", "dist/a-1.0-py3-none-any.whl", "dist/a-1.0.tar.gz"), ("dist/",)),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else None,
)
def test_a_build_is_known_by_the_marks_of_its_tool_at_any_depth(paths: tuple[str, ...], left: tuple[str, ...]) -> None:
    assert _left(*paths) == left


@pytest.mark.parametrize(
    "paths",
    [
        ("pyproject.toml", "src/build/__init__.py", "src/build/env.py"),
        ("setup.py", "build/__init__.py"),
        ("setup.py", "vendor/zstd/build/cmake/CMakeLists.txt"),
        ("Cargo.toml", "src/target/mod.rs"),
        ("rust/Cargo.toml", "rust/target.rs"),
        ("meson.build", "subprojects/meson-logs.txt"),
        ("pkg/libvendor.so", "pkg/libvendor.a", "pkg/a.py", "other/core.c"),
        ("pyproject.toml", "dist/a-1.0-py3-none-any.whl", "dist/a.js"),
        ("pyproject.toml", "bundled/dist/a-1.0-py3-none-any.whl"),
        ("PKG-INFO", "setup.py", "demo.egg-info/SOURCES.txt", "demo.egg-info/PKG-INFO"),
    ],
    ids=[
        "package",
        "package at the top",
        "vendored",
        "module",
        "file",
        "name",
        "prebuilt",
        "scripts",
        "wheels",
        "own list of an sdist",
    ],
)
def test_source_that_only_looks_like_a_build_stays(paths: tuple[str, ...]) -> None:
    assert _left(*paths) == ()


def test_what_a_recipe_keeps_stays_alone() -> None:
    paths = ("build/lib.linux/a.so", "build/templates/page.html", "pkg/libx.so", "pkg/x.c", "setup.py")

    chosen = sort_out(paths, ("build/templates", "pkg/libx.so"))

    assert chosen.kept == ("build/templates/page.html", "pkg/libx.so", "pkg/x.c", "setup.py")
    assert chosen.left_out == ("build/",)


def _times(tree: Tree) -> dict[str, int]:
    return {str(entry.path): entry.mtime_s - tree.epoch_s for entry in source_files(tree)}


def test_what_is_made_from_a_source_is_older_than_it_so_that_tools_make_it_again() -> None:
    tree = cleaned(make_tree({"setup.py": "", "a.pyx": "", "a.c": "", "b.c": "", "b.o": ""}), keep=("b.o",))

    times = _times(tree)

    assert times["a.c"] < times["a.pyx"]
    assert times["b.o"] < times["b.c"]
    assert times["b.c"] == times["setup.py"] == 0


def test_a_translation_in_an_sdist_is_as_new_as_its_source() -> None:
    """Its maker translated it: nothing requires Cython of a build from an sdist."""
    tree = cleaned(make_tree({"PKG-INFO": "", "a.pyx": "", "a.c": ""}))

    assert set(_times(tree).values()) == {0}


def test_the_age_of_a_file_is_part_of_a_tree_s_digest() -> None:
    files = {"setup.py": "", "b.c": "", "b.o": ""}

    assert cleaned(make_tree(files), keep=("b.o",)).digest != make_tree(files).digest
    assert cleaned(make_tree({"setup.py": ""})).digest == make_tree({"setup.py": ""}).digest


def test_a_folder_without_git_is_not_walked_into_what_a_build_left(tmp_path: Path, host: Host) -> None:
    for name in (
        "setup.py",
        "sub/build/lib.x/a.so",
        "build/templates/a.html",
        "build/temp.x/a.o",
        "target/CACHEDIR.TAG",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    bare = read_folder(PathSource(path=tmp_path), host)
    kept = read_folder(PathSource(path=tmp_path, keep=("build/templates",)), host)

    assert bare.paths == ("setup.py",)
    assert bare.left_out == ("build/", "sub/build/", "target/")
    assert kept.paths == ("build/templates/a.html", "setup.py")
