"""An sdist that is honest in its form, small, and takes seconds to read: what a run does meanwhile can be seen."""

import gzip
import os
import tarfile
import time
from pathlib import Path
from threading import Event

from factory.memory import Memory
from factory.sessions.sources import Fetched
from factory.stages.source import FetchArchive
from factory.store import Store

_PIECE_BYTES, _PIECES = 64 << 20, 30
_NOISE_BYTES = 1 << 20  # what unpacks to very many times its size is refused at once
_RECIPE = """\
factory: 1
name: demo
source: {{url: "{url}", sha256: {sha256}}}
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
"""
_NAME = "demo-1.0.tar.gz"
_URL = f"https://index.invalid/{_NAME}"


def write_slow_recipe(folder: Path, store: Path) -> Path:
    """Write a recipe whose sdist lies in the store already, so that nothing is fetched."""
    head = tarfile.TarInfo("demo-1.0/zeros")
    head.size = _PIECE_BYTES * _PIECES
    piece = gzip.compress(os.urandom(_NOISE_BYTES) + bytes(_PIECE_BYTES - _NOISE_BYTES), 1)
    sdist = folder / _NAME
    sdist.write_bytes(gzip.compress(head.tobuf()) + piece * _PIECES + gzip.compress(bytes(1024)))
    with Store.open(store) as opened:
        kept = opened.put_file(sdist)
        fetch = FetchArchive(archive=_URL, sha256=kept.digest)
        Memory(store=opened, cancelled=Event()).keep(fetch, Fetched(file=kept))
    recipe = folder / "recipe.yaml"
    recipe.write_text(_RECIPE.format(url=_URL, sha256=kept.digest.hex))
    return recipe


def await_reader(pid: int, depth: int) -> list[int]:
    """Wait until a program has children so many generations deep, and return all of them."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        below = [pid]
        found: list[int] = []
        for _ in range(depth):
            below = [child for parent in below for child in _children(parent)]
            found += below
        if below:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no reader of {pid} was seen")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def living(pids: list[int]) -> list[int]:
    """Return those that still run a second later at most."""
    give_up = time.monotonic() + 1
    while left := [pid for pid in pids if _is_running(pid)]:
        if time.monotonic() > give_up:
            return left
        time.sleep(0.02)
    return []


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
