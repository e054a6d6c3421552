"""How long it takes to plan many cells, without reading a source: what `factory plan` computes of recipes it has read.

    make bench-idle         or: .venv/bin/python -m bench.planning

Prints CPU seconds beside the target; the least of some rounds, because other work only adds to them.
"""

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import process_time

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.image_facts import ImageFacts
from factory.images.known import declared
from factory.plan.planner import plan
from factory.project.model import BuildSystem, Project
from factory.recipe.model import PathSource, Recipe, Wanted
from factory.tags import Interpreter, platform_of

CELLS = 10_000
TARGET_S = 1.0
ROUNDS = 5
TODAY = date(2026, 11, 22)
_INTERPRETERS = ("cp39", "cp310", "cp311", "cp312", "cp313", "cp313t", "cp314", "cp314t", "cp315", "cp315t")
_PLATFORMS = ("manylinux_2_31_x86_64", "manylinux_2_36_x86_64")


def recipe(number: int) -> Recipe:
    """Make a recipe of twenty wheels."""
    return Recipe(
        name=canonicalize_name(f"bench{number}"),
        file=Path(f"bench{number}.yaml"),
        source=PathSource(path=Path()),
        interpreters=tuple(Wanted(interpreter=Interpreter.parse(name), origin="name") for name in _INTERPRETERS),
        platforms=tuple(platform_of(name) for name in _PLATFORMS),
    )


def project(number: int) -> Project:
    """Make the project of a recipe: a C extension of setuptools."""
    return Project(
        name=canonicalize_name(f"bench{number}"),
        version=Version("1.0"),
        requires_python=SpecifierSet(">=3.9"),
        build_system=BuildSystem(requires=(), build_backend="setuptools.build_meta"),
        backend="setuptools",
    )


def planned_s(images: tuple[ImageFacts, ...]) -> float:
    """Plan all cells once; the CPU seconds."""
    each = len(_INTERPRETERS) * len(_PLATFORMS)
    pairs = [(recipe(number), project(number)) for number in range(CELLS // each)]
    began_s = process_time()
    cells = sum(len(plan(*pair, images, families=("lookalike",), today=TODAY).cells) for pair in pairs)
    took_s = process_time() - began_s
    if cells != CELLS:
        raise SystemExit(f"{cells} cells were planned, not {CELLS}")
    return took_s


def main() -> int:
    """Print the figure and the target; 1 where it is missed."""
    images = tuple(replace(image) for image in declared())
    least_s = min(planned_s(images) for _ in range(ROUNDS))
    print(f"planning {CELLS} cells: {least_s:.2f} s of CPU, target {TARGET_S:.2f} s")
    return int(least_s > TARGET_S)


if __name__ == "__main__":
    sys.exit(main())
