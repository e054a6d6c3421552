"""The commands that prepare an image, and what a package manager's failure means."""

from dataclasses import replace
from typing import get_args

import pytest

from factory.catalogue import PackageManager
from factory.digest import Digest
from factory.images.prepared import configuration, explain, identity, input_digest, steps
from factory.plan.model import Preparation

BASE = Digest.of(b"base")
LIBPQ = Preparation(manager="apt", packages=("libpq-dev",), before_all=())


def names(preparation: Preparation) -> list[str]:
    return [step.name for step in steps(preparation, network={}, mirror="")]


def test_a_recipes_own_commands_come_before_its_packages() -> None:
    assert names(replace(LIBPQ, before_all=("true", "false"))) == [
        "sources",
        "before-all",
        "before-all",
        "packages",
        "manifest",
    ]


def test_only_apt_needs_its_sources_laid_out() -> None:
    assert names(Preparation(manager="dnf", packages=("libpq-devel",), before_all=())) == ["packages", "manifest"]
    assert names(Preparation(manager=None, packages=(), before_all=("true",))) == ["before-all", "manifest"]


@pytest.mark.parametrize("manager", get_args(PackageManager))
def test_names_reach_a_package_manager_as_arguments_and_never_as_shell(manager: PackageManager) -> None:
    preparation = replace(LIBPQ, manager=manager, packages=("one", "two"))

    (install,) = (step for step in steps(preparation, network={}, mirror="") if step.name == "packages")

    assert install.argv[-3:] == ("prepare", "one", "two")
    assert '"$@"' in install.argv[3]


def test_the_network_is_in_the_environment_of_every_command_and_in_no_command() -> None:
    network = {"https_proxy": "http://user:secret@proxy.example:3128", "SSL_CERT_FILE": "/work/certificates.pem"}

    for step in steps(replace(LIBPQ, before_all=("true",)), network=network, mirror="http://mirror.example/debian"):
        assert step.env.items() >= network.items()
        assert "example" not in " ".join(step.argv)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(LIBPQ, packages=("libpq5",)), id="packages"),
        pytest.param(replace(LIBPQ, manager="dnf"), id="manager"),
        pytest.param(replace(LIBPQ, before_all=("true",)), id="commands"),
    ],
)
def test_everything_that_a_recipe_says_finds_another_image(other: Preparation) -> None:
    assert input_digest(BASE, other) != input_digest(BASE, LIBPQ) != input_digest(Digest.of(b"other"), LIBPQ)


def test_packages_of_another_version_are_another_identity() -> None:
    asked = input_digest(BASE, LIBPQ)

    assert identity(asked, b"libpq-dev=13.1\n", "") == identity(asked, b"libpq-dev=13.1\n", "")
    assert identity(asked, b"libpq-dev=13.1\n", "") != identity(asked, b"libpq-dev=13.2\n", "")
    assert identity(asked, b"libpq-dev=13.1\n", "once") != identity(asked, b"libpq-dev=13.1\n", "twice")


@pytest.mark.parametrize(
    ("output", "name"),
    [
        pytest.param("Reading package lists...\nE: Unable to locate package libpq-dve\n", "libpq-dve", id="apt"),
        pytest.param("E: Package 'python2' has no installation candidate\n", "python2", id="apt-virtual"),
        pytest.param("No match for argument: libpq-dve\nError: Unable to find a match\n", "libpq-dve", id="dnf"),
        pytest.param(
            "ERROR: unable to select packages:\n  libpq-dve (no such package):\n    required by: world[libpq-dve]\n",
            "libpq-dve",
            id="apk",
        ),
    ],
)
def test_an_unknown_package_is_named(output: str, name: str) -> None:
    said = explain(output)

    assert said is not None
    assert said.message == f"the image's distribution has no package {name}"
    assert not said.passing


@pytest.mark.parametrize(
    "output",
    [
        pytest.param(
            "W: Failed to fetch http://m/x  Could not connect to m:80\nE: Unable to locate package a\n", id="apt"
        ),
        pytest.param("Errors during downloading metadata\n  - Curl error (6): Couldn't resolve host name\n", id="dnf"),
        pytest.param("WARNING: opening https://m/main: temporary error (try again later)\n", id="apk"),
    ],
)
def test_a_mirror_that_does_not_answer_may_answer_later(output: str) -> None:
    said = explain(output)

    assert said is not None
    assert said.passing


def test_an_image_without_sources_asks_for_a_mirror() -> None:
    said = explain("this image has no package sources\n")

    assert said is not None
    assert "FACTORY_APT_MIRROR" in said.hint


def test_other_words_are_left_to_the_log() -> None:
    assert explain("E: dpkg was interrupted\n") is None


def test_an_index_that_has_expired_is_named() -> None:
    said = explain(
        "E: Release file for http://mirror.example/debian/dists/forky/InRelease is expired (invalid since 23d 9h). "
        "Updates for this repository will not be applied.\n"
    )

    assert said is not None
    assert said.message == "the package index http://mirror.example/debian/dists/forky/InRelease has expired"
    assert "FACTORY_APT_MIRROR" in said.hint


@pytest.mark.parametrize(
    ("mirror", "is_off"), [("http://mirror.example/debian", False), ("http://mirror.example/20261101T000000Z", True)]
)
def test_only_a_snapshots_index_may_have_expired(mirror: str, *, is_off: bool) -> None:
    (file,) = configuration(mirror)

    assert (b'Check-Valid-Until "false"' in file.content) is is_off
