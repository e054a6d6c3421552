"""Markers and uv's names of an interpreter on a platform."""

import pytest
from packaging.markers import Marker

from factory.markers import marker_environment
from factory.resolve.target import marker_text, uv_platform
from factory.tags import Interpreter, PlatformTag

INTERPRETERS = ["cp39", "cp313", "cp314t", "pp311"]
PLATFORMS = ["manylinux_2_31_x86_64", "manylinux_2_17_aarch64", "musllinux_1_2_x86_64"]


@pytest.mark.parametrize("interpreter", INTERPRETERS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_marker_of_a_target_is_true_there_and_not_elsewhere(interpreter: str, platform: str) -> None:
    target = Interpreter.parse(interpreter), PlatformTag.parse(platform)
    here = {name: str(value) for name, value in marker_environment(target[0], target[1].arch).items()}

    assert Marker(marker_text(*target)).evaluate(here)
    assert not Marker(marker_text(*target)).evaluate({**here, "platform_machine": "s390x"})
    assert not Marker(marker_text(*target)).evaluate({**here, "sys_platform": "win32"})


@pytest.mark.parametrize(
    ("interpreter", "platform", "expected"),
    [
        pytest.param("cp313", "manylinux_2_31_x86_64", "x86_64-manylinux_2_31", id="known"),
        pytest.param("cp313", "manylinux_2_30_x86_64", "x86_64-manylinux_2_28", id="the next older"),
        pytest.param("cp313", "manylinux_2_99_aarch64", "aarch64-manylinux_2_40", id="newer than all"),
        pytest.param("cp313", "manylinux_2_12_x86_64", None, id="older than all"),
        pytest.param("cp313", "musllinux_1_1_x86_64", "x86_64-unknown-linux-musl", id="musl"),
        pytest.param("cp313", "manylinux_2_31_s390x", None, id="another architecture"),
        pytest.param("cp314t", "manylinux_2_31_x86_64", None, id="free-threaded"),
        pytest.param("pp311", "manylinux_2_31_x86_64", None, id="PyPy"),
    ],
)
def test_uv_is_asked_for_nothing_newer_than_the_platform(interpreter: str, platform: str, expected: str | None) -> None:
    assert uv_platform(Interpreter.parse(interpreter), PlatformTag.parse(platform)) == expected
