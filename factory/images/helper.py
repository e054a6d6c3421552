"""The choice of the image that runs our own programs beside a recipe's containers."""

from pathlib import Path

from factory.engine.api import Engine
from factory.images.ready import is_here
from factory.images.spec import declared_specs


def helper_image(engine: Engine, folder: Path | None = None) -> str:
    """Name a trial image: one that is here, else the one with the oldest libc, which most runs need anyway.

    No recipe influences it, and it has a Python in /usr/bin. None with musl is chosen: it takes minutes to make.
    """
    trials = [
        spec for spec in declared_specs(folder) if spec.facts.role == "trial" and spec.facts.platform.libc == "glibc"
    ]
    ordered = sorted(trials, key=lambda spec: spec.facts.platform.version)
    return next((spec for spec in ordered if is_here(engine, spec)), ordered[0]).facts.name
