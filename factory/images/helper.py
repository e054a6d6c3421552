"""The choice of the image that runs our own programs beside a recipe's containers."""

from collections.abc import Iterator
from pathlib import Path

from factory.engine.api import Engine
from factory.images.known import Spec, specs
from factory.images.ready import is_here
from factory.images.spec import ImageSpec
from factory.machines import USUAL_MACHINE


def helper_image(
    engine: Engine, machine: str = USUAL_MACHINE, lock: Path | None = None, folder: Path | None = None
) -> str:
    """Name a trial image that is here, else another image that is; else the trial image with the oldest libc.

    Most runs need that anyway. All are for the engine's own `machine`. No recipe influences any of them, and all have a
    Python. None with musl is chosen: to make it takes minutes. `lock` pins those that are pulled.
    """
    ordered = sorted(_able(machine, lock, folder), key=_preference)
    return next((spec for spec in ordered if is_here(engine, spec)), ordered[0]).facts.name


def _able(machine: str, lock: Path | None, folder: Path | None) -> Iterator[Spec]:
    for spec in specs(lock, folder):
        if (spec.facts.platform.libc, spec.facts.platform.arch) == ("glibc", machine):
            yield spec


def _preference(spec: Spec) -> tuple[bool, bool, tuple[int, int]]:
    """Trial images first, of those the ones made here, and of those the one with the oldest libc."""
    is_made = isinstance(spec, ImageSpec)
    return spec.facts.role != "trial", not is_made, spec.facts.platform.version
