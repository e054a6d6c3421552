"""The gate in pipelines of others, as docs/how-to/gate-elsewhere.md says: it refuses a wheel, and passes its twin."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from uv import find_uv_bin

from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.ready import ensure
from factory.store import Store
from tests.docker import test_cibuildwheel as peer
from tests.docker.projects import pyproject
from tests.docker.rust_projects import ffi_module
from tests.makers.objects import make_module
from tests.makers.wheels import make_wheel

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/gate-elsewhere.md").read_text(encoding="utf-8")
BROKEN = peer.PROJECT["spam.c"].replace("PyInit_spam", "PyInit_eggs")
FINDING = "init-missing"
MANIFEST = """
[package]
name = "spam"
version = "1.0.0"
edition = "2021"
[lib]
name = "spam"
crate-type = ["cdylib"]
[dependencies]
pyo3-ffi = {version = "0.27", features = ["abi3-py39"]}
"""


def block(language: str, holding: str) -> str:
    """Return what the page has between fences, by a word in it."""
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if holding in text]
    return str(found)


def commands(holding: str) -> list[str]:
    return [line.removeprefix("$ ") for line in block("console", holding).splitlines()]


def run(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{Path(find_uv_bin()).parent}:{os.environ['PATH']}"
    argv = ["bash", "-ec", script]
    return subprocess.run(
        argv, cwd=folder, env={**os.environ, "PATH": path, **env}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The factory's own wheel, made as the page says, beside where projects lie."""
    folder = tmp_path_factory.mktemp("machine")
    checkout = folder / "checkout"
    tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    (command,) = commands("uv build")
    made = run(command, checkout)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.index
@pytest.mark.parametrize("is_broken", [False, True], ids=["passes", "is refused"])
def test_a_wheel_of_cibuildwheel(ours: Path, engine: DockerEngine, host: Host, is_broken: bool) -> None:
    folder = ours / f"cibuildwheel-{is_broken}"
    folder.mkdir()
    with Store.open(folder / "store") as store:
        image = ensure("lookalike-manylinux_2_36_x86_64", engine=engine, host=host, store=store, progress=print)
    name = f"wheel-factory/test-gate-elsewhere:{str(is_broken).lower()}"
    peer.docker(host, folder, "tag", image.reference, name)
    peer.write_project(ours / f"spam-{is_broken}")
    project = ours / f"spam-{is_broken}"
    with (project / "pyproject.toml").open("a") as settings:
        settings.write(block("toml", "audit-command"))
    if is_broken:
        (project / "spam.c").write_text(BROKEN)
    install = (
        f"uv venv -q {folder}/tool && uv pip install -q --python {folder}/tool/bin/python 'cibuildwheel[uv]==4.3.5'"
    )
    assert run(install, folder).returncode == 0
    # With other frontends, it downloads virtualenv for its audits, and not from the index.
    only = {
        "CIBW_BUILD": "cp313-*",
        "CIBW_ARCHS": "x86_64",
        "CIBW_TEST_COMMAND": "",
        "CIBW_BUILD_FRONTEND": "build[uv]",
    }
    options = {**peer.options(host, folder, name), **only}

    try:
        export, call = commands("cibuildwheel --platform")
        ended = run(f"PATH={folder}/tool/bin:$PATH\n{export}\n{call} --output-dir {folder}/out", project, **options)
    finally:
        peer.docker(host, folder, "rmi", name)

    assert (ended.returncode != 0) is is_broken, ended.stdout + ended.stderr
    assert "Running audit command: factory audit" in ended.stdout + ended.stderr
    assert (FINDING in ended.stdout + ended.stderr) is is_broken


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.parametrize(("module", "code"), [("spam", 0), ("eggs", 1)], ids=["passes", "is refused"])
def test_a_wheel_of_maturin(tmp_path: Path, module: str, code: int) -> None:
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not installed")
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text(MANIFEST)
    (tmp_path / "src/lib.rs").write_text(ffi_module(module))
    (tmp_path / "pyproject.toml").write_text(pyproject("spam", ["maturin"], "maturin"))
    build, audit = commands("maturin build")

    made = run(f"uv tool run -q {build}", tmp_path)
    assert made.returncode == 0, made.stderr
    judged = run(audit, tmp_path)

    assert judged.returncode == code, judged.stdout + judged.stderr
    assert (FINDING in judged.stdout) is bool(code)


@pytest.mark.parametrize(("module", "code"), [("spam", 0), ("eggs", 1)], ids=["passes", "is refused"])
def test_a_wheel_in_any_pipeline_with_sarif(tmp_path: Path, module: str, code: int) -> None:
    (tmp_path / "dist").mkdir()
    make_wheel(
        tmp_path / "dist",
        {"spam.cpython-313-x86_64-linux-gnu.so": make_module(module)},
        filename="spam-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
    )
    (command,) = commands("--sarif")

    judged = run(command, tmp_path)

    document = json.loads((tmp_path / "gate.sarif").read_text())
    jsonschema.validate(document, json.loads((ROOT / "tests/data/sarif-schema-2.1.0.json").read_text()))
    assert judged.returncode == code, judged.stderr
    assert (FINDING in {result["ruleId"] for result in document["runs"][0]["results"]}) is bool(code)
