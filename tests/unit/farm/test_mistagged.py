"""A wheel with other tags than are owed: what its recipe should say, and which cells are not built after it."""

from dataclasses import replace

import pytest

from factory.audit import RULES, Audit, Finding
from factory.events.model import CellRecord
from factory.farm.graph import jobs_of
from factory.farm.jobs import BuildCell, Built, CellKey, Key, MakeImage, Outcome
from factory.farm.mistagged import RULE, spared
from tests.doubles.engine import Answer, Call, Commands
from tests.doubles.looking import calls_of, failure_of, only
from tests.doubles.projects import PLAIN, instead, module_of, stored_wheel
from tests.doubles.run import World
from tests.makers.objects import make_module, make_object
from tests.makers.plans import make_image, make_trial_image
from tests.makers.runs import make_artifact

PLATFORM = "manylinux_2_31_x86_64"
BOTH = PLAIN.replace("[cp313]", "[cp311, cp313]")
OPTION = "abi3: cp313\nbuild: {floor: {option: '--py-limited-api={floor}'}}\n"
PROJECT = "abi3: cp39\nbuild: {floor: project}\n"


def making(*tags: str) -> Commands:
    """Have the first builds make a wheel each with these tags, whatever is owed."""

    def make(tag: str) -> Commands:
        filename = f"plain-1.0-{tag}-linux_x86_64.whl"
        abi = tag.split("-")[1]
        files = (
            {"plain/libplain.so": make_object(exports=["plain"], undefined=["puts"])}
            if abi == "none"
            else {module_of("plain", abi): make_module()}
        )

        def build(call: Call) -> Answer:
            call.files.write(f"/work/built/{filename}", stored_wheel(filename, files))
            return Answer()

        return build

    return instead("build", *map(make, tags))


