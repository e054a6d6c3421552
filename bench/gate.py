"""The gate against `auditwheel show` and `abi3audit`, each as a whole process: `make bench-gate`.

CPU seconds (user and system, children included), the least of some runs, and the ratio within this run. Wheels are
made here: a small one, one with many files and objects, one with many symbols, and one large blob.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory, gettempdir

from bench.gate_peers import install
from tests.makers import ABI3_NAME, make_wheel

_RUNS = 3
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a command took: CPU seconds, and the most memory that it held."""

    cpu_s: float
    peak_bytes: int


def _noise(size: int) -> bytes:
    return Random(1).randbytes(size)


def _object(folder: Path, name: str, *, symbols: int = 0, blob: int = 0) -> bytes:
    """Assemble an extension module as a real linker makes it: the peers read sections."""
    (folder / "blob").write_bytes(_noise(blob))
    lines = [".text", f".globl PyInit_{name}", f"PyInit_{name}:", "call PyModuleDef_Init@PLT", "call puts@PLT", "ret"]
    for index in range(symbols):
        symbol = f"_ZN4demo9some_name{index}Ev"
        lines += [f".globl {symbol}", f".type {symbol}, @function", f"{symbol}: ret"]
    lines += [".section .rodata", f'.incbin "{folder}/blob"', '.section .note.GNU-stack,"",@progbits', ""]
    argv = ["gcc", "-shared", "-x", "assembler", "-Wl,-z,now", "-o", str(folder / "object.so"), "-"]
    subprocess.run(argv, input="\n".join(lines), text=True, check=True)
    return (folder / "object.so").read_bytes()


def _wheel(folder: Path, files: dict[str, bytes]) -> Path:
    return make_wheel(folder, files, filename=ABI3_NAME)


def _small(folder: Path) -> Path:
    return _wheel(folder, {"demo/core.abi3.so": _object(folder, "core", symbols=200, blob=_MEBIBYTE)})


def _many_files(folder: Path) -> Path:
    files = {f"demo/m{index}.abi3.so": _object(folder, f"m{index}", symbols=100) for index in range(100)}
    return _wheel(folder, files | {f"demo/f{index}.py": b"x = 1\n" * 40 for index in range(3000)})


def _many_symbols(folder: Path) -> Path:
    return _wheel(folder, {"demo/core.abi3.so": _object(folder, "core", symbols=200_000)})


def _large(folder: Path) -> Path:
    return _wheel(folder, {"demo/core.abi3.so": _object(folder, "core", blob=200 * _MEBIBYTE)})


WHEELS: dict[str, Callable[[Path], Path]] = {
    "a wheel of 1 MiB": _small,
    "100 objects and 3000 files": _many_files,
    "200,000 symbols": _many_symbols,
    "one object of 200 MiB": _large,
}


def _measure(argv: list[str]) -> Cost:
    """Take the least of some runs: what else the machine does can only add."""
    costs = [_once(argv) for _ in range(_RUNS)]
    return Cost(cpu_s=min(cost.cpu_s for cost in costs), peak_bytes=max(cost.peak_bytes for cost in costs))


def _once(argv: list[str]) -> Cost:
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return Cost(cpu_s=usage.ru_utime + usage.ru_stime, peak_bytes=usage.ru_maxrss * 1024)


def _rows(programs: Path) -> Iterator[str]:
    ours = str(Path(sys.executable).with_name("factory"))
    for name, make in WHEELS.items():
        with TemporaryDirectory() as folder:
            wheel = make(Path(folder))
            gate = _measure([ours, "audit", str(wheel)])
            show = _measure([str(programs / "auditwheel"), "show", str(wheel)])
            abi3 = _measure([str(programs / "abi3audit"), "--strict", str(wheel)])
        theirs = show.cpu_s + abi3.cpu_s
        seconds = " | ".join(f"{cost.cpu_s:.2f}" for cost in (gate, show, abi3))
        yield f"| {name} | {seconds} | {theirs / gate.cpu_s:.1f} | {gate.peak_bytes / _MEBIBYTE:.0f} MiB |"


def main() -> None:
    """Print the table."""
    programs = install(Path(gettempdir()) / "wheel-factory-peers")
    print(
        "| wheel | factory audit, CPU s | auditwheel show | abi3audit | ratio | our peak |\n|---|---|---|---|---|---|"
    )
    for row in _rows(programs):
        print(row, flush=True)
    help_s = _measure([str(Path(sys.executable).with_name("factory")), "audit", "--help"]).cpu_s
    print(f"\n`factory audit --help`: {help_s:.2f} s of CPU")


if __name__ == "__main__":
    main()
