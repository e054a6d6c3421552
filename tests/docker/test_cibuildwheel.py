"""An unmodified cibuildwheel builds a C project on the look-alike: the proof that its contract is the pypa images'."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from uv import find_uv_bin

from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.ready import ensure
from factory.process import Completed, run
from factory.store import Store

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.index]

BUILD = "cp39-* cp311-* cp313-* cp314-*"
CIBUILDWHEEL = "cibuildwheel==4.3.*"
BUNDLE = "/etc/host-certificates.pem"

PROJECT = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "spam"
version = "1.0"
""",
    "setup.py": """
from setuptools import Extension, setup
setup(ext_modules=[Extension("spam", ["spam.c"])])
""",
    "spam.c": """
#include <Python.h>
static PyObject *eggs(PyObject *self, PyObject *none) { return PyLong_FromLong(12); }
static PyMethodDef methods[] = {{"eggs", eggs, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "spam", "", -1, methods};
PyMODINIT_FUNC PyInit_spam(void) { return PyModule_Create(&module); }
""",
}


@pytest.mark.parametrize("policy", ["manylinux_2_31", "manylinux_2_36"])
def test_cibuildwheel_builds_repairs_and_tests_a_c_project_unmodified(
    tmp_path: Path, engine: DockerEngine, host: Host, policy: str
) -> None:
    with Store.open(tmp_path / "store") as store:
        image = ensure(f"lookalike-{policy}_x86_64", engine=engine, host=host, store=store, progress=print)
    name = f"wheel-factory/test-cibuildwheel:{tmp_path.name.lower()}"
    docker(host, tmp_path, "tag", image.reference, name)
    write_project(tmp_path / "spam")

    try:
        cibuildwheel(tmp_path, host, name)
    finally:
        docker(host, tmp_path, "rmi", name)

    wheels = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [f"{wheel.split('-')[2]}-*" for wheel in wheels] == sorted(BUILD.split())
    assert all(f"{policy}_x86_64" in wheel for wheel in wheels)


def cibuildwheel(folder: Path, host: Host, image: str) -> None:
    env = {**host.tool_env, **host.docker, "HOME": str(folder), **index(host, "UV_DEFAULT_INDEX")}
    tool = folder / "tool"
    must(run([find_uv_bin(), "venv", "--python", sys.executable, tool], env=env, cwd=folder, timeout_s=60))
    install: list[str | Path] = [find_uv_bin(), "pip", "install", "--python", tool / "bin/python", CIBUILDWHEEL]
    must(run(install, env=env, cwd=folder, timeout_s=300))
    command: list[str | Path] = [
        tool / "bin/cibuildwheel",
        "--platform",
        "linux",
        "--archs",
        "x86_64",
        "--output-dir",
        folder / "out",
    ]
    must(run(command, env={**env, **options(host, folder, image)}, cwd=folder / "spam", timeout_s=800))


def options(host: Host, folder: Path, image: str) -> Mapping[str, str]:
    """Say in cibuildwheel's own options which image to use, and hand it this machine's index, proxies, certificates."""
    inside = {**host.network_env, **index(host, "PIP_INDEX_URL")}
    found = {
        "CIBW_MANYLINUX_X86_64_IMAGE": image,
        "CIBW_BUILD": BUILD,
        "CIBW_SKIP": "*-musllinux*",
        "CIBW_TEST_COMMAND": 'python -c "import spam; assert spam.eggs() == 12"',
        "CIBW_CACHE_PATH": str(folder / "cache"),
    }
    if host.certificates is not None:
        found["CIBW_CONTAINER_ENGINE"] = f"docker; create_args: --volume={host.certificates}:{BUNDLE}:ro"
        inside |= {"SSL_CERT_FILE": BUNDLE, "PIP_CERT": BUNDLE}
    return {**found, "CIBW_ENVIRONMENT": " ".join(f'{key}="{value}"' for key, value in inside.items())}


def index(host: Host, variable: str) -> Mapping[str, str]:
    return {variable: host.index_url} if host.index_url else {}


def docker(host: Host, folder: Path, *arguments: str) -> None:
    program = shutil.which("docker", path=host.path)
    if program is None:
        pytest.skip("cibuildwheel calls docker's client, which is not installed; `apt install docker.io`")
    must(run([program, *arguments], env={**host.tool_env, **host.docker}, cwd=folder, timeout_s=60))


def write_project(folder: Path) -> None:
    folder.mkdir()
    for name, content in PROJECT.items():
        (folder / name).write_text(content.lstrip("\n"))


def must(done: Completed) -> None:
    assert done.returncode == 0, done.stderr + done.stdout.decode(errors="replace")
