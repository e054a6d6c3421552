"""What is owed, who builds it, who tries it, and why the rest is left out."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.errors import FactoryError, ImageError, PlanError
from factory.image_facts import ImageFacts
from factory.pins import Pin
from factory.plan.model import Cell
from factory.plan.selection import recipe_for, refuse_nothing
from factory.project.model import Project
from factory.recipe import model
from factory.recipe.model import BuildSpec, FloorWay, Override, Recipe, SdistSource, SkipRule, Toolchain
from factory.tags import Interpreter, PlatformTag
from tests.makers.plans import (
    IMAGES,
    P31,
    TODAY,
    image_of,
    interpreters,
    make_image,
    make_plan,
    make_project,
    make_recipe,
    make_trial_image,
    summary_of,
)

FEATURE = FloorWay(kind="feature", value="abi3-{floor}")
OPTION = FloorWay(kind="option", value="--py-limited-api={floor}")
INTERPRETER = FloorWay(kind="interpreter")
PROJECT = FloorWay(kind="project")
PYO3: dict[str, Any] = {"backend": "maturin", "pyo3": "0.29.2"}

OWED = {
    "per-version-where-nothing-names-a-floor": (
        make_recipe(),
        make_project(),
        {"cp39-cp39": "cp39 | cp39", "cp311-cp311": "cp311 | cp311", "cp313-cp313": "cp313 | cp313"},
    ),
    "one-abi3-wheel-from-the-sources-floor": (
        make_recipe(),
        make_project(**PYO3, floor="cp38"),
        {"cp38-abi3": "cp39 | cp39 cp311 cp313"},
    ),
    "built-by-the-lowest-listed-interpreter": (
        make_recipe("cp313 cp311"),
        make_project(floor="cp38"),
        {"cp38-abi3": "cp311 | cp313 cp311"},
    ),
    "built-by-an-unlisted-one-where-no-listed-one-is-here": (
        make_recipe("cp310 cp312"),
        make_project(floor="cp310"),
        {"cp310-abi3": "cp311 | cp310? cp312?"},
    ),
    "free-threaded-is-never-covered-by-abi3": (
        make_recipe("cp313 cp314t"),
        make_project(**PYO3, floor="cp38"),
        {"cp38-abi3": "cp313 | cp313", "cp314-cp314t": "None | cp314t?"},
    ),
    "free-threaded-alone-owes-no-abi3-wheel": (
        make_recipe("cp314t"),
        make_project(**PYO3, floor="cp38"),
        {"cp314-cp314t": "None | cp314t?"},
    ),
    "pypy-is-per-version": (
        make_recipe("cp313 pp311"),
        make_project(**PYO3, floor="cp38"),
        {"cp38-abi3": "cp313 | cp313", "pp311-pypy311_pp73": "None | pp311?"},
    ),
    "the-recipes-floor": (
        make_recipe(abi3="cp39", way=OPTION),
        make_project(),
        {"cp39-abi3": "cp39 | cp39 cp311 cp313"},
    ),
    "below-the-recipes-floor-per-version-where-the-way-allows": (
        make_recipe(abi3="cp311", way=FEATURE),
        make_project(**PYO3),
        {"cp311-abi3": "cp311 | cp311 cp313", "cp39-cp39": "cp39 | cp39"},
    ),
    "several-floors-are-a-wheel-each-tried-wherever-they-claim": (
        make_recipe(abi3="cp39 cp311", way=FEATURE),
        make_project(**PYO3),
        {"cp39-abi3": "cp39 | cp39 cp311 cp313", "cp311-abi3": "cp311 | cp311 cp313"},
    ),
    "a-floor-of-the-recipe-is-owed-though-a-higher-one-covers-all": (
        make_recipe("cp313", abi3="cp39 cp311", way=FEATURE),
        make_project(**PYO3),
        {"cp39-abi3": "cp313 | cp313", "cp311-abi3": "cp313 | cp313"},
    ),
    "an-abi3t-floor-covers-both-builds": (
        make_recipe("cp313 cp314t cp315 cp315t"),
        make_project(**PYO3, floor="cp39 cp315t"),
        {
            "cp39-abi3": "cp313 | cp313 cp315",
            "cp315-abi3.abi3t": "cp315 | cp315 cp315t?",
            "cp314-cp314t": "None | cp314t?",
        },
    ),
    "abi3-without-a-version-takes-the-lowest-listed-interpreter": (
        make_recipe("cp311 cp313"),
        make_project(**PYO3, features="abi3"),
        {"cp311-abi3": "cp311 | cp311 cp313"},
    ),
    "a-limited-api-without-a-version-is-the-building-interpreters": (
        make_recipe("cp311 cp313 cp313t"),
        make_project(backend="pep517", limited_api=True),
        {"cp311-abi3": "cp311 | cp311 cp313", "cp313-cp313t": "None | cp313t?"},
    ),
    "abi3-without-a-version-and-a-floor-of-the-recipe": (
        make_recipe("cp39 cp313", abi3="cp39", way=INTERPRETER),
        make_project(**PYO3, features="abi3"),
        {"cp39-abi3": "cp39 | cp39 cp313"},
    ),
    "abi3-without-a-version-says-nothing-under-setuptools": (
        make_recipe("cp313"),
        make_project(pyo3="0.26", features="abi3"),
        {"cp313-cp313": "cp313 | cp313"},
    ),
    "a-floor-that-the-project-fixes": (
        make_recipe(abi3="cp36", way=PROJECT),
        make_project(),
        {"cp36-abi3": "cp39 | cp39 cp311 cp313"},
    ),
    "an-old-pyo3-never-builds-with-what-it-does-not-know": (
        make_recipe("cp313 cp315"),
        make_project(backend="maturin", pyo3="0.26", floor="cp38"),
        {"cp38-abi3": "cp313 | cp313 cp315"},
    ),
    "one-wheel-for-every-python-where-the-source-says-so": (
        make_recipe("cp311 cp314t"),
        make_project(any_abi="it holds a program", programs=True),
        {"py3-none": "cp311 | cp311 cp314t?"},
    ),
    "an-option-for-the-floor-leaves-free-threaded-builds-a-wheel-of-their-own": (
        make_recipe("cp39 cp313t", abi3="cp39", way=OPTION),
        make_project(pyo3="0.26"),
        {"cp39-abi3": "cp39 | cp39", "cp313-cp313t": "None | cp313t?"},
    ),
    "nobody-is-listed-twice": (make_recipe("cp313 cp313"), make_project(), {"cp313-cp313": "cp313 | cp313"}),
}


@pytest.mark.parametrize(("recipe", "project", "cells"), OWED.values(), ids=OWED)
def test_cells_are_owed(recipe: Recipe, project: Project, cells: dict[str, str]) -> None:
    images = (make_image("cp39 cp311 cp313 cp315"), *IMAGES[1:])

    assert summary_of(make_plan(recipe, project, images=images)) == cells


SAID: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = {
    "every-python": ({"wheel": "py3-none"}, {}, {"py3-none": "cp39 | cp39 cp311 cp313t?"}),
    "python-2-too": ({"wheel": "py2.py3-none"}, {}, {"py2.py3-none": "cp39 | cp39 cp311 cp313t?"}),
    "every-python-where-the-source-states-a-floor": (
        {"wheel": "py3-none"},
        {"floor": "cp39", "floor_way": "project"},
        {"py3-none": "cp39 | cp39 cp311 cp313t?"},
    ),
    "per-version-where-the-source-is-read-as-for-every-python": (
        {"wheel": "per-version"},
        {"any_abi": "a hook says so"},
        {"cp39-cp39": "cp39 | cp39", "cp311-cp311": "cp311 | cp311", "cp313-cp313t": "None | cp313t?"},
    ),
    "per-version-where-the-source-states-a-floor": (
        {"wheel": "per-version"},
        {"floor": "cp38", "floor_way": "project"},
        {"cp39-cp39": "cp39 | cp39", "cp311-cp311": "cp311 | cp311", "cp313-cp313t": "None | cp313t?"},
    ),
    "a-floor-with-a-way-where-the-source-is-read-as-for-every-python": (
        {"abi3": "cp39", "way": OPTION},
        {"any_abi": "a hook says so"},
        {"cp39-abi3": "cp39 | cp39 cp311", "cp313-cp313t": "None | cp313t?"},
    ),
    "an-option-where-setup-cfg-limits-every-build": (
        {"abi3": "cp311", "way": OPTION},
        {"floor": "cp39", "floor_way": "project"},
        {"cp311-abi3": "cp311 | cp311", "cp39-cp39": "cp39 | cp39", "cp313-cp313t": "None | cp313t?"},
    ),
}


@pytest.mark.parametrize(("asked", "facts", "cells"), SAID.values(), ids=SAID)
def test_the_recipe_overrules_what_the_source_is_read_as(
    asked: dict[str, Any], facts: dict[str, Any], cells: dict[str, str]
) -> None:
    made = make_plan(make_recipe("cp39 cp311 cp313t", **asked), make_project(**facts))

    assert summary_of(made) == cells


def test_a_wheel_without_an_abi_may_begin_with_a_version() -> None:
    recipe = make_recipe("cp39 cp311 cp313t", wheel="py311-none")

    with pytest.raises(PlanError, match="cp39 is listed, but its wheels are py311-none: the recipe says wheel"):
        make_plan(recipe)
    made = make_plan(make_recipe("cp39 cp311 cp313t", origin="range", wheel="py311-none"))
    assert summary_of(made) == {"py311-none": "cp311 | cp311 cp313t?"}
    assert [skip.subject for skip in made.skips] == ["cp39"]


def test_a_wheel_for_every_python_claims_all_that_have_support() -> None:
    (cell,) = make_plan(make_recipe("cp313"), make_project(any_abi="it holds a program")).cells

    assert cell.untried == interpreters("cp311 cp312 cp313t cp314 cp314t cp315 cp315t")


def test_a_module_of_an_old_pyo3_that_would_link_libpython_is_refused() -> None:
    """PyO3's guide: before 0.26 the feature alone keeps libpython out; from 0.26 on, the environment does."""
    with pytest.raises(PlanError, match=r"PyO3 0\.25\.1 links libpython unless its feature extension-module is on"):
        make_plan(project=make_project(backend="maturin", pyo3="0.25.1"))


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"pyo3": "0.25.1", "features": "extension-module"}, id="the feature is on"),
        pytest.param({"pyo3": "0.26"}, id="the environment says it"),
        pytest.param({"pyo3": "0.25.1", "backend": "setuptools"}, id="setuptools-rust switches it on"),
    ],
)
def test_a_module_that_links_no_libpython_is_planned(facts: dict[str, Any]) -> None:
    assert make_plan(project=make_project(**{"backend": "maturin", **facts})).cells


