"""An image's assembly script and the digest by which the image is found again."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jinja2
import pytest

from factory.host import read_host
from factory.images.assembly import input_digest, script
from factory.images.bootstrap import identity
from factory.images.shell import script_env
from factory.images.spec import TEMPLATE, ImageSpec, data_folder, declared_specs, read_spec

BUILD = "lookalike/manylinux_2_31_x86_64.toml"
TRIAL = "trial/trixie.toml"

Edit = Callable[[Path], None]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A copy of the images' data that a test may change."""
    return Path(shutil.copytree(data_folder(), tmp_path / "images"))


@pytest.mark.parametrize("spec", declared_specs(), ids=lambda spec: spec.facts.name)
def test_every_declared_image_has_a_script(spec: ImageSpec) -> None:
    text = script(spec)

    assert text.startswith("#!/bin/sh\n")
    assert spec.suite in text
    assert "://" not in text


@pytest.mark.parametrize("spec", declared_specs(), ids=lambda spec: spec.facts.name)
def test_every_script_leaves_the_freshness_of_indexes_to_the_mirror(spec: ImageSpec) -> None:
    rust = (spec.family_folder.parent / "rust/assemble.sh").read_text()

    for text in (script(spec), rust):
        assert "Check-Valid-Until" not in text
        assert '--aptopt="$FRESHNESS"' in text


@pytest.mark.parametrize(
    ("mirror", "option"),
    [
        ("http://mirror.example/debian", 'Acquire::Check-Valid-Until "true"'),
        ("http://mirror.example/debian/20261101T000000Z", 'Acquire::Check-Valid-Until "false"'),
    ],
)
def test_only_a_snapshot_may_have_expired_indexes(mirror: str, option: str) -> None:
    env = script_env(replace(read_host({}), apt_mirror=mirror))

    assert (env["MIRROR"], env["FRESHNESS"]) == (mirror, option)


def test_the_next_base_is_a_setting(images: Path) -> None:
    """bookworm is manylinux_2_36 exactly: its look-alike is this one with two words changed."""
    path = replaced(images / BUILD, ("bullseye", "bookworm"), ("2_31", "2_36"))

    text = script(read_spec(path))

    assert "bootstrap bookworm base.tar --variant=apt" in text
    assert "--glibc=2.36" in text
    assert "bullseye" not in text


def test_an_older_interpreter_may_come_from_an_older_suite_than_the_base(images: Path) -> None:
    path = replaced(images / BUILD, ('suite = "bullseye"', 'suite = "bookworm"'), ("2_31", "2_36"))

    text = script(read_spec(path))

    assert "donate bullseye python3.9,python3-distutils,libpython3.9-dev" in text


def test_a_template_that_asks_for_the_undeclared_fails(images: Path) -> None:
    (images / "trial" / TEMPLATE).write_text("{{ colour }}")

    with pytest.raises(jinja2.UndefinedError, match="colour"):
        script(read_spec(images / TRIAL))


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda images: replaced(images / BUILD, ('"curl"', '"wget"')), id="a package"),
        pytest.param(lambda images: replaced(images / BUILD, ("C.UTF-8", "C")), id="the environment"),
        pytest.param(lambda images: replaced(images / BUILD, ('cp314 = "forky"', 'cp314 = "sid"')), id="a suite"),
        pytest.param(lambda images: replaced(images / "lookalike/tools.lock", ("sha256:0", "sha256:1")), id="a pin"),
        pytest.param(lambda images: replaced(images / "scripts/relocate.py", ("-O3", "-O2")), id="a helper"),
        pytest.param(
            lambda images: replaced(images / "lookalike" / TEMPLATE, ("umask 022", "umask 002")), id="template"
        ),
    ],
)
def test_whatever_changes_an_image_changes_its_input_digest(images: Path, edit: Edit) -> None:
    before = input_digest(read_spec(images / BUILD))

    edit(images)

    assert input_digest(read_spec(images / BUILD)) != before


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda images: replaced(images / "lookalike/contract.toml", ("promise", "vow")), id="contract"),
        pytest.param(lambda images: (images / "README.md").write_text("other words"), id="documentation"),
        pytest.param(lambda images: replaced(images / TRIAL, ("dash", "bash")), id="another image"),
    ],
)
def test_what_changes_no_image_changes_no_input_digest(images: Path, edit: Edit) -> None:
    before = input_digest(read_spec(images / BUILD))

    edit(images)

    assert input_digest(read_spec(images / BUILD)) == before


def test_the_identity_follows_the_packages_that_were_taken() -> None:
    asked = input_digest(read_spec(data_folder() / TRIAL))

    assert identity(asked, b"aa  libc6_2.41-12_amd64.deb\n") == identity(asked, b"aa  libc6_2.41-12_amd64.deb\n")
    assert identity(asked, b"aa  libc6_2.41-12_amd64.deb\n") != identity(asked, b"bb  libc6_2.41-13_amd64.deb\n")


def replaced(path: Path, *changes: tuple[str, str]) -> Path:
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path
