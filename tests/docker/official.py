"""A copy of the factory whose data declare one of our images as the only official one."""

import shutil
from pathlib import Path

from factory.images.known import spec_named
from factory.images.pulled import Lock, render_lock
from factory.images.spec import ImageSpec
from factory.pins import Pin

ROOT = Path(__file__).parents[2]


def declare_official(package: Path, platform: str, pin: Pin, *, c: str) -> None:
    """Copy the factory to a folder, and declare a pin there as the image of a platform, with the look-alike's facts."""
    shutil.copytree(ROOT / "factory", package / "factory", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "images", package / "images")
    for path in (package / "images/pypa").glob("*.toml"):
        path.unlink()
    spec = spec_named(f"lookalike-{platform}")
    assert isinstance(spec, ImageSpec)
    tags = ", ".join(f'"{interpreter}"' for interpreter in spec.facts.interpreters)
    (package / f"images/pypa/{platform}.toml").write_text(
        f'role = "build"\nplatform = "{platform}"\ninterpreters = [{tags}]\nc = "{c}"\npackages = "apt"\n'
    )
    (package / "images/pypa/images.lock").write_text(render_lock(Lock(pins={platform: pin}, origin="a test")))