def test_a_feature_that_nobody_read_may_keep_libpython_out() -> None:
    recipe = make_recipe(abi3="cp39", way=FEATURE)

    assert make_plan(recipe, make_project(backend="maturin", pyo3="0.25.1")).cells


def test_claimed_and_unlisted_interpreters_are_named() -> None:
    (cell,) = make_plan(make_recipe("cp313"), make_project(floor="cp311", requires_python="!=3.14.*")).cells

    assert cell.untried == interpreters("cp311 cp312 cp315")


def test_a_floor_that_cannot_be_tried_here_is_noted() -> None:
    made = make_plan(make_recipe("cp39"), make_project(floor="cp38"))

    assert made.notes == (f"cp38-abi3-{P31} claims cp38, its floor, which cannot be tried here",)


def test_the_plan_says_where_the_floor_comes_from() -> None:
    assert make_plan(project=make_project(floor="cp38")).floor_source == "the source says cp38"
    assert make_plan(make_recipe(abi3="cp39", way=OPTION)).floor_source == "the recipe says abi3: cp39"
    assert "one wheel per version" in make_plan().floor_source


EXCLUDED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "requires-python": ("cp39", {"requires_python": ">=3.10"}, "requires-python", "requires-python is >=3.10"),
    "requires-python-above": ("cp313", {"requires_python": "<3.13"}, "requires-python", "requires-python is <3.13"),
    "pyo3-too-new": ("cp315", {"pyo3": "0.26"}, "pyo3", "PyO3 0.26 supports CPython only up to 3.14"),
    "pyo3-too-old": ("cp37", {"pyo3": "0.29"}, "pyo3", "PyO3 0.29 needs CPython 3.8 or newer"),
    "pyo3-free-threaded": (
        "cp313t",
        {"pyo3": "0.29.2"},
        "pyo3",
        "PyO3 0.29.2 needs free-threaded Python 3.14 or newer",
    ),
    "pyo3-free-threaded-never": (
        "cp313t",
        {"pyo3": "0.22.6"},
        "pyo3",
        "PyO3 0.22.6 does not support free-threaded Python",
    ),
    "pyo3-pypy": ("pp310", {"pyo3": "0.27"}, "pyo3", "PyO3 0.27 needs PyPy 3.11 or newer"),
    "floor": ("cp39", {"floor": "cp310"}, "floor", "its abi3 floor is cp310: the source says cp310"),
}


