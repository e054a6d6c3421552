"""The gate against `auditwheel show` and `abi3audit`, each as a whole process: `make bench-gate`.

CPU seconds are user and system, children included, the least of some runs in turns; ratios are within this run.
Wheels are made here, and popular ones come from the package index, pinned by hash.
"""

import os
import platform
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.gate_wheels import MADE, made, official
from bench.peers import PROGRAMS

_FEWEST_RUNS, _ENOUGH_S = 3, 8.0
_HELP_RUNS = 30
_TOGETHER = 6
_MEBIBYTE = 1 << 20
_FACTORY = str(Path(sys.executable).with_name("factory"))
# Nothing that changes how Python starts, such as PYTHONDONTWRITEBYTECODE.
_ENV = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a command took: CPU seconds, and seconds on the wall."""

    cpu_s: float
    wall_s: float


def _once(argv: Sequence[str]) -> Cost:
    started = perf_counter()
    null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    pid = os.posix_spawn(argv[0], list(argv), _ENV, file_actions=null)
    _, _, usage = os.wait4(pid, 0)
    wall_s = perf_counter() - started
    return Cost(cpu_s=usage.ru_utime + usage.ru_stime, wall_s=wall_s)


_PEAK = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _peak_mebibytes(argv: Sequence[str]) -> float:
    """Measure the most memory of a command below a small process: Linux lets a child begin with its parent's."""
    done = subprocess.run([sys.executable, "-c", _PEAK, *argv], env=_ENV, capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def _in_turns(*commands: Sequence[str]) -> list[Cost]:
    """Run commands in turns and keep the least of each: cold caches and other work can only add."""
    rounds: list[list[Cost]] = []
    started = perf_counter()
    while len(rounds) < _FEWEST_RUNS or perf_counter() - started < _ENOUGH_S:
        rounds.append([_once(argv) for argv in commands])
    return [
        Cost(cpu_s=min(cost.cpu_s for cost in costs), wall_s=min(cost.wall_s for cost in costs))
        for costs in zip(*rounds, strict=True)
    ]


def _row(name: str, target: str, wheel: Path) -> str:
    show, abi3 = [str(PROGRAMS / "auditwheel"), "show", str(wheel)], [str(PROGRAMS / "abi3audit"), str(wheel)]
    audit = [_FACTORY, "audit", str(wheel)]
    gate, *peers = _in_turns(audit, show, abi3)
    seconds = " | ".join(f"{cost.cpu_s:.2f}" for cost in (gate, *peers))
    ratio = sum(cost.cpu_s for cost in peers) / gate.cpu_s
    size, largest = wheel.stat().st_size / _MEBIBYTE, _largest_member(wheel) / _MEBIBYTE
    memory = f"{_peak_mebibytes(audit):.0f} | {largest:.0f}"
    return f"| {name} | {size:.1f} | {seconds} | {ratio:.1f} | {target} | {memory} |"


def _largest_member(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as archive:
        return max(info.file_size for info in archive.infolist())


def _rows(folder: Path) -> Iterator[str]:
    columns = ("wheel", "MiB", "factory audit, CPU s", "auditwheel show", "abi3audit", "ratio", "wanted", "peak MiB")
    yield f"| {' | '.join(columns)} | largest member |"
    yield "|---" * (len(columns) + 1) + "|"
    for name, target, make in MADE:
        with TemporaryDirectory(dir=folder) as place:
            yield _row(name, target, make(Path(place)))
    for wheel in official(folder):
        yield _row("-".join(wheel.name.split("-")[:2]), "", wheel)


def _together(folder: Path) -> str:
    """Judge wheels at once and one after the other: cores in use are CPU seconds by seconds on the wall."""
    wheel = made("200,000 symbols", folder)
    wheels = [folder / f"demo-1.{number}-{wheel.name.split('-', 2)[2]}" for number in range(1, _TOGETHER + 1)]
    for path in wheels:
        path.hardlink_to(wheel)
    (cost,) = _in_turns([_FACTORY, "audit", *map(str, wheels)])
    (alone,) = _in_turns([_FACTORY, "audit", str(wheel)])
    return (
        f"{_TOGETHER} wheels of 200,000 symbols at once: {cost.wall_s:.2f} s on the wall, {cost.cpu_s:.2f} s of CPU, "
        f"{cost.cpu_s / cost.wall_s:.1f} of {os.cpu_count()} cores; one alone {alone.wall_s:.2f} s"
    )


def _help() -> str:
    """Take the time on the wall, as a user waits for it."""
    walls = [_once([_FACTORY, "audit", "--help"]).wall_s for _ in range(_HELP_RUNS)]
    return f"`factory audit --help`: {min(walls):.3f} s, median {statistics.median(walls):.3f} s of {_HELP_RUNS} runs"


def main() -> None:
    """Print the table and what stands below it."""
    machine = f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}"
    with TemporaryDirectory() as name:
        print(f"{machine}; load {os.getloadavg()[0]:.1f}\n")
        for line in _rows(Path(name)):
            print(line, flush=True)
        print(f"\n{_together(Path(name))}\n{_help()}\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
