"""The vocabulary of tags: one spelling each, and what a tag promises to whom."""

import pytest
from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag

from factory.tags import (
    Abi3Floor,
    AnyPython,
    BuiltFor,
    Interpreter,
    PlatformTag,
    WheelTag,
    built_for,
    claims,
    tag_for,
)

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


BUILT = [
    *(Interpreter.parse(text) for text in ("cp39", "cp313", "cp313t", "pp311")),
    *(Abi3Floor.parse(text) for text in ("cp39", "cp315t")),
    *(AnyPython(text) for text in ("py3", "py2.py3", "py310")),
]


@pytest.mark.parametrize("built", BUILT, ids=str)
def test_what_a_wheel_was_built_for_is_read_from_its_tags(built: BuiltFor) -> None:
    assert built_for(tag_for(built, MANYLINUX).expanded) == built


@pytest.mark.parametrize("text", ["cp313-none", "py3-abi3", "cp311.cp312-abi3", "cp313-cp312", "pp311-pypy310_pp73"])
def test_other_tags_are_for_nothing_that_is_built_here(text: str) -> None:
    assert built_for(parse_tag(f"{text}-manylinux_2_28_x86_64")) is None


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("py3-none", "cp39 cp313 cp313t pp311"),
        ("py2.py3-none", "cp39 cp313 cp313t pp311"),
        ("py311-none", "cp313 cp313t pp311"),
    ],
)
def test_a_wheel_without_an_abi_runs_on_every_python_from_its_version_on(text: str, covered: str) -> None:
    """PEP 425: `py3` is "generic Python", and installers take `py311` from 3.11 on."""
    tag = AnyPython.named(text)

    assert tag is not None
    listed = [Interpreter.parse(name) for name in ("cp39", "cp313", "cp313t", "pp311")]
    assert " ".join(str(interpreter) for interpreter in listed if tag.covers(interpreter)) == covered


@pytest.mark.parametrize("text", ["py3", "py4-none", "py3-abi3", "cp39-none", "py30-none", "py3-none-any", "py2-none"])
def test_no_other_text_is_a_tag_without_an_abi(text: str) -> None:
    assert AnyPython.named(text) is None


def _tags() -> set[Tag]:
    """Every tag of 3.8 to 3.16 that a wheel could carry."""
    pythons = [f"{kind}3{minor}" for kind in ("cp", "py") for minor in range(8, 17)] + ["py3", "py2", "cp27"]
    abis = ["none", "abi3", "abi3t", *(f"cp3{minor}{t}" for minor in range(8, 17) for t in ("", "t"))]
    return {Tag(python, abi, "any") for python in pythons for abi in abis}