@pytest.mark.parametrize(("word", "facts", "kind", "reason"), EXCLUDED.values(), ids=EXCLUDED)
def test_what_a_range_brought_is_skipped_with_the_reason(
    word: str, facts: dict[str, Any], kind: str, reason: str
) -> None:
    made = make_plan(make_recipe(f"cp311 {word}", origin="range"), make_project(**facts))

    assert [(skip.subject, skip.kind, skip.reason) for skip in made.skips] == [(word, kind, reason)]
    assert len(made.cells) == 1


@pytest.mark.parametrize(("word", "facts", "kind", "reason"), EXCLUDED.values(), ids=EXCLUDED)
def test_what_is_named_is_refused_with_the_line_to_write(
    word: str, facts: dict[str, Any], kind: str, reason: str
) -> None:
    (interpreter,) = interpreters(word)
    line = f'skip: [{{select: "{interpreter.python_tag}-{interpreter.abi_tag}-*", reason: "{reason}"}}]'
    project = make_project(**facts)

    with pytest.raises(PlanError) as caught:
        make_plan(make_recipe(f"cp311 {word}"), project)

    assert caught.value.message == f"{word} is listed, but {reason}"
    assert line in caught.value.hint
    rule = SkipRule(select=line.split('"')[1], reason="why not")
    made = make_plan(make_recipe(f"cp311 {word}", skip=[rule]), project)
    assert [(skip.subject, skip.kind, skip.reason) for skip in made.skips] == [(word, "recipe", "why not")]
    assert made.notes == () or kind == "floor"


