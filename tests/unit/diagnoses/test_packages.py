"""What a package manager's failure means."""

import pytest

from factory.diagnoses.packages import explain_packages


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
    diagnosis = explain_packages(output)

    assert diagnosis is not None
    assert diagnosis.sentence == f"the image's distribution has no package {name}"
    assert diagnosis.kind == "unknown"


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
    diagnosis = explain_packages(output)

    assert diagnosis is not None
    assert diagnosis.kind == "mirror"


def test_an_image_without_sources_asks_for_a_mirror() -> None:
    diagnosis = explain_packages("this image has no package sources\n")

    assert diagnosis is not None
    assert "FACTORY_APT_MIRROR" in diagnosis.hint


def test_other_words_are_left_to_the_log() -> None:
    assert explain_packages("E: dpkg was interrupted\n") is None


def test_an_index_that_has_expired_is_named() -> None:
    diagnosis = explain_packages(
        "E: Release file for http://mirror.example/debian/dists/forky/InRelease is expired (invalid since 23d 9h). "
        "Updates for this repository will not be applied.\n"
    )

    assert diagnosis is not None
    assert diagnosis.sentence == "the package index http://mirror.example/debian/dists/forky/InRelease has expired"
    assert "FACTORY_APT_MIRROR" in diagnosis.hint
