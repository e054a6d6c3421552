"""Official wheels of the package index, pinned by hash in data/real_wheels.json, in groups of one interpreter."""

import json
import subprocess
import sys
from collections.abc import Container
from pathlib import Path
from typing import TypedDict

from factory.host import read_host

_OFFLINE = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ProxyError")


class Group(TypedDict):
    python: str
    implementation: str
    abis: list[str]
    platforms: list[str]
    wheels: dict[str, str]


class NoIndexError(Exception):
    """No package index answers."""


GROUPS: dict[str, Group] = json.loads((Path(__file__).parent / "data" / "real_wheels.json").read_text("utf-8"))


def download(group: Group, folder: Path, names: Container[str] | None = None) -> list[Path]:
    """Download the wheels of a group, or those of the named projects, into a new folder.

    Raises:
        NoIndexError: no index answers.
    """
    pins = folder / "pins.txt"
    wanted = {pin: sha for pin, sha in group["wheels"].items() if names is None or pin.partition("==")[0] in names}
    pins.write_text("".join(f"{pin} --hash=sha256:{sha256}\n" for pin, sha256 in wanted.items()))
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    argv += ["--require-hashes", "--requirement", str(pins), "--dest", str(folder / "wheels")]
    argv += ["--python-version", group["python"], "--implementation", group["implementation"]]
    argv += [word for abi in group["abis"] for word in ("--abi", abi)]
    argv += [word for platform in group["platforms"] for word in ("--platform", platform)]
    host = read_host()
    index = {"PIP_INDEX_URL": host.index_url} if host.index_url else {}
    done = subprocess.run(argv, env={**host.tool_env, **index}, capture_output=True, text=True, check=False)
    if any(sign in done.stderr for sign in _OFFLINE):
        raise NoIndexError(done.stderr.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return sorted((folder / "wheels").glob("*.whl"))
