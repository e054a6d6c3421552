"""What installers take on an interpreter and a platform."""

import pytest
from packaging.specifiers import SpecifierSet

from factory.installable import runs, supported_tags
from factory.tags import Interpreter, PlatformTag


@pytest.mark.parametrize(
    ("interpreter", "platform", "tag", "expected"),
    [
        ("cp313", "manylinux_2_31_x86_64", "cp313-cp313-manylinux_2_31_x86_64", True),
        ("cp313", "manylinux_2_31_x86_64", "cp313-cp313-manylinux_2_32_x86_64", False),
        ("cp313", "manylinux_2_31_x86_64", "cp313-cp313-manylinux2014_x86_64", True),
        ("cp313", "manylinux_2_31_x86_64", "cp313-cp313-manylinux1_x86_64", True),
        ("cp313", "manylinux_2_31_aarch64", "cp313-cp313-manylinux_2_17_aarch64", True),
        ("cp313", "manylinux_2_31_aarch64", "cp313-cp313-manylinux_2_5_aarch64", False),
        ("cp313", "manylinux_2_31_x86_64", "cp39-abi3-manylinux_2_17_x86_64", True),
        ("cp313", "manylinux_2_31_x86_64", "cp314-abi3-manylinux_2_17_x86_64", False),
        ("cp314t", "manylinux_2_31_x86_64", "cp39-abi3-manylinux_2_17_x86_64", False),
        ("cp315t", "manylinux_2_31_x86_64", "cp315-abi3t-manylinux_2_17_x86_64", True),
        ("cp314t", "manylinux_2_31_x86_64", "cp314-cp314-manylinux_2_17_x86_64", False),
        ("pp311", "manylinux_2_31_x86_64", "pp311-pypy311_pp73-manylinux_2_17_x86_64", True),
        ("cp313", "musllinux_1_2_x86_64", "cp313-cp313-musllinux_1_1_x86_64", True),
        ("cp313", "musllinux_1_2_x86_64", "cp313-cp313-manylinux_2_17_x86_64", False),
        ("cp313", "musllinux_1_2_x86_64", "py3-none-any", True),
    ],
)
def test_a_tag_is_supported_where_its_wheels_run(interpreter: str, platform: str, tag: str, expected: bool) -> None:
    tags = {str(tag) for tag in supported_tags(Interpreter.parse(interpreter), PlatformTag.parse(platform))}

    assert (tag in tags) is expected


@pytest.mark.parametrize(
    ("requires_python", "interpreter", "expected"),
    [
        ("", "cp39", True),
        (">=3.10", "cp39", False),
        ("!=3.9.0,!=3.9.1,>=3.9", "cp39", True),
        (">=3.11.5", "cp311", True),
        ("<3.13", "cp313t", False),
    ],
)
def test_a_version_is_admitted_where_any_release_of_it_is(
    requires_python: str, interpreter: str, expected: bool
) -> None:
    assert runs(SpecifierSet(requires_python), Interpreter.parse(interpreter)) is expected
