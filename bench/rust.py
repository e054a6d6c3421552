"""The Rust project's own Rust beside Debian's: one crate, ratios of CPU and of wall time.

    make bench-rust   or: .venv/bin/python -m bench.rust nh3==0.3.7 --rounds 3

Both compile in the same image. The former is this machine's own Rust, packed as its project's server has it and served
on loopback; the latter is the bundle that is brought where no server is named. CPU seconds are those of every rustc
with what it starts, as a wrapper around it counts them; wall seconds are those of the build step. Sides take turns.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import yaml
from rich.console import Console
from rich.table import Table

from bench.compiling import WRAPPER, WRITE, cpu_s
from factory.images.rust import rust_spec
from tests.makers.rust_dist import Distribution, add_real, serve_rust, sysroot

_PLATFORM = "manylinux_2_31_x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one build took."""

    cpu_s: float
    wall_s: float


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    given = _options().parse_args(arguments)
    root = sysroot()
    if root is None:
        sys.exit("this machine has no Rust that was installed from the Rust project's components")
    with TemporaryDirectory(prefix="rust-") as name:
        work, distribution = Path(name), Distribution()
        version = add_real(distribution, root, work)
        debian = f"=={rust_spec().version}.*"
        costs: dict[str, list[Cost]] = {f"the Rust project's {version}": [], f"Debian's {rust_spec().version}": []}
        with serve_rust(distribution):
            for _ in range(given.rounds):
                for side, asked in zip(costs, (version, debian), strict=True):
                    costs[side].append(_built(given.release, asked, distribution.url, work))
    _print(given.release, costs)
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("release", nargs="?", default="nh3==0.3.7", help="an sdist of a crate that maturin builds")
    parser.add_argument("--rounds", type=int, default=3)
    return parser


def _built(release: str, asked: str, url: str, work: Path) -> Cost:
    """Build one wheel for CPython 3.13 with a Rust that the recipe asks for."""
    recipe = {
        "factory": 1,
        "name": release.partition("=")[0],
        "source": {"sdist": release},
        "interpreters": ["cp313"],
        "platforms": [_PLATFORM],
        "build": {
            "toolchain": {"rust": asked},
            "before": WRITE,
            "env": {"RUSTC_WRAPPER": WRAPPER},
        },
    }
    (work / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    program = Path(sys.executable).with_name("factory")
    options = ("--no-cache", "-o", "dist", "--json", "run.json")
    subprocess.run(
        [program, "build", "recipe.yaml", *options],
        cwd=work,
        env={**os.environ, "RUSTUP_DIST_SERVER": url},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    run = json.loads((work / "run.json").read_text(encoding="utf-8"))["run"]
    (record,) = run["records"]
    address = f"{record['cell']['recipe']}/{record['cell']['tag']}"
    return Cost(cpu_s=cpu_s(work / run["folder"], address), wall_s=record["seconds"]["build"])


def _print(release: str, costs: dict[str, list[Cost]]) -> None:
    table = Table("side", "CPU s", "wall s", "CPU ratio", "wall ratio", box=None)
    (first, *_) = costs.values()
    for side, taken in costs.items():
        cpu = median(mine.cpu_s / own.cpu_s for mine, own in zip(taken, first, strict=True))
        wall = median(mine.wall_s / own.wall_s for mine, own in zip(taken, first, strict=True))
        figures = (median(cost.cpu_s for cost in taken), median(cost.wall_s for cost in taken))
        table.add_row(side, *(f"{figure:.1f}" for figure in figures), f"{cpu:.2f}", f"{wall:.2f}")
    console = Console(width=120, highlight=False)
    console.print(f"{release} for cp313; {len(first)} rounds; {os.cpu_count()} cores")
    console.print(table)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