def test_every_named_impossibility_is_reported_at_once() -> None:
    with pytest.raises(PlanError) as caught:
        make_plan(make_recipe("cp39 cp310 cp311"), make_project(requires_python=">=3.11"))

    assert [problem.message.split()[0] for problem in caught.value.problems] == ["cp39", "cp310"]


def test_a_patch_release_that_is_excluded_excludes_no_version() -> None:
    """cryptography: requires-python is >=3.9,!=3.9.0,!=3.9.1."""
    made = make_plan(make_recipe("cp39"), make_project(requires_python=">=3.9,!=3.9.0,!=3.9.1"))

    assert list(summary_of(made)) == ["cp39-cp39"]


def test_a_newer_python_than_pyo3_knows_is_served_by_an_abi3_wheel_of_an_older_one() -> None:
    made = make_plan(make_recipe("cp313 cp315"), make_project(backend="maturin", pyo3="0.26", floor="cp38"))

    assert summary_of(made) == {"cp38-abi3": "cp313 | cp313 cp315?"}


CONTRADICTIONS = {
    "another-floor-than-the-default-features": (
        {"abi3": "cp39"},
        {"floor": "cp38"},
        "abi3: cp39; the source says cp38",
    ),
    "a-wheel-for-every-python": (
        {"abi3": "cp39"},
        {"any_abi": "it holds a program"},
        "abi3: cp39; it holds a program, which makes one py3-none wheel for every Python",
    ),
    "nothing-says-how": ({"abi3": "cp39"}, {}, "nothing in the source says how cp39 reaches the build"),
    "a-way-without-a-floor": ({"way": FEATURE}, {}, "abi3 names none"),
}


@pytest.mark.parametrize(("asked", "facts", "says"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_floor_that_the_build_cannot_keep_is_refused(asked: dict[str, Any], facts: dict[str, Any], says: str) -> None:
    with pytest.raises(PlanError) as caught:
        make_plan(make_recipe(**asked), make_project(**facts))

    assert says in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("abi3", "way"),
    [("cp38", FloorWay()), ("cp38", PROJECT), ("cp311", OPTION), ("cp37", FEATURE), ("cp311", FEATURE)],
    ids=["the-same", "the-same-by-project", "an-option-overrides", "a-lower-feature-wins", "a-higher-feature"],
)
def test_a_floor_that_the_build_can_keep_is_taken(abi3: str, way: FloorWay) -> None:
    made = make_plan(make_recipe("cp313", abi3=abi3, way=way), make_project(floor="cp38"))

    assert list(summary_of(made)) == [f"{abi3}-abi3"]


def test_what_the_recipe_says_with_a_way_wins_over_the_source() -> None:
    made = make_plan(make_recipe("cp311 cp313", abi3="cp311", way=PROJECT), make_project(floor="cp38"))

    assert summary_of(made) == {"cp311-abi3": "cp311 | cp311 cp313"}


def test_one_of_the_source_s_floors_is_no_contradiction() -> None:
    """PyO3 with abi3-py310 and abi3t-py315: an interpreter before 3.15 makes the floor cp310."""
    project = make_project(floor="cp310 cp315t")

    made = make_plan(make_recipe("cp311 cp313", abi3="cp310"), project)

    assert summary_of(made) == {"cp310-abi3": "cp311 | cp311 cp313"}
    with pytest.raises(PlanError, match=r"cp315t is listed, but the source makes its abi3 floor cp315t"):
        make_plan(make_recipe("cp311 cp315t", abi3="cp310"), project)


UNKEPT: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "remove abi3": ({"abi3": "cp39"}, {"floor": "cp38"}, {}),
    "build: {floor: project}": ({"abi3": "cp39"}, {"floor": "cp38"}, {"abi3": "cp39", "way": PROJECT}),
    "with build: {floor: project}": ({}, {"unread_floor": "it says x"}, {"abi3": "cp39", "way": PROJECT}),
    "remove abi3 to use": ({"abi3": "cp39"}, {"any_abi": "it holds a program"}, {}),
    "makes cp39 after all": (
        {"abi3": "cp39"},
        {"any_abi": "it holds a program"},
        {"abi3": "cp39", "way": PROJECT},
    ),
}


@pytest.mark.parametrize(("hint", "case"), UNKEPT.items(), ids=UNKEPT)
def test_following_the_hint_of_a_refused_floor_changes_the_outcome(
    hint: str, case: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
) -> None:
    asked, facts, followed = case
    with pytest.raises(PlanError) as caught:
        make_plan(make_recipe(**asked), make_project(**facts))

    assert hint in caught.value.hint
    assert make_plan(make_recipe(**followed), make_project(**facts)).cells


