"""The tools that the gate is compared with, in an environment of their own, each asked about one wheel."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import parse_wheel_filename
from uv import find_uv_bin

from factory.host import read_host

PINS = Path(__file__).parents[1] / "requirements" / "peers.txt"
_TIMEOUT_S = 120


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A tool: its name, and the command that judges a wheel; a folder of the call's own may be written to."""

    name: str
    command: Callable[[Path, Path, Path], list[str]]


def install(folder: Path) -> Path:
    """Install the pinned tools unless they are there; return their programs' folder."""
    programs = folder / "bin"
    if not (programs / "twine").exists():
        env = _env(read_host().tool_env, programs)
        for argv in (
            [find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(folder)],
            [find_uv_bin(), "pip", "install", "--quiet", "--python", str(programs / "python"), "-r", str(PINS)],
        ):
            subprocess.run(argv, check=True, env=env)
    return programs


def _env(base: Mapping[str, str], programs: Path) -> dict[str, str]:
    return {**base, "PATH": f"{programs}:{base.get('PATH', os.defpath)}", "LC_ALL": "C.UTF-8"}


def _pip(programs: Path, wheel: Path, into: Path) -> list[str]:
    """Install for whatever the wheel claims, so that only what is wrong with it can be refused."""
    argv = [
        str(programs / "pip"),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-compile",
        "--target",
        str(into),
    ]
    argv += ["--no-cache-dir", "--disable-pip-version-check", "--only-binary", ":all:"]
    try:
        tag = min(parse_wheel_filename(wheel.name)[3], key=str)
    except ValueError:
        return [*argv, str(wheel)]
    argv += ["--platform", tag.platform, "--abi", tag.abi, "--implementation", tag.interpreter[:2]]
    return [*argv, "--python-version", tag.interpreter[2:3] + "." + (tag.interpreter[3:] or "11"), str(wheel)]


def _uv(programs: Path, wheel: Path, into: Path) -> list[str]:
    argv = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--offline", "--no-config", "--no-cache"]
    return [*argv, "--python", str(programs / "python"), "--target", str(into), str(wheel)]


def _repair(programs: Path, wheel: Path, into: Path) -> list[str]:
    return [str(programs / "auditwheel"), "repair", "--wheel-dir", str(into), str(wheel)]


PEERS = (
    Peer(name="auditwheel", command=_repair),
    Peer(name="abi3audit", command=lambda programs, wheel, _: [str(programs / "abi3audit"), "--strict", str(wheel)]),
    Peer(name="twine", command=lambda programs, wheel, _: [str(programs / "twine"), "check", "--strict", str(wheel)]),
    Peer(
        name="check-wheel-contents",
        command=lambda programs, wheel, _: [str(programs / "check-wheel-contents"), str(wheel)],
    ),
    Peer(name="pip", command=_pip),
    Peer(name="uv", command=_uv),
)


def refuses(peer: Peer, programs: Path, wheel: Path, into: Path) -> bool:
    """Whether a tool ends with anything but 0 on a wheel, or not at all."""
    into.mkdir(parents=True)
    env = {**_env({}, programs), "HOME": str(into)}
    try:
        done = subprocess.run(
            peer.command(programs, wheel, into), cwd=into, env=env, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0
