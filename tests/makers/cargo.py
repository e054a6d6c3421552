"""The cargo of this machine, where it has one that works, and the folder in which it fetches."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from factory.process import Completed, run
from factory.resolve.cargo import FetchFolder

CARGO = shutil.which("cargo")
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"


def require_cargo(folder: Path) -> None:
    """Skip where there is none: a cargo of rustup's, without a toolchain in this HOME, is none."""
    if CARGO is None:
        pytest.skip("cargo is not on this machine")
    asked = cargo(folder, "--version", home=folder)
    if asked.returncode != 0:
        pytest.skip(f"cargo does not work here: {asked.stderr.strip()}")


def cargo(folder: Path, *arguments: str, home: Path, env: Mapping[str, str] | None = None) -> Completed:
    assert CARGO is not None
    base = {"PATH": f"{Path(CARGO).parent}:/usr/bin:/bin", "HOME": str(Path.home()), "CARGO_HOME": str(home)}
    return run([CARGO, *arguments], env={**base, **(env or {}), "CARGO_NET_RETRY": "0"}, cwd=folder, timeout_s=120)


def write(folder: Path, fetched: FetchFolder) -> None:
    for file in fetched.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
