"""Requirements that an index has only as sdists: each is built in a container of its own, once, and within limits."""

from dataclasses import replace

import pytest

from factory.report.proof import proof_lines
from factory.sessions.sources import Fetched
from tests.doubles.engine import Answer, Call
from tests.doubles.looking import calls_of, failure_of, images_of, only, values
from tests.doubles.projects import NEEDY, STABLE, instead, sdist_of
from tests.doubles.run import World
from tests.makers.plans import interpreters

DOCOPT = "docopt/cp313-cp313-manylinux_2_31_x86_64"
CELL = "needy/cp313-cp313-manylinux_2_31_x86_64"
ONLY_BUILT = NEEDY.replace("test: {requires: [docopt], run: echo tested}\n", "")
ONLY_TRIED = NEEDY.replace("requires: [docopt], constraints", "constraints")


def labels(world: World) -> list[str]:
    """Return the labels of the containers that were started, but for the tools' own."""
    return [spec.label for spec in world.engine.started if spec.label != "tools"]


def refusal_of(world: World, **sdists: tuple[str, ...]) -> str:
    """Return why a recipe fails whose build needs docopt, where the index has only sdists of these."""
    world.sdists |= sdists
    return failure_of(only(world.run(ONLY_BUILT))).message


def test_a_build_requirement_is_built_in_a_container_of_its_own_before_the_cell(world: World) -> None:
    world.sdists["docopt"] = ()

    record = only(world.run(ONLY_BUILT))

    assert (record.status, record.from_source) == ("passed", ("docopt 1.0",))
    assert labels(world)[:2] == [DOCOPT, CELL]
    (spec,) = [spec for spec in world.engine.started if spec.label == DOCOPT]
    assert (spec.network, spec.prepares) == (False, False)
    assert [material.stage for material in record.materials].count("requirement") == 1


def test_a_trials_requirement_is_built_in_the_image_that_built_the_wheel(world: World) -> None:
    world.sdists["docopt"] = ()

    record = only(world.run(ONLY_TRIED))

    assert record.status == "passed"
    assert (record.from_source, record.trials[0].from_source) == ((), ("docopt 1.0",))
    (built, *_), (tried,) = images_of(world, CELL), images_of(world, f"{CELL}@cp313")
    assert images_of(world, DOCOPT) == [built] != [tried]


def test_a_trial_that_fails_tells_what_was_built_for_it(world: World) -> None:
    world.sdists["docopt"] = ()
    world.engine.commands = instead("test", Answer(code=1, output="error: it does not work\n"))

    (trial,) = only(world.run(ONLY_TRIED)).trials

    assert (trial.outcome, trial.from_source) == ("failed", ("docopt 1.0",))


def test_what_a_build_and_its_trial_need_is_built_once(world: World) -> None:
    world.sdists["docopt"] = ()

    record = only(world.run(NEEDY))

    assert (record.from_source, record.trials[0].from_source) == (("docopt 1.0",), ("docopt 1.0",))
    assert labels(world).count(DOCOPT) == 1


def test_a_second_run_starts_no_container_and_still_tells_what_was_built(world: World) -> None:
    world.sdists["docopt"] = ()
    world.run(NEEDY)
    world.engine.started.clear()

    run = world.run(NEEDY)

    assert (world.engine.started, only(run).status) == ([], "cached")
    told = "built from source: docopt 1.0 (only an sdist on the index fits), for 1 wheel"
    assert told in list(proof_lines(run))


def test_the_run_says_so_when_it_builds_one(world: World) -> None:
    world.sdists["docopt"] = ()
    world.run(ONLY_BUILT)

    events = (world.evidence / "events.jsonl").read_text()

    assert f'"subject": "{CELL}", "text": "built from source: docopt 1.0 (only an sdist on the index fits)"' in events


@pytest.mark.parametrize(("flag", "again"), [("fresh", [DOCOPT, CELL]), ("update", [])])
def test_no_cache_builds_it_again_and_update_only_asks_the_index(world: World, flag: str, again: list[str]) -> None:
    world.sdists["docopt"] = ()
    world.run(ONLY_BUILT)
    world.engine.started.clear()
    setattr(world, flag, True)

    assert only(world.run(ONLY_BUILT)).passed
    assert labels(world)[:2] == again


def test_once_the_index_has_a_wheel_an_update_uses_it(world: World) -> None:
    world.sdists["docopt"] = ()
    world.run(ONLY_BUILT)
    del world.sdists["docopt"]
    assert only(world.run(ONLY_BUILT)).from_source == ("docopt 1.0",)
    world.update = True

    assert only(world.run(ONLY_BUILT)).from_source == ()
    world.update = False
    assert only(world.run(ONLY_BUILT)).from_source == ()


def test_the_recipes_constraints_hold_for_its_build_and_the_rest_of_the_recipe_does_not(world: World) -> None:
    world.sdists["docopt"] = ()
    world.run(ONLY_BUILT.replace("build: {", "build: {env: {COLOUR: blue}, "))

    inputs = [entry.document["inputs"] for entry in world.remembered()["resolve"]]

    asked = [(each["requirements"], each["constraints"]) for each in inputs if isinstance(each, dict)]
    assert (["setuptools"], ["setuptools<81"]) in asked
    assert values(calls_of(world, "build"), "COLOUR") == {None, "blue"}


