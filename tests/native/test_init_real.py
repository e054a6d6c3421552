"""Recipes are written from real sdists of many kinds, each unlike ours: none stops it, and every recipe reads."""

from pathlib import Path

import pytest

from factory.host import Host
from factory.recipe.parse import load_recipe
from tests.cli.program import Program

pytestmark = pytest.mark.index

SMALL = {
    "cmarkgfm": "cffi by setuptools",
    "contourpy": "C++ by meson-python, pybind11, cibuildwheel",
}
LARGE = {
    "ujson": "setuptools with a static pyproject",
    "msgpack": "Cython by setuptools",
    "cffi": "C by setuptools, beside cffi itself",
    "pyyaml": "a backend of its own, in the tree",
    "jellyfish": "maturin",
    "rtoml": "maturin, per version",
    "frozenlist": "a backend of its own around setuptools, cibuildwheel",
    "ruamel.yaml.clib": "a name with dots, cibuildwheel",
    "numpy": "C by meson-python with code generators, cibuildwheel",
    "pydantic-core": "maturin, large",
    "orjson": "maturin with vendored crates",
    "lxml": "Cython by setuptools, cibuildwheel with overrides",
    "regex": "C by setuptools",
    "greenlet": "C++ by setuptools",
    "simplejson": "C, optional",
    "coverage": "C, optional, cibuildwheel",
    "aiohttp": "Cython, cibuildwheel",
    "multidict": "C, cibuildwheel",
    "zstandard": "C or cffi, cibuildwheel with groups",
    "pyzmq": "scikit-build-core, cibuildwheel with overrides",
    "pillow": "a backend of its own in a folder, cibuildwheel",
    "rapidfuzz": "scikit-build-core with Cython",
    "uvloop": "Cython with libuv inside, cibuildwheel",
    "blake3": "maturin with C inside",
}


def surroundings(host: Host) -> dict[str, str]:
    """Return how this machine reaches its index."""
    env = {**host.network_env, **({"PIP_INDEX_URL": host.index_url} if host.index_url else {})}
    return env if host.certificates is None else {**env, "SSL_CERT_FILE": str(host.certificates)}


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, id=name) for name in SMALL),
        *(pytest.param(name, id=name, marks=pytest.mark.slow) for name in LARGE),
    ],
)
def test_a_recipe_is_written_for(name: str, tmp_path: Path, host: Host) -> None:
    factory = Program(folder=tmp_path, env=surroundings(host))

    done = factory("init", name)

    assert done.code == 0, done.stderr
    recipe = load_recipe(tmp_path / "recipe.yaml")
    assert recipe.name == name.replace(".", "-")
    assert "next: read it, then factory plan recipe.yaml" in done.stderr
    assert factory("plan", "--ids", "recipe.yaml").code == 0 or "fix before you build" in done.stderr