@pytest.mark.parametrize(
    ("asked", "noted"),
    [({}, True), ({"wheel": "per-version"}, False), ({"abi3": "cp39", "way": PROJECT}, False)],
    ids=["nothing-is-said", "wheel", "abi3"],
)
def test_tags_that_code_computes_are_noted_where_the_recipe_says_nothing(asked: dict[str, Any], noted: bool) -> None:
    notes = make_plan(make_recipe(**asked), make_project(computed_tags="setup.py: py_limited_api")).notes

    assert any(note.startswith("setup.py: py_limited_api is computed") for note in notes) == noted


def test_a_feature_above_one_that_is_on_is_noted() -> None:
    """maturin takes the lowest `abi3-pyXY` of PyO3's features (`has_abi3`), but a recipe may switch that off unread."""
    (note,) = make_plan(make_recipe("cp313", abi3="cp311", way=FEATURE), make_project(floor="cp39")).notes[:1]

    assert note.startswith("the recipe says abi3: cp311; the source says cp39, and of several features the lowest wins")
    assert not any(
        "lowest wins" in note
        for way, floor in ((FEATURE, "cp311"), (OPTION, "cp39"))
        for note in make_plan(make_recipe("cp313", abi3="cp311", way=way), make_project(floor=floor)).notes
    )


def test_a_limited_api_that_the_project_sets_for_every_build_excludes_free_threaded_ones() -> None:
    """setuptools#4420: bdist_wheel refuses py_limited_api there."""
    project = make_project(floor="cp39", floor_way="project")

    with pytest.raises(PlanError, match="cp313t is listed, but setuptools builds nothing for it where py_limited_api"):
        make_plan(make_recipe("cp39 cp313t"), project)
    with pytest.raises(
        PlanError, match=r"cp315t is listed, but setuptools tags its wheel cp39-abi3\.abi3t for it where"
    ):
        make_plan(make_recipe("cp39 cp315t"), project)
    skip = SkipRule(select="cp313-cp313t-*", reason="setuptools refuses it")
    assert summary_of(make_plan(make_recipe("cp39 cp313t", skip=[skip]), project)) == {"cp39-abi3": "cp39 | cp39"}


def test_the_problems_of_all_platforms_are_told_at_once() -> None:
    recipe = make_recipe("cp313", platforms="musllinux_1_2_riscv64 manylinux_2_31_x86_64 manylinux_2_31_ppc64")

    with pytest.raises(ImageError) as caught:
        make_plan(recipe)

    assert "musllinux_1_2_riscv64 cannot be built" in caught.value.message
    assert "manylinux_2_31_ppc64 cannot be built" in caught.value.message


def test_a_floor_above_every_interpreter_of_the_image_is_refused() -> None:
    with pytest.raises(PlanError, match=f"no interpreter of lookalike-{P31} can build the abi3 floor cp314"):
        make_plan(make_recipe("cp314"), make_project(floor="cp314"))


def test_a_floor_that_the_building_interpreter_decides_needs_exactly_that_one() -> None:
    with pytest.raises(PlanError, match="can build the abi3 floor cp310"):
        make_plan(make_recipe("cp310 cp311"), make_project(**PYO3, features="abi3"))


def test_an_interpreter_that_no_image_has_is_owed_all_the_same() -> None:
    (cell,) = make_plan(make_recipe("cp314")).cells

    assert (cell.id, cell.builder) == (f"cp314-cp314-{P31}", None)
    assert [trial.image for trial in cell.trials] == [None]


def test_a_platform_is_a_ceiling_and_the_highest_image_below_it_serves() -> None:
    images = [make_image(platform=f"manylinux_2_{minor}_x86_64") for minor in (17, 28, 34)]

    (cell,) = make_plan(make_recipe("cp313"), images=images).cells

    assert image_of(cell) == "lookalike-manylinux_2_28_x86_64"
    assert cell.id == f"cp313-cp313-{P31}"


def test_the_first_family_that_can_serve_wins() -> None:
    images = [make_image(platform="manylinux_2_28_x86_64", family="pypa"), make_image(platform="manylinux_2_17_x86_64")]

    (ours,) = make_plan(make_recipe("cp313"), images=images, families=["none", "lookalike", "pypa"]).cells
    (theirs,) = make_plan(make_recipe("cp313"), images=images, families=["pypa", "lookalike"]).cells

    assert (image_of(ours), image_of(theirs)) == ("lookalike-manylinux_2_17_x86_64", "pypa-manylinux_2_28_x86_64")


HEX = "0123456789abcdef" * 4
PINNED = Pin.parse(f"registry.test/image:1@sha256:{HEX}")


def make_named_image(platform: str) -> ImageFacts:
    """Make the facts that were asked of the image which a recipe names."""
    return make_image("cp311 cp313", platform=platform, family="recipe", name=PINNED.reference)


