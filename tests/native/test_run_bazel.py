"""The program that runs Bazel: which file of a target it takes, and the wheel that it packs of a real shared object."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from factory.audit import Expectation, audit
from factory.guests import run_bazel
from factory.wheel import read_wheel

EVENTS = Path(__file__).parents[1] / "data" / "bazel" / "events.json"
"""What Bazel 3.5.1 wrote of a genrule with two outputs; the lines on its options and progress are left out."""

ROOT = "/work/u/88be83f071789568ceb5422ffb65cdd2/execroot/__main__/bazel-out/k8-opt/bin"
CODE = """\
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "fast", "made by gcc", -1, NULL};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&definition); }
"""
OWN = f"cp3{sys.version_info.minor}"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extension module of this interpreter's, as a target of Bazel leaves it."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    made = tmp_path_factory.mktemp("made") / "lib_fast.so"
    include = sysconfig.get_path("include")
    subprocess.run(
        ["gcc", "-O2", "-shared", "-fPIC", f"-I{include}", "-xc", "-", "-o", made], input=CODE, text=True, check=True
    )
    return made


def order(**changed: object) -> Mapping[str, object]:
    return {
        "name": "fast-sums",
        "version": "1.0",
        "module": "fast._fast",
        "packages": [],
        "description": "Fast sums",
        "requires_python": ">=3.9",
        "dependencies": ["numpy>=2; python_version > '3.10'"],
        "python_tag": OWN,
        "abi_tag": OWN,
        **changed,
    }


def test_the_files_of_a_target_are_those_that_bazel_names() -> None:
    events = [json.loads(line) for line in EVENTS.read_text(encoding="utf-8").splitlines()]

    assert list(run_bazel.made_by(iter(events))) == [Path(ROOT, "one.so"), Path(ROOT, "two.so")]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((), "//:demo makes neither a wheel nor a shared object: no file"),
        (("a.txt", "b.txt"), "//:demo makes neither a wheel nor a shared object: a.txt, b.txt"),
        (
            ("a.so", "a.whl", "a.txt"),
            "//:demo makes 2 wheels and shared objects, and one is needed: a.so, a.txt, a.whl",
        ),
    ],
    ids=["nothing", "others", "several"],
)
def test_a_target_that_makes_no_one_file_is_refused(files: tuple[str, ...], says: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run_bazel.chosen([Path(name) for name in files], "//:demo")

    assert ended.value.code == f"error: {says}"


def test_what_a_target_makes_beside_its_library_is_left_out_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_bazel.chosen([Path("a.map"), Path("a.so")], "//:demo") == Path("a.so")
    assert "only a.so is taken: a.map, a.so" in capsys.readouterr().out


def test_the_wheel_that_is_packed_passes_the_gate_and_imports(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    package = tmp_path / "python" / "fast"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__/spam.pyc").touch()
    (package / "__init__.py").write_text("from fast._fast import __doc__ as doc\n", encoding="utf-8")
    (package / "BUILD").touch()

    run_bazel.pack(library, order(packages=["python/fast"]), tmp_path)

    (made,) = tmp_path.glob("*.whl")
    verdict = audit(read_wheel(made), Expectation(stage="built", modules=("fast._fast",)), date(2026, 11, 30))
    assert [finding for finding in verdict.findings if finding.fails] == []
    with zipfile.ZipFile(made) as wheel:
        wheel.extractall(tmp_path / "installed")
        assert (
            "Requires-Dist: numpy>=2; python_version > '3.10'"
            in wheel.read("fast_sums-1.0.dist-info/METADATA").decode()
        )
        assert [name for name in wheel.namelist() if not name.startswith("fast_sums-1.0.dist-info/")] == [
            "fast/__init__.py",
            f"fast/_fast{sysconfig.get_config_var('EXT_SUFFIX')}",
        ]
    said = subprocess.check_output(
        [sys.executable, "-c", "import fast; print(fast.doc)"], cwd=tmp_path / "installed", text=True
    )
    assert said == "made by gcc\n"


def test_the_same_library_gives_the_same_wheel(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        run_bazel.pack(library, order(), folder)
        os.utime(library, (1, 1))

    assert [path.read_bytes() for path in first.iterdir()] == [path.read_bytes() for path in second.iterdir()]


@pytest.mark.parametrize(
    ("python", "abi", "member"),
    [
        ("cp39", "abi3", "fast/_fast.abi3.so"),
        ("cp315", "abi3.abi3t", "fast/_fast.abi3t.so"),
        ("py3", "none", "fast/_fast.so"),
    ],
)
def test_a_module_of_a_stable_abi_has_its_suffix_and_tags(
    python: str, abi: str, member: str, library: Path, tmp_path: Path
) -> None:
    run_bazel.pack(library, order(python_tag=python, abi_tag=abi), tmp_path)

    (made,) = tmp_path.glob(f"fast_sums-1.0-{python}-{abi}-linux_*.whl")
    with zipfile.ZipFile(made) as wheel:
        assert member in wheel.namelist()
        tags = [line for line in wheel.read("fast_sums-1.0.dist-info/WHEEL").decode().splitlines() if "Tag:" in line]
    assert [tag.rpartition("-")[0] for tag in tags] == [f"Tag: {python}-{single}" for single in abi.split(".")]


def test_a_folder_that_is_not_there_is_named(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match="packages names python/fast, which is not a folder of the project"):
        run_bazel.pack(library, order(packages=["python/fast"]), tmp_path)
