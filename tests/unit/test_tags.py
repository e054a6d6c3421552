"""The vocabulary of tags: one spelling each, and what a tag promises to whom."""

import pytest
from packaging.tags import Tag, compatible_tags, cpython_tags

from factory.tags import Abi3Floor, Interpreter, PlatformTag, WheelTag, claims, tag_for

MANYLINUX = PlatformTag.parse("manylinux_2_28_x86_64")


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("cp39", "cp39-cp39"),
        ("cp313", "cp313-cp313"),
        ("cp314t", "cp314-cp314t"),
        ("pp311", "pp311-pypy311_pp73"),
    ],
)
def test_a_version_specific_wheel_is_tagged_with_its_interpreter(text: str, tags: str) -> None:
    assert str(tag_for(Interpreter.parse(text), MANYLINUX)) == f"{tags}-manylinux_2_28_x86_64"


@pytest.mark.parametrize(("text", "tags"), [("cp39", "cp39-abi3"), ("cp315t", "cp315-abi3.abi3t")])
def test_a_stable_abi_wheel_is_tagged_with_its_floor(text: str, tags: str) -> None:
    assert str(tag_for(Abi3Floor.parse(text), MANYLINUX)) == f"{tags}-manylinux_2_28_x86_64"


@pytest.mark.parametrize("text", ["", "cp", "cp27", "cp3", "cp309", "cp3100", "CP39", "cp39 ", "pp311t", "cp3.9"])
def test_what_is_no_interpreter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="interpreter"):
        Interpreter.parse(text)


@pytest.mark.parametrize("text", ["", "pp311", "cp309", "abi3", "cp39-abi3"])
def test_what_is_no_floor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="floor"):
        Abi3Floor.parse(text)


@pytest.mark.parametrize(
    ("floor", "interpreter", "covered"),
    [
        ("cp39", "cp38", False),
        ("cp39", "cp39", True),
        ("cp39", "cp314", True),
        ("cp39", "cp314t", False),
        ("cp39", "pp311", False),
        ("cp315t", "cp314t", False),
        ("cp315t", "cp315t", True),
        ("cp315t", "cp315", True),
    ],
)
def test_a_floor_covers_its_version_and_newer_ones(floor: str, interpreter: str, *, covered: bool) -> None:
    assert Abi3Floor.parse(floor).covers(Interpreter.parse(interpreter)) is covered


@pytest.mark.parametrize(
    ("alias", "spelling"),
    [
        ("manylinux1_x86_64", "manylinux_2_5_x86_64"),
        ("manylinux2010_i686", "manylinux_2_12_i686"),
        ("manylinux2014_aarch64", "manylinux_2_17_aarch64"),
    ],
)
def test_a_legacy_name_is_read_as_its_perennial_one(alias: str, spelling: str) -> None:
    """PEP 600: "manylinux1_x86_64 is equivalent to manylinux_2_5_x86_64", and so on for 2010 and 2014."""
    platform = PlatformTag.parse(alias)

    assert str(platform) == spelling
    assert platform.aliases == {alias, spelling}


def test_a_policy_without_a_legacy_name_has_one_spelling() -> None:
    assert MANYLINUX.aliases == {"manylinux_2_28_x86_64"}
    assert PlatformTag.parse("musllinux_2_17_x86_64").aliases == {"musllinux_2_17_x86_64"}


@pytest.mark.parametrize(
    "text",
    [
        "manylinux2020_x86_64",
        "manylinux_2_28",
        "manylinux_2_28_amd64",
        "manylinux_02_28_x86_64",
        "linux_x86_64",
        "manylinux_2_28_x86_64 ",
        "musllinux_1_x86_64",
    ],
)
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"platform tag|architecture"):
        PlatformTag.parse(text)


@pytest.mark.parametrize("text", ["", "cp39", "cp39-abi3", "cp39-abi3-any", "a-b-c-d"])
def test_what_is_no_wheel_tag_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        WheelTag.parse(text)


def test_a_compressed_tag_stands_for_each_combination() -> None:
    """PEP 425: "tag sets are the Cartesian product of the tags in each position"."""
    tag = WheelTag.parse("cp315-abi3.abi3t-manylinux_2_28_x86_64")

    assert {str(single) for single in tag.expanded} == {
        "cp315-abi3-manylinux_2_28_x86_64",
        "cp315-abi3t-manylinux_2_28_x86_64",
    }


@pytest.mark.parametrize("name", ["cp39", "cp313", "cp313t", "cp315", "cp315t"])
def test_tags_claim_exactly_the_interpreters_whose_installers_take_them(name: str) -> None:
    interpreter = Interpreter.parse(name)
    version = (3, interpreter.minor)
    taken = set(cpython_tags(version, abis=[interpreter.abi_tag], platforms=["any"]))
    taken |= set(compatible_tags(version, interpreter=interpreter.python_tag, platforms=["any"]))

    claimed = {tag for tag in _tags() if claims([tag], interpreter)}

    assert claimed == {tag for tag in _tags() if tag in taken}


def _tags() -> set[Tag]:
    """Every tag of 3.8 to 3.16 that a wheel could carry."""
    pythons = [f"{kind}3{minor}" for kind in ("cp", "py") for minor in range(8, 17)] + ["py3", "py2", "cp27"]
    abis = ["none", "abi3", "abi3t", *(f"cp3{minor}{t}" for minor in range(8, 17) for t in ("", "t"))]
    return {Tag(python, abi, "any") for python in pythons for abi in abis}
