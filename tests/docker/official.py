"""Copies of the factory with other data, such as one of our images as the only official one."""

import shutil
from pathlib import Path

from factory.images.known import spec_named
from factory.images.pulled import Lock, render_lock
from factory.images.spec import ImageSpec
from factory.pins import Pin

ROOT = Path(__file__).parents[2]


def copy_factory(package: Path) -> None:
    """Copy the factory to a folder that PYTHONPATH can name, with its data, which a test may change."""
    shutil.copytree(ROOT / "factory", package / "factory", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "images", package / "images")


def declare_official(package: Path, platform: str, pin: Pin, *, c: str, name: str = "") -> None:
    """Copy the factory to a folder, and declare a pin there as the image of a platform, with the look-alike's facts.

    `name` is the image's, without its family; the platform's where it is empty.
    """
    copy_factory(package)
    for path in (package / "images/pypa").glob("*.toml"):
        path.unlink()
    spec = spec_named(f"lookalike-{platform}")
    assert isinstance(spec, ImageSpec)
    tags = ", ".join(f'"{interpreter}"' for interpreter in spec.facts.interpreters)
    (package / f"images/pypa/{name or platform}.toml").write_text(
        f'role = "build"\nplatform = "{platform}"\ninterpreters = [{tags}]\nc = "{c}"\npackages = "apt"\n'
    )
    (package / "images/pypa/images.lock").write_text(render_lock(Lock(pins={name or platform: pin}, origin="a test")))