def naming(platform: str) -> Recipe:
    """Make a recipe for P31 that names an image for a platform."""
    return replace(make_recipe("cp311"), images={PlatformTag.parse(platform): PINNED})


def test_the_image_that_a_recipe_names_serves_before_every_family() -> None:
    images = (*IMAGES, make_named_image("manylinux_2_28_x86_64"))

    made = make_plan(naming(P31), images=images, families=())

    assert [image_of(cell) for cell in made.cells] == [PINNED.reference]


def test_the_image_that_a_recipe_names_serves_its_platform_alone() -> None:
    images = (*IMAGES, make_named_image("manylinux_2_28_x86_64"))

    made = make_plan(naming("manylinux_2_36_x86_64"), images=images)

    assert [image_of(cell) for cell in made.cells] == [f"lookalike-{P31}"]


def test_a_named_image_whose_libc_is_too_new_is_exit_4() -> None:
    images = (*IMAGES, make_named_image("manylinux_2_36_x86_64"))

    with pytest.raises(ImageError, match="builds manylinux_2_36_x86_64, which does not run wherever") as caught:
        make_plan(naming(P31), images=images)

    assert "write manylinux_2_36_x86_64 under platforms and images" in caught.value.hint


def test_a_named_image_of_which_nothing_is_known_is_exit_4() -> None:
    with pytest.raises(ImageError, match=r"nothing is known of registry\.test/image:1") as caught:
        make_plan(naming(P31))

    assert f"factory image pull {PINNED}" in caught.value.hint


def test_a_platform_of_another_architecture_is_exit_4_although_an_image_is_known() -> None:
    images = [make_image(platform="manylinux_2_28_aarch64", family="pypa")]

    with pytest.raises(ImageError, match=r"no image of pypa runs zig, which would compile for .*aarch64") as caught:
        make_plan(make_recipe(platforms="manylinux_2_28_aarch64"), images=images, families=("pypa",))

    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("platform", "hint"),
    [
        ("manylinux_2_28_x86_64", "pypa-manylinux_2_28_x86_64 would: --families lookalike,pypa"),
        (
            "manylinux_2_17_x86_64",
            "pypa-manylinux_2_28_x86_64 builds manylinux_2_28_x86_64: write that, if its libc is old enough",
        ),
        ("musllinux_1_2_x86_64", "images here build manylinux_2_28_x86_64, manylinux_2_31_x86_64"),
    ],
)
def test_a_platform_that_no_image_serves_is_exit_4_and_names_what_would(platform: str, hint: str) -> None:
    images = [make_image(), make_image(platform="manylinux_2_28_x86_64", family="pypa")]

    with pytest.raises(ImageError, match=f"no image of lookalike builds {platform}") as caught:
        make_plan(make_recipe(platforms=platform, c=">=8"), images=images)

    assert (caught.value.exit_code, caught.value.hint) == (4, hint)


def test_a_trial_runs_on_the_oldest_libc_that_the_platform_promises() -> None:
    images = [make_image(), *(make_trial_image("cp313", f"manylinux_2_{minor}_x86_64") for minor in (41, 17, 36))]

    (cell,) = make_plan(make_recipe("cp313"), images=images).cells

    assert [trial.image for trial in cell.trials] == ["trial-manylinux_2_36_x86_64"]


HAS_3_9_2 = make_image(releases="cp39==3.9.2 cp313==3.13.5")
SAYS_3_9_2 = "requires-python is >=3.9.5, and lookalike-manylinux_2_31_x86_64 has 3.9.2"


def built_by(cell: Cell) -> str:
    assert cell.builder is not None
    return str(cell.builder.interpreter)


def test_an_interpreter_whose_release_in_the_image_requires_python_excludes_is_refused_by_name() -> None:
    with pytest.raises(PlanError, match=f"^cp39 is listed, but {re.escape(SAYS_3_9_2)}$"):
        make_plan(make_recipe("cp39 cp313"), make_project(requires_python=">=3.9.5"), images=[HAS_3_9_2])


def test_one_that_is_not_listed_by_name_is_left_out() -> None:
    recipe = make_recipe("cp39 cp313", origin="supported")

    made = make_plan(recipe, make_project(requires_python=">=3.9.5"), images=[HAS_3_9_2])

    assert [built_by(cell) for cell in made.cells] == ["cp313"]
    assert [(skip.subject, skip.reason) for skip in made.skips] == [("cp39", SAYS_3_9_2)]


@pytest.mark.parametrize("releases", ["", "cp39==3.9.23"])
def test_a_release_that_is_new_enough_or_not_known_excludes_nothing(releases: str) -> None:
    made = make_plan(
        make_recipe("cp39"), make_project(requires_python=">=3.9.5"), images=[make_image(releases=releases)]
    )

    assert [built_by(cell) for cell in made.cells] == ["cp39"]