def test_an_sdist_that_needs_another_gets_it_built_first(world: World) -> None:
    world.sdists |= {"docopt": ("inner",), "inner": ()}

    record = only(world.run(ONLY_BUILT))

    assert record.from_source == ("inner 1.0", "docopt 1.0")
    assert [label.partition("/")[0] for label in labels(world)][:3] == ["inner", "docopt", "needy"]


def test_a_cycle_is_a_sentence(world: World) -> None:
    message = refusal_of(world, docopt=("inner",), inner=("docopt",))

    assert message.endswith(
        "docopt 1.0 needs inner 1.0 to be built, which needs docopt 1.0 to be built: no index has a wheel that fits"
    )


def test_sdists_that_need_one_another_are_built_three_deep(world: World) -> None:
    message = refusal_of(world, docopt=("b",), b=("c",), c=("d",), d=())

    assert "docopt 1.0 needs b 1.0 to be built, which needs c 1.0 to be built, which needs d 1.0" in message
    assert message.endswith("at most 3 sdists are built for one another")
    assert calls_of(world, "build") == []


def test_ten_sdists_are_built_for_a_build_and_not_one_more(world: World) -> None:
    many = {f"p{number}": () for number in range(10)}
    message = refusal_of(world, docopt=tuple(many), **many)

    assert "has to be built from its sdist, after " in message
    assert message.endswith("at most 10 are")


def test_one_that_cannot_be_built_fails_the_cell_with_its_own_reason_and_log(world: World) -> None:
    world.sdists["docopt"] = ()
    world.engine.commands = instead(
        "build", Answer(code=1, output="docopt.c:1:10: error: no such thing\n"), of="docopt/"
    )

    record = only(world.run(ONLY_BUILT))

    failure = failure_of(record)
    assert (record.status, failure.step) == ("failed", "build")
    assert failure.message == "docopt 1.0 could not be built from its sdist: docopt.c:1:10: error: no such thing"
    assert failure.hint.startswith("constrain it to a version that has a wheel")
    assert failure.log.startswith(f"logs/{DOCOPT}/")


def test_what_the_image_lacks_for_it_is_a_line_of_the_recipe(world: World) -> None:
    world.sdists["docopt"] = ()
    output = "docopt.c:1:10: fatal error: ffi.h: No such file or directory\ncompilation terminated.\n"
    world.engine.commands = instead("build", Answer(code=1, output=output), of="docopt/")

    failure = failure_of(only(world.run(ONLY_BUILT)))

    assert failure.hint.startswith("build: {system: {apt: [libffi-dev]}} installs it")
    assert "; or constrain it to a version that has a wheel" in failure.hint


def test_one_that_cannot_be_read_fails_the_cell(world: World) -> None:
    message = refusal_of(world, docopt=("not a requirement !",))

    assert message.startswith("docopt 1.0 could not be built from its sdist: pyproject.toml")


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("docopt-1.0-cp39-cp39-linux_x86_64.whl", "docopt-1.0-cp39-cp39-linux_x86_64.whl does not run on cp313"),
        ("docopt-2.0-py3-none-any.whl", "expected a wheel of version 1.0, but one of 2.0 came out"),
        ("other-1.0-py3-none-any.whl", "expected a wheel of docopt, but one of other came out"),
        ("docopt-1.0.whl", "docopt-1.0.whl does not end in python-abi-platform"),
    ],
)
def test_a_wheel_that_is_not_the_one_that_is_needed_is_refused(world: World, filename: str, reason: str) -> None:
    def another(call: Call) -> Answer:
        call.files.write(f"/work/built/{filename}", b"")
        return Answer()

    world.engine.commands = instead("build", another, of="docopt/")

    assert refusal_of(world, docopt=()).endswith(reason)


def test_an_sdist_of_another_project_is_refused(world: World) -> None:
    """The index lists it as one of docopt; its own metadata and its wheel have another name."""
    world.sdists["docopt"] = ()
    other = world.store.put_file(sdist_of("other", world.folder))
    own = world.store.put_file(sdist_of("needy", world.folder))
    world.answers[Fetched] = lambda stage: Fetched(file=other if stage.sdist == "docopt==1.0" else own)

    def build_other(call: Call) -> Answer:
        call.files.write("/work/built/other-1.0-py3-none-any.whl", b"")
        return Answer()

    world.engine.commands = instead("build", build_other, of="docopt/")

    message = failure_of(only(world.run(ONLY_BUILT))).message

    assert message.endswith("expected a wheel of docopt 1.0, but other-1.0-py3-none-any.whl came out")


def test_an_sdist_is_not_built_by_an_interpreter_that_the_build_image_lacks(world: World) -> None:
    world.sdists["docopt"] = ()
    builds, *trials = world.images
    world.images = (replace(builds, interpreters=interpreters("cp311")), *trials)

    record = only(world.run(STABLE.replace("test: {run: echo", "test: {requires: [docopt], run: echo")))

    first, second = record.trials
    assert (first.outcome, second.outcome) == ("passed", "failed")
    assert second.failure is not None
    assert second.failure.message.endswith("where that is done, has no cp313")
