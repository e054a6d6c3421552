"""An image that only a recipe names: what was asked of it once is remembered by its digest."""

from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from packaging.version import Version

from factory.errors import ImageError
from factory.image_facts import ImageFacts, Release
from factory.images.named import AskImage, known, read_facts, remembered
from factory.images.on_demand import brought
from factory.images.probe import Libc, Probed
from factory.memory import Memory
from factory.pins import Pin
from factory.store import Store
from factory.tags import Interpreter, PlatformTag

HEX = "0123456789abcdef" * 4
PIN = Pin.parse(f"registry.test/image:1@sha256:{HEX}")
GLIBC_2_28 = Libc(family="glibc", major=2, minor=28)
PROBED = Probed(
    libc=GLIBC_2_28,
    builders=frozenset({Release.of("cp313", "3.13.5"), Release.of("cp39", "3.9.23")}),
    runners=frozenset({Release.of("cp36", "3.6.8")}),
    c=Version("14.2"),
    packages="dnf",
)


def test_an_answer_becomes_facts() -> None:
    facts = read_facts(PIN, "amd64", PROBED)

    assert facts == ImageFacts(
        name=PIN.reference,
        family="recipe",
        role="build",
        platform=PlatformTag.parse("manylinux_2_28_x86_64"),
        interpreters=(Interpreter(9), Interpreter(13)),
        c=Version("14.2"),
        packages="dnf",
        releases=(Release.of("cp39", "3.9.23"), Release.of("cp313", "3.13.5")),
    )


def test_an_image_with_musl_is_musllinux() -> None:
    facts = read_facts(PIN, "amd64", replace(PROBED, libc=Libc(family="musl", major=1, minor=2)))

    assert str(facts.platform) == "musllinux_1_2_x86_64"


@pytest.mark.parametrize(
    ("architecture", "probed", "reason"),
    [
        pytest.param("s390x", PROBED, "it is for s390x, and the factory's own tools", id="another machine"),
        pytest.param("amd64", replace(PROBED, libc=None), "neither glibc nor musl", id="no libc"),
        pytest.param("amd64", replace(PROBED, broken=("/opt/python/x",)), "/opt/python/x does not run", id="broken"),
        pytest.param(
            "amd64",
            replace(PROBED, builders=frozenset({Release.of("cp39", "3.9.23")})),
            "has cp39 in /opt/python",
            id="only old",
        ),
        pytest.param(
            "amd64",
            replace(PROBED, builders=frozenset({Release.of("cp314t", "3.14.0")})),
            "has cp314t in /opt/python",
            id="only free-threaded",
        ),
        pytest.param("amd64", replace(PROBED, builders=frozenset()), "no interpreter in /opt/python", id="no Python"),
    ],
)
def test_an_image_that_builds_no_wheels_is_refused(architecture: str, probed: Probed, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        read_facts(PIN, architecture, probed)

    assert str(PIN) in caught.value.message


def test_nothing_is_known_of_an_image_that_never_was_here(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, pytest.raises(ImageError, match=r"nothing is known of .* yet") as caught:
        known(PIN, Memory(store=store, cancelled=Event()))

    assert f"factory image pull {PIN}" in caught.value.hint


def test_what_was_asked_is_known_by_the_digest_under_every_name(tmp_path: Path) -> None:
    facts = read_facts(PIN, "amd64", PROBED)
    elsewhere = Pin("mirror.test/image", PIN.digest)

    with Store.open(tmp_path) as store:
        memory = Memory(store=store, cancelled=Event())
        memory.keep(AskImage(image=PIN.digest), facts)
        found = remembered(elsewhere, memory)

    assert found == brought(replace(facts, name=elsewhere.reference))