LINES = {
    "abi3-where-a-version-is-owed": ("cp39-abi3", PLAIN, "write abi3: cp39 and build: {floor: project}", PROJECT),
    "abi3-where-the-recipe-says-none": (
        "cp39-abi3",
        f"{PLAIN}wheel: per-version\n",
        "write abi3: cp39 and build: {floor: project}, instead of wheel",
        PROJECT,
    ),
    "abi3-that-begins-above-a-listed-version": (
        "cp313-abi3",
        BOTH,
        "write abi3: cp313 and build: {floor: {option: '--py-limited-api={floor}'}}",
        OPTION,
    ),
    "another-floor": (
        "cp39-abi3",
        f"{PLAIN}{PROJECT.replace('cp39', 'cp38')}",
        "the project sets its own floor: write abi3: cp39 and build: {floor: project}",
        PROJECT,
    ),
    "no-abi3": (
        "cp313-cp313",
        f"{PLAIN}{PROJECT}",
        "or wheel: per-version, instead of abi3 and build.floor",
        "wheel: per-version\n",
    ),
    "no-abi3-by-the-option": (
        "cp313-cp313",
        f"{PLAIN}{OPTION}",
        "write another feature or option as build.floor, or wheel: per-version, instead of abi3 and build.floor",
        "wheel: per-version\n",
    ),
    "every-python-where-a-version-is-owed": ("py3-none", PLAIN, "write wheel: py3-none", "wheel: py3-none\n"),
    "every-python-where-a-floor-is-owed": (
        "py3-none",
        f"{PLAIN}{PROJECT}",
        "write wheel: py3-none, instead of abi3 and build.floor",
        "wheel: py3-none\n",
    ),
    "python-2-too": (
        "py2.py3-none",
        f"{PLAIN}wheel: py3-none\n",
        "write wheel: py2.py3-none",
        "wheel: py2.py3-none\n",
    ),
    "a-version-where-every-python-is-owed": (
        "cp313-cp313",
        f"{PLAIN}wheel: py3-none\n",
        "write wheel: per-version",
        "wheel: per-version\n",
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize(("tag", "recipe", "hint", "lines"), LINES.values(), ids=LINES)
def test_a_wheel_of_other_tags_is_refused_with_the_lines_that_ask_for_it(
    world: World, tag: str, recipe: str, hint: str, lines: str
) -> None:
    world.engine.commands = making(*[tag] * 4)
    refused = next(record for record in world.run(recipe).records if record.cell.id != f"{tag}-{PLATFORM}")

    followed = world.run(f"{BOTH if recipe.startswith(BOTH) else PLAIN}{lines}").records

    assert failure_of(refused).message.startswith("tag-unexpected: ")
    assert failure_of(refused).hint.endswith(hint)
    asked_for = next(record for record in followed if record.cell.id == f"{tag}-{PLATFORM}")
    assert asked_for.before is not None
    assert asked_for.before.passed


def test_a_pure_wheel_is_not_what_a_recipe_should_ask_for(world: World) -> None:
    def build(call: Call) -> Answer:
        filename = "plain-1.0-py3-none-any.whl"
        call.files.write(f"/work/built/{filename}", stored_wheel(filename, {"plain/__init__.py": b""}))
        return Answer()

    world.engine.commands = instead("build", build)

    assert "wheel:" not in failure_of(only(world.run(PLAIN))).hint


def test_the_rest_of_a_matrix_that_is_wrong_alike_is_not_built(world: World) -> None:
    world.workers = 1
    world.engine.commands = making("cp39-abi3")

    first, second = world.run(BOTH).records
    built = len(calls_of(world, "build"))
    again = world.run(BOTH).records

    assert (first.status, second.status, built) == ("failed", "blocked", 1)
    assert failure_of(second).message == (
        f"plain/cp311-cp311-{PLATFORM} came out as cp39-abi3; this wheel would get the same tags, so it was not built"
    )
    assert [trial.outcome for trial in second.trials] == ["blocked"]
    assert [failure_of(record) for record in again] == [failure_of(first), failure_of(second)]
    assert len(calls_of(world, "build")) == built


def test_a_cell_that_is_built_otherwise_is_built_all_the_same(world: World) -> None:
    world.workers = 1
    world.engine.commands = making("cp39-abi3")

    run = world.run(f"{BOTH}overrides:\n  - {{select: 'cp313-*', build: {{env: {{LIMITED: '0'}}}}}}\n")

    assert [record.status for record in run.records] == ["failed", "passed"]


MATRIX = f"{PLAIN.replace('[cp313]', '[cp39, cp311, cp313, cp313t, pp311]')}".replace(
    f"[{PLATFORM}]", f"[{PLATFORM}, manylinux_2_36_x86_64]"
)
SPARED = {
    "a-floor-of-its-own": ("cp311-cp311", "cp311-abi3", {"cp311-cp311", "cp313-cp313"}),
    "a-lower-floor": ("cp311-cp311", "cp39-abi3", {"cp39-cp39", "cp311-cp311", "cp313-cp313"}),
    "every-python": (
        "cp311-cp311",
        "py3-none",
        {"cp39-cp39", "cp311-cp311", "cp313-cp313", "cp313-cp313t", "pp311-pypy311_pp73"},
    ),
    "another-version": ("cp311-cp311", "cp39-cp39", {"cp311-cp311"}),
    "what-no-build-makes": ("cp311-cp311", "cp311-none", set[str]()),
}


@pytest.mark.parametrize(("owed", "carried", "alike"), SPARED.values(), ids=SPARED)
def test_what_is_not_built_after_a_wheel_of_other_tags(world: World, owed: str, carried: str, alike: set[str]) -> None:
    builds = _builds(world, MATRIX)
    first = builds[CellKey(f"plain/{owed}-{PLATFORM}")]
    outcomes: dict[Key, Outcome] = {first.key: _refused(first, carried)}

    ended = {key for key, job in builds.items() if key != first.key and spared(job, outcomes) is not None}

    assert {key.address.removeprefix("plain/").rpartition("-")[0] for key in ended} == alike
    # The one that was refused is owed on the other platform, too.
    assert CellKey(f"plain/{owed}-manylinux_2_36_x86_64") in ended or not alike


def test_another_floor_is_built(world: World) -> None:
    recipe = f"{PLAIN.replace('[cp313]', '[cp39, cp311, cp313]')}abi3: [cp39, cp311]\nbuild: {{floor: project}}\n"
    builds = _builds(world, recipe)
    first, other = builds.values()

    assert spared(other, {first.key: _refused(first, "cp38-abi3")}) is None


def test_what_is_not_refused_for_its_tags_spares_nothing(world: World) -> None:
    first, other = list(_builds(world, BOTH).values())
    refused = _refused(first, "cp39-abi3")
    assert refused.record.before is not None
    passed = replace(refused, record=replace(refused.record, before=replace(refused.record.before, findings=())))

    assert spared(other, {first.key: refused}) is not None
    assert spared(other, {first.key: passed}) is None
    assert spared(other, {}) is None
    assert spared(MakeImage(name="lookalike"), {first.key: refused}) is None


def _builds(world: World, recipe: str) -> dict[CellKey, BuildCell]:
    held = "cp39 cp311 cp313 cp313t pp311"
    world.images = (
        *(make_image(held, platform=platform, rust=None) for platform in (PLATFORM, "manylinux_2_36_x86_64")),
        make_trial_image("cp311", PLATFORM),
    )
    jobs = jobs_of([world.planned(recipe)], workers=1)
    return {job.key: job for job in jobs if isinstance(job, BuildCell)}


def _refused(job: BuildCell, carried: str) -> Built:
    filename = f"plain-1.0-{carried}-linux_x86_64.whl"
    finding = Finding.of(RULES[RULE], filename, "has other tags")
    record = CellRecord(
        cell=job.cell,
        status="failed",
        built=make_artifact(b"", filename),
        before=Audit(rulings=(), findings=(finding,)),
    )
    return Built(record=record)
