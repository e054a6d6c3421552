"""Images of registries: what data files declare, the lock that pins them, and what pins are taken from."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from factory.errors import ImageError
from factory.images.known import declared, pulled_families, spec_named, specs
from factory.images.pinning import CIBUILDWHEEL_PINS, from_wheel, pins_of_wheel
from factory.images.pulled import LOCK, Lock, PulledSpec, pulled_specs, read_lock, render_lock
from factory.images.spec import data_folder
from factory.pins import Pin

HEX = "0123456789abcdef" * 4
PINNED = f"""
[x86_64]
manylinux_2_28 = quay.io/pypa/manylinux_2_28_x86_64@sha256:{HEX}  # 2026.10.26-1

[aarch64]
manylinux_2_28 = quay.io/pypa/manylinux_2_28_aarch64@sha256:{HEX[::-1]}
"""
(FAMILY,) = pulled_families()


@pytest.fixture
def family(tmp_path: Path) -> Path:
    """A copy of the family's data that a test may change."""
    return Path(shutil.copytree(FAMILY, tmp_path / "pypa"))


def make_wheel(path: Path, name: str, text: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, text)
    return path


def test_the_family_is_pypas_for_two_architectures_and_pinned_by_digest() -> None:
    found = {spec.facts.name: spec for spec in specs() if isinstance(spec, PulledSpec)}

    policies = ("manylinux2014", "manylinux_2_28", "manylinux_2_34", "musllinux_1_2")
    assert set(found) == {f"pypa-{policy}_{arch}" for policy in policies for arch in ("x86_64", "aarch64")}
    for name, spec in found.items():
        assert spec.pin.name == f"quay.io/pypa/{name.removeprefix('pypa-')}"
        assert str(spec.facts.platform) in name.replace("2014", "_2_17")


def test_an_image_is_declared_whichever_way_it_comes() -> None:
    assert {facts.family for facts in declared()} == {"lookalike", "trial", "musl", "program", "pypa"}


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    lock = Lock(pins={"b": Pin.parse(f"x.y/b:1@sha256:{HEX}"), "a": Pin.parse(f"a@sha256:{HEX}")}, origin="a test")

    path.write_text(render_lock(lock))

    assert read_lock(path) == lock
    assert path.read_text().index('"a" =') < path.read_text().index('"b" =')


def test_the_lock_in_the_checkout_is_as_the_command_writes_it() -> None:
    path = data_folder() / "pypa" / LOCK

    assert path.read_text(encoding="utf-8") == render_lock(read_lock(path))


def test_another_lock_pins_the_same_images_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "mine.lock"
    path.write_text((FAMILY / LOCK).read_text(encoding="utf-8").replace("quay.io/", "registry.test:5000/"))

    spec = spec_named("pypa-manylinux_2_28_x86_64", path)

    assert isinstance(spec, PulledSpec)
    assert spec.pin.name == "registry.test:5000/pypa/manylinux_2_28_x86_64"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('origin = "x"\n[images]\n', "does not pin manylinux", id="nothing pinned"),
        pytest.param('origin = "x"\n[images]\na = "b:latest"\n', "'b:latest'", id="a tag"),
        pytest.param('origin = "x"\n', "images is missing; it must be a table", id="no images"),
        pytest.param("origin", "is not valid TOML", id="no TOML"),
    ],
)
def test_a_file_that_is_not_a_lock_is_named(family: Path, text: str, message: str) -> None:
    (family / LOCK).write_text(text)

    with pytest.raises(ImageError, match=message) as caught:
        pulled_specs(family)

    assert str(family / LOCK) in caught.value.message
    assert "factory image pin" in caught.value.hint


def test_a_name_that_no_image_of_the_family_has_is_not_passed_over(family: Path) -> None:
    path = family / LOCK
    pin = f'"x.y/b@sha256:{HEX}"'
    path.write_text(path.read_text().replace("[images]\n", f"[images]\nmanylinux_2_28-x86_64 = {pin}\nother = {pin}\n"))

    with pytest.raises(ImageError) as caught:
        pulled_specs(family)

    assert caught.value.message == (
        f"{path} pins manylinux_2_28-x86_64, other: no image of the family pypa has such a name"
    )
    assert "`factory image pin --from-cibuildwheel -o FILE`" in caught.value.hint


