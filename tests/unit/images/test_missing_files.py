"""What apt says of files that a mirror lists and does not have, and what is asked for in their place."""

import importlib.util
from collections.abc import Iterator
from types import ModuleType

import pytest

from factory.images.spec import data_folder

SAID = """\
Get:1 mirror.example/debian forky/main amd64 libc6 amd64 2.43-2 [2,800 kB]
E: Failed to fetch mirror.example/debian/pool/main/p/python3.14/python3.14-minimal_3.14.0-5_amd64.deb  404  Not Found [IP: 192.0.2.1 80]
E: Failed to fetch mirror.example/debian/pool/main/g/gcc-16/libgcc-s1_16-20260901-1_amd64.deb  Connection timed out [IP: 192.0.2.1 80]
E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?
"""  # noqa: E501 -- apt's own lines


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    """The script, which is no module of the package."""
    place = importlib.util.spec_from_file_location("bootstrap_script", data_folder() / "scripts/bootstrap.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(data_folder() / "scripts")
        place.loader.exec_module(module)
        yield module


def test_only_what_answers_404_counts_as_missing(script: ModuleType) -> None:
    missing = script.missing_in(SAID)

    assert [(each.source, each.package, each.version) for each in missing] == [
        ("python3.14", "python3.14-minimal", "3.14.0-5")
    ]


def test_all_packages_of_the_missing_files_source_are_ruled_out_in_that_version_with_any_epoch(
    script: ModuleType,
) -> None:
    text = script.preferences(script.missing_in(SAID), ["sid"])

    assert text.split("\n\n") == [
        "Package: *\nPin: release n=sid\nPin-Priority: 100",
        "Package: src:python3.14\nPin: version 3.14.0-5\nPin-Priority: -1",
        "Package: src:python3.14\nPin: version ?*:3.14.0-5\nPin-Priority: -1\n",
    ]
