"""Cross compiling beside the same compiler under QEMU: one extension module in C for aarch64, ratios of wall time.

    .venv/bin/python -m bench.cross recipes/markupsafe.yaml src/markupsafe/_speedups.c --rounds 3

Both sides are Debian's gcc of one version and suite, with the same headers, options and sysroot; they differ in the
machine that the compiler itself is for. Every program of each is started by a script: by QEMU, or by its own loader.
Needs mmdebstrap and qemu-aarch64-static.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console
from rich.table import Table

from bench.subject import take
from factory.host import read_host

_SUITE, _PYTHON, _TRIPLE = "trixie", "python3.13", "aarch64-linux-gnu"
_TARGET = ("base-files", "gcc", "libc6-dev", f"lib{_PYTHON}-dev")
_CROSS = (f"gcc-{_TRIPLE}",)
_OPTIONS = ("-O3", "-g0", "-fPIC", "-shared", "-DNDEBUG")


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    given = _options().parse_args(arguments)
    qemu = shutil.which("qemu-aarch64-static")
    if qemu is None:
        sys.exit("qemu-aarch64-static is not on PATH: apt-get install qemu-user-static")
    with TemporaryDirectory(prefix="cross-") as name:
        work = Path(name)
        source = take(given.recipe, (), read_host(), work).source / given.file
        target, cross = _unpacked(work / "target", "arm64", _TARGET), _unpacked(work / "cross", "amd64", _CROSS)
        libraries = cross / "usr/lib/x86_64-linux-gnu"
        _wrap(target, f"{qemu} -L {target}", '-0 "$0"')
        _wrap(cross, f"{libraries / 'ld-linux-x86-64.so.2'} --library-path {libraries}", '--argv0 "$0"')
        sides = {
            "cross": cross / f"usr/bin/{_TRIPLE}-gcc",
            "under QEMU": target / f"usr/bin/{_TRIPLE}-gcc",
        }
        seconds: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(given.rounds):
            for side, compiler in sides.items():
                seconds[side].append(_compile(compiler, target, source, work / f"{side}.so".replace(" ", "-")))
    _print(seconds, given)
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recipe", type=Path, help="a recipe of an sdist")
    parser.add_argument("file", help="the C file in the sdist")
    parser.add_argument("--rounds", type=int, default=3)
    return parser


def _unpacked(tree: Path, architecture: str, packages: Sequence[str]) -> Path:
    """Unpack packages of the suite for an architecture; nothing of them runs."""
    options = [f"--architectures={architecture}", "--variant=extract", f"--include={','.join(packages)}"]
    packed = tree.with_suffix(".tar")
    subprocess.run(["mmdebstrap", "--quiet", "--format=tar", *options, _SUITE, packed], check=True)
    with tarfile.open(packed) as files:
        files.extractall(tree, members=(file for file in files if not file.isdev()), filter="fully_trusted")
    return tree


def _wrap(tree: Path, under: str, own_name: str) -> None:
    """Put a script in the place of every program of a tree, which starts it by `under` with its own name."""
    folders = [tree / "usr/bin", *(tree / "usr/lib").glob("gcc*/*/*"), *(tree / "usr/libexec").glob("gcc*/*/*")]
    for path in [path for folder in folders if folder.is_dir() for path in folder.iterdir()]:
        if path.is_file() and not path.is_symlink() and path.suffix not in (".so", ".o") and _is_program(path):
            hidden = path.with_name(f".{path.name}")
            path.rename(hidden)
            path.write_text(f'#!/bin/sh\nexec {under} {own_name} {hidden} "$@"\n', encoding="utf-8")
            path.chmod(0o755)


def _is_program(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF" and path.stat().st_mode & 0o100 != 0


def _compile(compiler: Path, sysroot: Path, source: Path, module: Path) -> float:
    headers = [f"-I{sysroot / 'usr/include' / _PYTHON}", f"-I{sysroot / 'usr/include'}"]
    env = {"PATH": f"{compiler.parent}:/usr/bin:/bin"}
    began = perf_counter()
    subprocess.run([compiler, f"--sysroot={sysroot}", *_OPTIONS, *headers, "-o", module, source], check=True, env=env)
    return perf_counter() - began


def _print(seconds: dict[str, list[float]], given: argparse.Namespace) -> None:
    table = Table(title=f"{given.file} for aarch64, {given.rounds} rounds", title_justify="left")
    for column in ("side", "median s", "times cross"):
        table.add_column(column, justify="left" if column == "side" else "right")
    for side, walls in seconds.items():
        ratio = median(mine / cross for mine, cross in zip(walls, seconds["cross"], strict=True))
        table.add_row(side, f"{median(walls):.2f}", f"{ratio:.1f}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