TRIAL = f"""
[trials."python:3.12-slim"]
pin = "python:3.12-slim@sha256:{HEX}"
platform = "manylinux_2_36_x86_64"
interpreters = ["cp312"]
"""


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        pytest.param('"python:3.12-slim"]', '"trial-trixie"]', "'trial-trixie' is not the name and tag", id="our name"),
        pytest.param('"python:3.12-slim"]', '"a\\u001b[31m"]', "is not the name and tag of an image", id="no name"),
        pytest.param('["cp312"]', "[]", "must name at least one, and none twice", id="no interpreter"),
        pytest.param('["cp312"]', '["cp312", "cp312"]', "at least one, and none twice", id="an interpreter twice"),
        pytest.param('["cp312"]', '["cp312"]\nrole = "build"', "has role: another version", id="unknown key"),
    ],
)
def test_a_plain_image_that_was_edited_by_hand_is_read_strictly(
    tmp_path: Path, line: str, instead: str, message: str
) -> None:
    path = tmp_path / LOCK
    text = f'origin = "x"\n[images]\n{TRIAL}'
    path.write_text(text)
    assert len(read_lock(path).trials) == 1
    path.write_text(text.replace(line, instead))

    with pytest.raises(ImageError, match=message) as caught:
        read_lock(path)

    assert str(path) in caught.value.message
    assert "--from-cibuildwheel" in caught.value.hint


def test_a_lock_that_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * (1 << 21))

    for path, message in (("/dev/zero", "a device"), (tmp_path / "pipe", "a pipe"), (tmp_path / "large", "1048576")):
        with pytest.raises(ImageError, match=message):
            read_lock(Path(path))


def test_a_lock_keeps_an_origin_with_quotes(tmp_path: Path) -> None:
    path = tmp_path / LOCK
    lock = Lock(pins={}, origin='my "mirror" \\ Köln')

    path.write_text(render_lock(lock), encoding="utf-8")

    assert read_lock(path) == lock


def test_a_lock_that_is_not_there_is_named(family: Path) -> None:
    with pytest.raises(ImageError, match=r"absent\.lock cannot be read: No such file"):
        pulled_specs(family, family / "absent.lock")


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        pytest.param('role = "build"', 'role = "trial"', id="a trial image"),
        pytest.param('packages = "dnf"', 'packages = "pacman"', id="unknown packages"),
        pytest.param('packages = "dnf"', "", id="no packages"),
        pytest.param('"cp39"', '"py39"', id="no interpreter"),
        pytest.param('role = "build"', 'role = "build"\nsuite = "bullseye"', id="unknown key"),
    ],
)
def test_a_data_file_that_declares_no_image_is_named(family: Path, line: str, instead: str) -> None:
    path = family / "manylinux_2_28_x86_64.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(line, instead))

    with pytest.raises(ImageError, match=r"manylinux_2_28_x86_64\.toml: ") as caught:
        pulled_specs(family)

    assert str(path) in caught.value.message


def test_pins_are_taken_from_what_cibuildwheel_carries(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "cibuildwheel-4.whl", CIBUILDWHEEL_PINS, PINNED)

    lock = from_wheel(["manylinux_2_28_x86_64"], pins_of_wheel(wheel), version="4.3")

    pin = Pin.parse(f"quay.io/pypa/manylinux_2_28_x86_64:2026.10.26-1@sha256:{HEX}")
    assert lock == Lock(pins={"manylinux_2_28_x86_64": pin}, origin="cibuildwheel 4.3")


def test_an_image_that_cibuildwheel_no_longer_pins_is_named(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "cibuildwheel-4.whl", CIBUILDWHEEL_PINS, PINNED)

    with pytest.raises(ImageError, match=r"cibuildwheel 5\.0 pins no manylinux2014_x86_64"):
        from_wheel(["manylinux2014_x86_64"], pins_of_wheel(wheel), version="5.0")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("cibuildwheel/pins.cfg", PINNED, id="elsewhere"),
        pytest.param(CIBUILDWHEEL_PINS, "manylinux_2_28 = x", id="no section"),
        pytest.param(CIBUILDWHEEL_PINS, "[x86_64]\nmanylinux_2_28 = quay.io/x:latest", id="a tag"),
    ],
)
def test_a_wheel_without_readable_pins_is_named(tmp_path: Path, name: str, text: str) -> None:
    wheel = make_wheel(tmp_path / "cibuildwheel-9.whl", name, text)

    with pytest.raises(ImageError, match=r"cibuildwheel-9\.whl holds no"):
        pins_of_wheel(wheel)