def test_a_floor_is_built_by_the_lowest_interpreter_whose_release_may_install_the_project() -> None:
    project = make_project(floor="cp39", requires_python=">=3.9.5")

    (cell,) = make_plan(make_recipe("cp313"), project, images=[HAS_3_9_2]).cells

    assert built_by(cell) == "cp313"


def test_a_wheel_is_not_tried_on_a_release_that_may_not_install_it() -> None:
    trials = [
        make_trial_image("cp39", P31, "cp39==3.9.2"),
        make_trial_image("cp39", "manylinux_2_36_x86_64", "cp39==3.9.9"),
    ]
    images = [make_image(releases="cp39==3.9.23", platform="manylinux_2_36_x86_64"), *trials]
    recipe = make_recipe("cp39", platforms="manylinux_2_36_x86_64")

    (cell,) = make_plan(recipe, make_project(requires_python=">=3.9.5"), images=images).cells

    assert [trial.image for trial in cell.trials] == ["trial-manylinux_2_36_x86_64"]


def test_a_build_image_tries_what_no_plain_image_has_and_its_loader_serves() -> None:
    builder = make_image()

    (alone,) = make_plan(make_recipe("cp313"), images=[builder]).cells
    plain = make_image("cp313", platform="manylinux_2_41_x86_64", role="trial")
    (beside,) = make_plan(make_recipe("cp313"), images=[builder, plain]).cells

    assert ([trial.image for trial in alone.trials], alone.loader) == ([builder.name], builder.name)
    assert ([trial.image for trial in beside.trials], beside.loader) == ([plain.name], plain.name)


RUST = {
    "too-old-for-the-crate": ({}, {"rust": "1.98"}, "1.97", "demo needs Rust 1.98; lookalike-.* has 1.97"),
    "not-what-the-recipe-wants": ({"rust": ">=1.99"}, {}, "1.97", "the recipe asks for Rust >=1.99"),
    "none": ({}, {"crate": True}, None, "demo needs Rust; lookalike-.* has none"),
    "c-not-what-the-recipe-wants": ({"c": ">=12"}, {}, "1.97", "the recipe asks for GCC >=12; lookalike-.* has 10.2"),
}


@pytest.mark.parametrize(("asked", "facts", "held", "says"), RUST.values(), ids=RUST)
def test_a_compiler_that_does_not_suffice_is_refused(
    asked: dict[str, Any], facts: dict[str, Any], held: str | None, says: str
) -> None:
    with pytest.raises(PlanError, match=says):
        make_plan(make_recipe(**asked), make_project(**facts), images=[make_image(rust=held)])


def test_compilers_are_asked_for_by_the_cells_that_an_override_means() -> None:
    newer = override("cp313-*", "build.toolchain.c", build=BuildSpec(toolchain=Toolchain(c=">=12")))

    with pytest.raises(PlanError, match="asks for GCC >=12"):
        make_plan(make_recipe("cp39 cp313", overrides=[newer]))

    assert make_plan(make_recipe("cp39", overrides=[replace(newer, select="cp39-*", paths=())])).cells


def test_overrides_are_made_in_order_and_a_mapping_key_by_key() -> None:
    recipe = make_recipe(
        overrides=[
            override("*", "build.env.A build.env.B", build=BuildSpec(env={"A": "1", "B": "1"})),
            override("cp313-*", "build.env.B build.args", build=BuildSpec(env={"B": "2"}, args=("-v",))),
            override("cp39-*", "build.env.B", build=BuildSpec(env={"B": "3"})),
            override("demo/*@cp313", "test.imports", test=model.TestSpec(imports=("demo",))),
        ]
    )
    cell = f"cp313-cp313-{P31}"

    built, tried = recipe_for(recipe, cell), recipe_for(recipe, cell, Interpreter(13))

    assert (built.build.env, built.build.args) == ({"A": "1", "B": "2"}, ("-v",))
    assert (built.test.imports, tried.test.imports) == ((), ("demo",))
    assert recipe_for(built, cell, Interpreter(13)) == tried, "doing so twice is doing so once"
    assert recipe.build.env == {}


def override(select: str, paths: str, build: BuildSpec | None = None, test: model.TestSpec | None = None) -> Override:
    named = tuple(tuple(path.split(".")) for path in paths.split())
    return Override(select=select, span=None, paths=named, build=build or BuildSpec(), test=test or model.TestSpec())


@pytest.mark.parametrize(
    ("select", "says"),
    [
        ("*-musllinux_*", f"selects no cell: .*; the cells are cp39-cp39-{P31}, cp313-cp313-{P31}"),
        ("other/*", "selects no cell"),
        ("cp39-*@cp313", "selects no trial"),
    ],
)
def test_an_override_that_selects_no_cell_is_refused(select: str, says: str) -> None:
    recipe = make_recipe("cp39 cp313", overrides=[override(select, "build.locked", build=BuildSpec(locked=False))])

    with pytest.raises(PlanError) as caught:
        make_plan(recipe)

    assert re.search(says, f"{caught.value.message}; {caught.value.hint}")


