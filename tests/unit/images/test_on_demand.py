"""Interpreters that no image holds, as their data file declares them, and the images that they can be brought to."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.images.assembly import input_digest
from factory.images.interpreters import compile_script, move_script, source_script
from factory.images.known import declared, spec_named
from factory.images.on_demand import OnDemandSpec, on_demand_spec
from factory.images.spec import data_folder, declared_specs
from factory.plan.images import trial_image
from factory.tags import Interpreter

DATA = "interpreters/interpreters.toml"
SPEC = on_demand_spec()
COMPILED, MOVED = sorted(SPEC.compiled), sorted(SPEC.packed)
OURS = [facts for facts in declared() if facts.family in ("lookalike", "trial")]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A copy of the images' data that a test may change."""
    return Path(shutil.copytree(data_folder(), tmp_path / "images"))


def test_the_free_threaded_ones_are_compiled_on_demand_and_the_newest_and_pypy_moved() -> None:
    assert (" ".join(map(str, COMPILED)), " ".join(map(str, MOVED))) == ("cp313t cp314t cp315t", "pp311 cp315")


@pytest.mark.parametrize("facts", OURS, ids=lambda facts: facts.name)
def test_every_image_of_ours_can_have_what_is_compiled_and_a_build_image_what_is_moved_too(facts: ImageFacts) -> None:
    """What was moved brings a newer glibc: a trial on it would prove nothing of the image's."""
    assert list(facts.on_demand) == sorted([*COMPILED, *(MOVED if facts.role == "build" else [])])


@pytest.mark.parametrize("interpreter", MOVED, ids=str)
def test_what_is_moved_is_tried_in_a_plain_image_of_its_suite(interpreter: Interpreter) -> None:
    images = [facts for facts in OURS if facts.role == "trial" and interpreter in facts.interpreters]

    assert [image.platform.arch for image in images] == ["x86_64", "aarch64"]
    for image in images:
        assert spec_named(image.name).suite == SPEC.packed[interpreter]  # type: ignore[union-attr] # ours, which has a suite


@pytest.mark.parametrize("build", [facts for facts in OURS if facts.role == "build"], ids=lambda facts: facts.name)
@pytest.mark.parametrize("interpreter", COMPILED, ids=str)
def test_what_is_built_with_one_is_tried_on_the_oldest_libc_that_the_wheel_may_need(
    build: ImageFacts, interpreter: Interpreter
) -> None:
    image = trial_image(interpreter, build.platform, declared(), SpecifierSet(), build.platform.arch)

    assert image is not None
    assert image.platform == build.platform


@pytest.mark.parametrize(
    ("name", "has"),
    [
        pytest.param("pypa-manylinux2014_x86_64", False, id="an older glibc than it was compiled against"),
        pytest.param("pypa-manylinux_2_34_aarch64", True, id="another machine"),
        pytest.param("pypa-musllinux_1_2_x86_64", False, id="another libc"),
        pytest.param("lookalike-manylinux_2_36_x86_64", True, id="a newer glibc"),
    ],
)
def test_an_image_can_have_what_runs_there(name: str, *, has: bool) -> None:
    (facts,) = [facts for facts in declared() if facts.name == name]

    assert bool(facts.on_demand) == has


def test_scripts_leave_the_freshness_of_indexes_to_the_mirror_and_name_none() -> None:
    compiling = [make(SPEC, interpreter) for interpreter in COMPILED for make in (source_script, compile_script)]
    for text in (*compiling, *(move_script(SPEC, interpreter) for interpreter in MOVED)):
        assert "://" not in text
        assert "Check-Valid-Until" not in text
        assert '--aptopt="$FRESHNESS"' in text


def test_pypy_comes_of_its_own_packages() -> None:
    script = move_script(SPEC, Interpreter.parse("pp311"))

    assert "--include=pypy3,pypy3-dev,libstdc++6" in script
    assert "--prefix=/opt/python/pp311-pypy311_pp73" in script
    assert "overlay/opt/python/pp311-pypy311_pp73/lib/pypy3.11" in script


def test_a_free_threaded_build_is_compiled_for_the_place_where_it_is_mounted() -> None:
    script = compile_script(SPEC, Interpreter.parse("cp315t"))

    assert "python3.15t /opt/python/cp315-cp315t --disable-gil" in script


def test_the_suites_of_a_source_are_asked_in_their_order() -> None:
    assert "for suite in forky sid; do" in source_script(SPEC, Interpreter.parse("cp315t"))


def test_one_more_interpreter_changes_no_image_and_no_other_interpreter(images: Path) -> None:
    before, digests = on_demand_spec(images), digests_of(images)

    data = images / DATA
    data.write_text(data.read_text().replace("[compiled]\n", '[compiled]\ncp316 = ["sid"]\n'))

    after = on_demand_spec(images)
    assert {*after.compiled} - {*before.compiled} == {Interpreter(16)}
    assert digests_of(images) == digests
    assert scripts(after, "cp315t") == scripts(before, "cp315t")


def digests_of(images: Path) -> list[str]:
    return [input_digest(spec).hex for spec in declared_specs(images)]


def scripts(spec: OnDemandSpec, interpreter: str) -> tuple[str, str]:
    python = Interpreter.parse(interpreter)
    return source_script(spec, python), compile_script(spec, python)


Edit = Callable[[str], str]


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda text: text.replace('suite = "bullseye"', ""), id="no suite"),
        pytest.param(lambda text: text.replace("manylinux_2_31_x86_64", "linux_x86_64"), id="no such platform"),
        pytest.param(lambda text: text.replace("cp315t =", "python315t ="), id="no such interpreter"),
        pytest.param(lambda text: text.replace('["trixie"]', '"trixie"'), id="no list of suites"),
        pytest.param(lambda text: text.replace("forky = 180", "forky = 0"), id="no days"),
        pytest.param(lambda text: text.replace("[compiled]", "[compile]"), id="no interpreters"),
    ],
)
def test_a_data_file_that_is_wrong_is_named(images: Path, edit: Edit) -> None:
    data = images / DATA
    data.write_text(edit(data.read_text()))

    with pytest.raises(ImageError, match=r"interpreters\.toml"):
        on_demand_spec(images)
