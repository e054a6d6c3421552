"""What a repairer did, found by comparing two wheels; and what it may not do."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from factory.repair import Moved, Removed, Renamed, Searched, compare, faults
from factory.wheel import Wheel, read_wheel
from tests.makers.objects import make_module, make_object
from tests.makers.wheels import make_wheel

RAW_NAME = "demo-1.0-cp313-cp313-linux_x86_64.whl"
NAME = "demo-1.0-cp313-cp313-manylinux_2_31_x86_64.whl"
MODULE = "demo/core.so"
GRAFT = "demo.libs/libyaml-0-1a2b3c4d.so.2.0.9"
LIBRARY = make_object(soname="libyaml-0-1a2b3c4d.so.2.0.9")
SBOM = "demo-1.0.dist-info/sboms/auditwheel.cdx.json"
PATHS = "$ORIGIN/../demo.libs"
SCRIPT = "demo-1.0.data/scripts/tool"
LOADER = "/lib64/ld-linux-x86-64.so.2"

Files = Mapping[str, bytes]


def wheels(folder: Path, raw: Files, repaired: Files) -> tuple[Wheel, Wheel]:
    made = [folder / "raw", folder / "repaired"]
    for place in made:
        place.mkdir()
    return (
        read_wheel(make_wheel(made[0], dict(raw), filename=RAW_NAME)),
        read_wheel(make_wheel(made[1], dict(repaired), filename=NAME)),
    )


def module(*needed: str, rpath: str = "") -> bytes:
    return make_module(needed=[*needed, "libc.so.6"], rpath=rpath)


def test_a_graft_is_listed_with_the_name_that_it_took_and_the_path_to_it(tmp_path: Path) -> None:
    raw, repaired = wheels(
        tmp_path,
        {MODULE: module("libyaml-0.so.2"), "demo/__init__.py": b""},
        {
            MODULE: module("libyaml-0-1a2b3c4d.so.2.0.9", rpath=PATHS),
            "demo/__init__.py": b"",
            GRAFT: LIBRARY,
            SBOM: b"{}",
        },
    )

    repair = compare(raw, repaired)

    assert repair.grafts == (GRAFT,)
    assert repair.removed == ()
    assert repair.renamed == (
        Renamed(member=MODULE, what="needed", before="libyaml-0.so.2", after="libyaml-0-1a2b3c4d.so.2.0.9"),
    )
    assert repair.searched == (Searched(member=MODULE, before=(), after=(PATHS,)),)
    assert repair.rewritten == (MODULE,)
    assert set(repair.texts) == {SBOM, "demo-1.0.dist-info/RECORD", "demo-1.0.dist-info/WHEEL"}
    assert {tag.platform for tag in repair.raw_tags} == {"linux_x86_64"}
    assert {tag.platform for tag in repair.tags} == {"manylinux_2_31_x86_64"}
    assert faults(raw, repaired) == ()


def test_a_wheel_that_was_retagged_alone_shows_nothing_else(tmp_path: Path) -> None:
    raw, repaired = wheels(tmp_path, {MODULE: module()}, {MODULE: module()})

    repair = compare(raw, repaired)

    assert (repair.grafts, repair.renamed, repair.removed, repair.searched, repair.rewritten) == ((), (), (), (), ())
    assert faults(raw, repaired) == ()


@pytest.mark.parametrize(
    ("raw", "repaired", "removed"),
    [
        pytest.param(["libpython3.13.so.1.0"], [], "libpython3.13.so.1.0", id="a need that is gone"),
        pytest.param(["libyaml-0.so.2"], ["libyaml-0-1a2b3c4d.so.2"], "libyaml-0.so.2", id="a name that no graft has"),
    ],
)
def test_a_need_that_no_graft_answers_was_removed(
    tmp_path: Path, raw: list[str], repaired: list[str], removed: str
) -> None:
    before, after = wheels(tmp_path, {MODULE: module(*raw)}, {MODULE: module(*repaired)})

    assert compare(before, after).removed == (Removed(member=MODULE, needed=removed),)


def test_a_new_soname_of_an_own_library_is_listed(tmp_path: Path) -> None:
    raw, repaired = wheels(
        tmp_path, {"demo/liba.so": make_object(soname="liba.so")}, {"demo/liba.so": make_object(soname="liba-1.so")}
    )

    assert compare(raw, repaired).renamed == (
        Renamed(member="demo/liba.so", what="soname", before="liba.so", after="liba-1.so"),
    )


def test_a_program_is_moved_to_where_it_finds_its_grafts(tmp_path: Path) -> None:
    """https://github.com/pypa/auditwheel/issues/340"""
    raw, repaired = wheels(
        tmp_path,
        {SCRIPT: make_object(program=True, interpreter=LOADER, needed=["libyaml-0.so.2"])},
        {
            SCRIPT: b"#!python\nimport os",
            "demo.scripts/tool": make_object(
                program=True, interpreter=LOADER, needed=["libyaml-0-1a2b3c4d.so.2.0.9"], rpath=PATHS
            ),
            GRAFT: LIBRARY,
        },
    )

    repair = compare(raw, repaired)

    assert repair.moved == (Moved(member=SCRIPT, to="demo.scripts/tool"),)
    assert repair.grafts == (GRAFT,)
    assert [renamed.before for renamed in repair.renamed] == ["libyaml-0.so.2"]
    assert faults(raw, repaired) == ()


FAULTS: Mapping[str, tuple[Files, Files, str]] = {
    "a member that is gone": ({MODULE: module(), "demo/a.txt": b"a"}, {MODULE: module()}, "demo/a.txt is no longer"),
    "a text that changed": (
        {"demo/a.py": b"a"},
        {"demo/a.py": b"b"},
        "demo/a.py was changed, although it holds no code",
    ),
    "a text that is new": ({}, {"demo/evil.pth": b"import evil"}, "demo/evil.pth was added"),
    "a library elsewhere": ({}, {"demo/libx.so": make_object()}, "demo/libx.so was added"),
    "an object that is none": ({MODULE: module()}, {MODULE: b"text"}, f"{MODULE} is no longer an ELF object"),
    "a text that is an object": ({MODULE: b"text"}, {MODULE: module()}, f"{MODULE} has become an ELF object"),
    "an export that is gone": (
        {MODULE: make_module(exports=["spam"])},
        {MODULE: make_module()},
        f"{MODULE} no longer defines spam",
    ),
    "an export that is new": (
        {MODULE: make_module()},
        {MODULE: make_module(exports=["spam"])},
        f"{MODULE} now defines spam",
    ),
    "another symbol": (
        {MODULE: make_module(undefined=["printf"])},
        {MODULE: make_module(undefined=["system"])},
        f"{MODULE} asks for other symbols than before, such as printf",
    ),
    "another machine": (
        {MODULE: make_object()},
        {MODULE: make_object(machine=183)},
        f"{MODULE} was library of x86_64 and is library of aarch64",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_no_repair_may_do_is_a_fault(tmp_path: Path, case: str) -> None:
    raw, repaired, expected = FAULTS[case]

    (fault,) = faults(*wheels(tmp_path, raw, repaired))

    assert fault.startswith(expected)