def test_an_override_for_a_cell_that_is_left_out_is_for_somebody() -> None:
    idle = override("cp39-*", "build.locked", build=BuildSpec(locked=False))

    assert len(make_plan(make_recipe(overrides=[idle]), only=["cp313-*"]).cells) == 1


def test_cells_keep_the_order_of_the_recipe() -> None:
    both = f"{P31} manylinux_2_36_x86_64"

    made = make_plan(make_recipe("cp313 cp39", platforms=both))

    assert [cell.id for cell in made.cells] == [
        f"{tag}-{platform}" for platform in both.split() for tag in ("cp313-cp313", "cp39-cp39")
    ]


def test_a_skip_rule_gives_its_reason() -> None:
    made = make_plan(
        make_recipe(skip=[SkipRule(select="cp39-*", reason="too slow"), SkipRule(select="x/*", reason="")])
    )

    assert [(skip.subject, skip.reason, skip.kind) for skip in made.skips] == [
        (f"cp39-cp39-{P31}", "too slow", "recipe")
    ]
    assert len(made.cells) == 2
    assert made.notes == ("the skip of x/* matches no wheel of this plan",)


@pytest.mark.parametrize(("until", "cells"), [(TODAY, 2), (date(2026, 11, 21), 3)], ids=["last-day", "day-after"])
def test_a_skip_rule_holds_through_its_last_day(until: date, cells: int) -> None:
    made = make_plan(make_recipe(skip=[SkipRule(select="cp39-*", reason="too slow", until=until)]))

    assert len(made.cells) == cells
    assert bool(made.notes) == (cells == 3)


SELECTORS = {
    "id": ("cp313-cp313-manylinux_2_31_x86_64", ["cp313-cp313"]),
    "glob": ("cp31*", ["cp313-cp313", "cp314-cp314t"]),
    "address": ("demo/*", ["cp39-cp39", "cp313-cp313", "cp314-cp314t"]),
    "other-recipe": ("other/*", []),
    "free-threaded-by-its-name": ("cp314t-*", ["cp314-cp314t"]),
    "free-threaded-by-its-tag": ("cp314-cp314t-*", ["cp314-cp314t"]),
    "free-threaded-address": ("demo/cp314t-*", ["cp314-cp314t"]),
    "case-counts": ("CP313*", []),
}


@pytest.mark.parametrize(("select", "means"), SELECTORS.values(), ids=SELECTORS)
def test_selectors_are_globs_over_ids_and_addresses(select: str, means: list[str]) -> None:
    recipe = make_recipe("cp39 cp313 cp314t")

    only = make_plan(recipe, only=[select])
    skip = make_plan(recipe, skip=[select])

    assert list(summary_of(only)) == means
    assert set(summary_of(only)) | set(summary_of(skip)) == {"cp39-cp39", "cp313-cp313", "cp314-cp314t"}
    assert {skipped.kind for skipped in (*only.skips, *skip.skips)} == {"selection"}


def test_what_is_left_out_needs_no_image() -> None:
    recipe = make_recipe(platforms=f"{P31} musllinux_1_2_x86_64")

    made = make_plan(recipe, skip=["*-musllinux_*"])

    assert len(made.cells) == 3


def test_selecting_nothing_is_refused_for_all_plans_together() -> None:
    empty, full = make_plan(only=["other/*"]), make_plan()

    refuse_nothing([empty, full])
    with pytest.raises(PlanError, match="nothing is selected") as caught:
        refuse_nothing([empty])

    assert "not among --only other/*" in caught.value.hint


def test_a_floor_whose_interpreters_are_all_excluded_is_skipped() -> None:
    recipe = make_recipe("cp39 cp313", origin="range", abi3="cp39 cp313", way=FEATURE)

    made = make_plan(recipe, make_project(**PYO3, requires_python="<3.13"))

    assert list(summary_of(made)) == ["cp39-abi3"]
    assert made.skips[-1].subject == f"cp313-abi3-{P31}"


def test_a_sdist_that_is_another_project_is_refused() -> None:
    source = SdistSource(name=canonicalize_name("demo"), version=Version("2.0"))

    with pytest.raises(PlanError, match=r"the sdist of demo 2\.0 says that it is demo 1\.0"):
        make_plan(make_recipe(source=source))


def test_every_refusal_says_what_to_do_next() -> None:
    refused: list[FactoryError] = []
    for listed, project in (("cp39", make_project(requires_python=">=3.10")), ("cp314", make_project(floor="cp314"))):
        with pytest.raises(PlanError) as caught:
            make_plan(make_recipe(listed), project)
        refused.append(caught.value)

    assert all(error.hint for error in refused)
