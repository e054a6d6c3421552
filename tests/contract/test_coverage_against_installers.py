"""The file that coverage names is the one that uv and pip choose, for the real file names of three releases."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.coverage.choice import Coverage, Offer, coverage
from factory.coverage.files import read_offers
from factory.host import find_uv, read_host
from factory.installable import supported_tags
from factory.process import run
from factory.tags import Interpreter, PlatformTag
from tests.makers.index import Index, make_wheel_bytes, serve_index

LISTINGS = Path(__file__).parents[1] / "data" / "listings"
RELEASES = ("cryptography-50.0.2", "markupsafe-3.0.3", "numpy-2.5.5")
ENVIRONMENTS = [
    (minor, names)
    for names in (
        ("x86_64-manylinux_2_28", "manylinux_2_28_x86_64"),
        ("aarch64-manylinux_2_39", "manylinux_2_39_aarch64"),
        ("x86_64-unknown-linux-musl", "musllinux_1_2_x86_64"),
    )
    for minor in (9, 11, 14, 15)
]
PATCH = 9  # uv takes 3.9 for 3.9.0, which cryptography excludes
_SELECTED = re.compile(r"DEBUG Selecting: \S+ \[\w+\] \((\S+)\)")


def offers(release: str) -> tuple[Offer, ...]:
    return read_offers([str(LISTINGS / f"{release}.txt")], read_host())


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    with serve_index() as served:
        for release in RELEASES:
            for offer in offers(release):
                if offer.filename.endswith(".whl"):
                    name, version, tag = offer.filename.removesuffix(".whl").split("-", 2)
                    served.files[offer.filename] = make_wheel_bytes(name, version, tag)
                    served.requires_python[offer.filename] = offer.requires_python
        yield served


def wheel_for(covered: Coverage, interpreter: str, platform: str) -> str:
    """Return the wheel that is taken; empty where it is the sdist, or nothing."""
    (taken,) = (t for t in covered.taken if (t.interpreter, t.platform) == (interpreter, platform))
    return taken.filename if taken.kind == "wheel" else ""


@pytest.mark.parametrize("release", RELEASES)
def test_uv_takes_the_same_wheel_in_twelve_environments(release: str, index: Index, tmp_path: Path) -> None:
    (covered,) = coverage(offers(release))
    chosen = {
        (f"cp3{minor}", platform): uv_choice(index, release, f"3.{minor}.{PATCH}", name, tmp_path)
        for minor, (name, platform) in ENVIRONMENTS
    }

    assert len(chosen) == 12
    assert chosen == {place: wheel_for(covered, *place) for place in chosen}
    assert any(chosen.values())


@pytest.mark.index
@pytest.mark.parametrize("release", RELEASES)
def test_pip_takes_the_same_wheel_on_free_threaded_interpreters(
    release: str, index: Index, pip: Path, tmp_path: Path
) -> None:
    """uv has no name for an interpreter that is not here and is free-threaded; pip has."""
    (covered,) = coverage(offers(release))
    places = [(f"cp3{minor}t", platform) for minor in (13, 14, 15) for _, (_, platform) in ENVIRONMENTS[::4]]

    chosen = {place: pip_choice(index, release, *place, pip, tmp_path) for place in places}

    assert chosen == {place: wheel_for(covered, *place) for place in places}
    assert any(chosen.values())


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the pip that the index has, in a folder of its own: an older one knows no abi3t."""
    folder, host = tmp_path_factory.mktemp("pip"), read_host()
    argv: list[str | Path] = [find_uv(), "pip", "install", "--no-config", "--target", folder]
    argv += ["--python", sys.executable, "pip>=26.2"]
    env = {**host.tool_env, **({"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {})}
    assert run(argv, env=env, cwd=folder, timeout_s=120).returncode == 0
    return folder


def uv_choice(index: Index, release: str, version: str, platform: str, folder: Path) -> str:
    """Ask uv which wheel it would install; empty if none."""
    name, _, number = release.rpartition("-")
    argv: list[str | Path] = [
        *(find_uv(), "pip", "install", "--dry-run", "--verbose", "--no-config", "--no-deps"),
        *("--only-binary", ":all:", "--no-python-downloads"),
        *("--default-index", f"{index.url}/simple/", "--cache-dir", folder / "cache"),
        *("--python-version", version, "--python-platform", platform),
        *("--python", sys.executable, "--target", folder / "target", f"{name}=={number}"),
    ]
    ended = run(argv, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"}, cwd=folder, timeout_s=60)
    selected = _SELECTED.search(ended.stderr)
    assert (selected is None) == (ended.returncode != 0), ended.stderr
    return selected[1] if selected else ""


def pip_choice(index: Index, release: str, abi: str, platform: str, pip: Path, folder: Path) -> str:
    """Ask pip which wheel it would install; empty if none."""
    name, _, number = release.rpartition("-")
    tags = [tag.platform for tag in supported_tags(Interpreter.parse(abi), PlatformTag.parse(platform))]
    report = folder / f"{abi}-{platform}.json"
    argv: list[str | Path] = [
        *(sys.executable, "-m", "pip", "install", "--dry-run", "--isolated", "--no-deps", "--ignore-installed"),
        *("--disable-pip-version-check", "--no-cache-dir", "--quiet", "--report", report),
        *("--index-url", f"{index.url}/simple/", "--only-binary", ":all:", "--target", folder / "target"),
        *("--implementation", "cp", "--python-version", f"3.{Interpreter.parse(abi).minor}", "--abi", abi),
        *(word for tag in dict.fromkeys(tags) if tag != "any" for word in ("--platform", tag)),
        f"{name}=={number}",
    ]
    ended = run(argv, env={"PYTHONPATH": str(pip), "PATH": "/usr/bin:/bin"}, cwd=folder, timeout_s=60)
    if ended.returncode != 0:
        assert "No matching distribution" in ended.stderr, ended.stderr
        return ""
    (item,) = json.loads(report.read_bytes())["install"]
    return str(item["download_info"]["url"]).rpartition("/")[2]
