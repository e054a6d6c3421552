"""Official wheels, pinned by hash: no error is found in them but the ones that are known to be true."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TypedDict

import pytest

from factory.audit import Audit, Expectation, audit
from factory.host import read_host
from factory.wheel import read_wheel

pytestmark = [pytest.mark.index, pytest.mark.slow]

_OFFLINE = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ProxyError")


class Group(TypedDict):
    python: str
    implementation: str
    abis: list[str]
    platforms: list[str]
    wheels: dict[str, str]


# True findings: a folder of the build machine in the search path; libgomp, which has static storage by design.
KNOWN = {
    "shapely": {("rpath-absolute", "shapely/_geos.cpython-312-x86_64-linux-gnu.so")},
    "scikit_learn": {("static-tls", "scikit_learn.libs/libgomp-e985bcbb.so.1.0.0")},
}
GROUPS: dict[str, Group] = json.loads((Path(__file__).parents[1] / "data" / "real_wheels.json").read_text("utf-8"))


def _download(group: Group, folder: Path) -> list[Path]:
    pins = folder / "pins.txt"
    pins.write_text("".join(f"{pin} --hash=sha256:{sha256}\n" for pin, sha256 in group["wheels"].items()))
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    argv += ["--require-hashes", "--requirement", str(pins), "--dest", str(folder / "wheels")]
    argv += ["--python-version", group["python"], "--implementation", group["implementation"]]
    argv += [word for abi in group["abis"] for word in ("--abi", abi)]
    argv += [word for platform in group["platforms"] for word in ("--platform", platform)]
    host = read_host()
    index = {"PIP_INDEX_URL": host.index_url} if host.index_url else {}
    done = subprocess.run(argv, env={**host.tool_env, **index}, capture_output=True, text=True, check=False)
    if any(sign in done.stderr for sign in _OFFLINE):
        pytest.skip(f"no package index answers: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return sorted((folder / "wheels").glob("*.whl"))


@pytest.mark.parametrize("name", GROUPS)
def test_no_official_wheel_is_refused(name: str, tmp_path: Path) -> None:
    paths = _download(GROUPS[name], tmp_path)

    verdicts = {path.name: audit(read_wheel(path), Expectation(), date(2026, 11, 22)) for path in paths}

    assert len(paths) == len(GROUPS[name]["wheels"])
    errors = {name: _errors(verdict) for name, verdict in verdicts.items()}
    assert {name: found for name, found in errors.items() if found != KNOWN.get(name.partition("-")[0], set())} == {}
    assert all(verdict.deserves for verdict in verdicts.values())


def _errors(verdict: Audit) -> set[tuple[str, str]]:
    return {(found.rule, found.subject) for found in verdict.findings if found.fails}


def test_the_list_is_long_enough_to_mean_something() -> None:
    assert sum(len(group["wheels"]) for group in GROUPS.values()) >= 60
