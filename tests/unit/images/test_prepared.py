"""The commands that prepare an image, and what names what they make."""

from dataclasses import replace
from typing import get_args

import pytest

from factory.catalogue import PackageManager
from factory.diagnoses.packages import NO_SOURCES
from factory.digest import Digest
from factory.guests import program
from factory.images.prepared import configuration, identity, input_digest, steps
from factory.plan.model import Preparation

BASE = Digest.of(b"base")
LIBPQ = Preparation(manager="apt", packages=("libpq-dev",), before_all=())


def names(preparation: Preparation) -> list[str]:
    return [step.name for step in steps(preparation, network={}, mirror="")]


def test_a_recipes_own_commands_come_before_its_packages() -> None:
    assert names(replace(LIBPQ, before_all=("true", "false"))) == [
        "package-sources",
        "before-all",
        "before-all",
        "packages",
        "package-list",
    ]


def test_only_apt_needs_its_sources_laid_out() -> None:
    assert names(Preparation(manager="dnf", packages=("libpq-devel",), before_all=())) == ["packages", "package-list"]
    assert names(Preparation(manager=None, packages=(), before_all=("true",))) == ["before-all", "package-list"]


@pytest.mark.parametrize("manager", get_args(PackageManager))
def test_names_reach_a_package_manager_as_arguments_and_never_as_shell(manager: PackageManager) -> None:
    preparation = replace(LIBPQ, manager=manager, packages=("one", "two"))

    (install,) = (step for step in steps(preparation, network={}, mirror="") if step.name == "packages")

    assert install.argv[-3:] == ("prepare", "one", "two")
    assert '"$@"' in install.argv[3]


def test_apt_without_sources_prints_what_the_diagnosis_looks_for() -> None:
    assert f"echo '{NO_SOURCES}'" in program("prepare/install_apt.sh")


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
    ("mirror", "is_off"), [("http://mirror.example/debian", False), ("http://mirror.example/20261101T000000Z", True)]
)
def test_only_a_snapshots_index_may_have_expired(mirror: str, *, is_off: bool) -> None:
    (file,) = configuration(mirror)

    assert (b'Check-Valid-Until "false"' in file.content) is is_off
