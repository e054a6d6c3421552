"""The code that reads sources and wheels enters the keys of what was read: none of it is left out."""

from collections.abc import Collection

import grimp
import pytest

from factory.stages import contents, manifests, tree

WRITES_NOTHING_DOWN = {
    "backends": "commands",
    "clock": "no time enters what is read",
    "codec": "writes keys",
    "confined": "limits, and the processes that read",
    "digest": "SHA-256",
    "engine": "the form of files for containers",
    "errors": "ends what reads",
    "failure": "ends what reads",
    "folders": "where something is written",
    "form": "how recipes are written",
    "guests": "programs for containers",
    "host": "where programs of this machine are",
    "keys": "writes keys",
    "origins": "URLs without credentials",
    "pins": "images that recipes name",
    "process": "starts git",
    "recipe": "the fields that enter the key",
    "regular": "opens files of a recipe",
    "steps": "paths in containers",
    "system": "what Linux has",
}
"""What the readers import that decides nothing of what they read, or nothing of an archive or a wheel."""


@pytest.mark.parametrize(
    ("packages", "rooms"),
    [
        pytest.param(("factory.source.unpack", "factory.source.leftovers", "factory.project"), tree.ROOMS, id="source"),
        pytest.param(("factory.resolve.cargo",), manifests.ROOMS, id="manifests"),
        pytest.param(
            ("factory.trials.subjects", "factory.trials.witness", "factory.wheel"), contents.ROOMS, id="wheel"
        ),
    ],
)
def test_every_room_of_a_reader_is_named(packages: Collection[str], rooms: Collection[str]) -> None:
    imports = grimp.build_graph("factory", cache_dir=None)
    modules = {*packages}
    for package in packages:
        modules |= imports.find_upstream_modules(package, as_package=package.count(".") == 1)

    assert {module.split(".")[1] for module in modules if "." in module} - WRITES_NOTHING_DOWN.keys() <= {*rooms}
