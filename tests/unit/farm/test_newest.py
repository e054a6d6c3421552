"""A build that names a package of its environment is told its version, and the line that takes an older one."""

import pytest

from factory.failure import Failure
from factory.farm.newest import with_older
from tests.doubles.engine import Answer
from tests.doubles.looking import failure_of, only
from tests.doubles.projects import PLAIN, instead
from tests.doubles.run import World
from tests.makers.runs import make_artifact

FILES = tuple(
    make_artifact(b"", f"{stem}-py3-none-any.whl")
    for stem in ("cffi-2.1.0", "hatchling-1.30.1", "scikit_build_core-0.11.5", "wheel-0.46.0")
)


def failure(message: str, *last_lines: str) -> Failure:
    return Failure(step="build", message=message, hint="read the log", last_lines=last_lines)


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        pytest.param(
            "RuntimeError: Expected exactly one LICENSE file in cffi distribution, got 0",
            "the build had cffi 2.1.0; if the project wants an older one: "
            'build: {constraints: ["cffi<2"]}; read the log',
            id="the major version before",
        ),
        pytest.param(
            "TypeError: hatchling.metadata has no __call__",
            "the build had hatchling 1.30.1; if the project wants an older one: "
            'build: {constraints: ["hatchling<1.30.1"]}; read the log',
            id="a first major version",
        ),
        pytest.param(
            "AttributeError: module 'scikit_build_core' and Cffi do not fit",
            "the build had cffi 2.1.0 and scikit-build-core 0.11.5; if the project wants an older one: "
            'build: {constraints: ["cffi<2", "scikit-build-core<0.11.5"]}; read the log',
            id="two, as an import spells one",
        ),
    ],
)
def test_a_package_that_a_failure_names_comes_with_the_line_for_an_older_one(message: str, hint: str) -> None:
    assert with_older(failure(message, "…"), FILES).hint == hint


@pytest.mark.parametrize(
    "message",
    [
        "error: cannot build the wheel",
        "FileNotFoundError: /work/env/lib/python3.13/site-packages/cffi/x.h",
        "no such option: --cffi-x",
        "cffi: the system library was not found",
    ],
)
def test_a_common_word_a_path_a_longer_word_or_a_speaker_names_no_package(message: str) -> None:
    assert with_older(failure(message, "…"), FILES).hint == "read the log"


def test_a_failure_whose_cause_is_known_stays_as_it_is() -> None:
    known = failure("cffi is missing")

    assert with_older(known, FILES) == known


def test_a_failed_build_is_told_of_the_wheels_that_it_had(world: World) -> None:
    world.engine.commands = instead("build", Answer(code=1, output="RuntimeError: setuptools went other ways\n"))

    hint = failure_of(only(world.run(PLAIN))).hint

    assert "the build had setuptools " in hint
    assert 'build: {constraints: ["setuptools<' in hint
