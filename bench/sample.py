"""One timed run of one side, and how a side is run."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from packaging.utils import parse_wheel_filename


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How long a run took on the wall, and the tags of the wheels that it left, platforms aside."""

    wall_s: float
    wheels: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the compared ways to wheels; `run` does its whole work in an empty folder."""

    name: str
    run: Callable[[Path], Sample]


def timed(argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, output: Path) -> Sample:
    """Run a command to its end and look at the wheels in `output`; its log lies beside, and is shown when it fails."""
    log = output.with_suffix(".log")
    started = monotonic()
    with log.open("wb") as stream:
        code = subprocess.run(argv, env=env, cwd=cwd, stdout=stream, stderr=stream, check=False).returncode
    wall_s = monotonic() - started
    if code != 0:
        raise SystemExit(f"{argv[0]} ended with {code}:\n{log.read_text(errors='replace')[-4000:]}")
    return Sample(wall_s=wall_s, wheels=frozenset(_tag(path.name) for path in output.glob("*.whl")))


def _tag(filename: str) -> str:
    return " ".join(sorted({f"{tag.interpreter}-{tag.abi}" for tag in parse_wheel_filename(filename)[3]}))
