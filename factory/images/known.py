"""Every image that the factory knows by name."""

from pathlib import Path

from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.images.on_demand import INTERPRETERS_FOLDER, all_brought
from factory.images.pulled import PulledSpec, pulled_specs, trial_specs
from factory.images.rust import RUST_FOLDER
from factory.images.rust_std import RUST_STD_FOLDER
from factory.images.spec import TEMPLATE, ImageSpec, data_folder, declared_specs

Spec = ImageSpec | PulledSpec

_BROUGHT = (RUST_FOLDER, INTERPRETERS_FOLDER, RUST_STD_FOLDER)
"""The folders of what is brought to images."""


def specs(lock: Path | None = None, folder: Path | None = None) -> tuple[Spec, ...]:
    """Read every data file; pulled families are pinned by `lock`, or by their own where that is None.

    Raises:
        ImageError: a data file is invalid, or the lock cannot be used.
    """
    images = folder or data_folder()
    return (
        *declared_specs(images),
        *(spec for family in pulled_families(images) for spec in pulled_specs(family, lock)),
        *(spec for family in pulled_families(images) for spec in trial_specs(family, lock)),
    )


def pulled_families(folder: Path | None = None) -> tuple[Path, ...]:
    """Return the folders of the families whose images come from a registry."""
    families = {path.parent for path in (folder or data_folder()).glob("*/*.toml")}
    brought_folders = {(folder or data_folder()) / name for name in _BROUGHT}
    return tuple(sorted(family for family in families - brought_folders if not (family / TEMPLATE).exists()))


def declared(lock: Path | None = None) -> tuple[ImageFacts, ...]:
    """Return what every image declares, and what can be brought to it."""
    return all_brought(spec.facts for spec in specs(lock))


def spec_named(name: str, lock: Path | None = None) -> Spec:
    """Find an image by its name, such as `trial-bullseye`.

    Raises:
        ImageError: no image has this name.
    """
    named = {spec.facts.name: spec for spec in specs(lock)}
    if name not in named:
        raise ImageError(f"no image is called {name}", hint=f"the images are {', '.join(sorted(named))}")
    return named[name]
