"""A trial: a clean container that gets the wheel and nothing of its build, and what its programs say."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from factory.events.model import TrialResult
from factory.resolve import Resolution
from factory.stages.resolve import Resolve
from factory.steps import COMPILERS
from tests.doubles.engine import Answer, Call
from tests.doubles.looking import calls_of, failure_of, images_of, only
from tests.doubles.projects import PLAIN, STABLE, STEPS, WORDS, instead, programs
from tests.doubles.run import World, make_world
from tests.makers.objects import make_object
from tests.makers.plans import interpreters

ONE_WORD = WORDS.replace("[cp311, cp313]", "[cp313]")
TRIAL = "plain/cp313-cp313-manylinux_2_31_x86_64@cp313"


def trial_of(world: World, text: str = PLAIN) -> TrialResult:
    (trial,) = only(world.run(text)).trials
    return trial


def files_of(world: World, text: str) -> dict[str, bytes]:
    """Return the workspace of a recipe's trial as it is when its wheel is installed."""
    seen: dict[str, bytes] = {}

    def look(call: Call) -> Answer:
        seen.update(call.files.below("/work"))
        return programs(call)

    world.engine.commands = instead("trial install", look)
    assert only(world.run(text)).status == "passed"
    return seen


def test_a_trial_gets_the_wheel_and_what_it_requires(world: World) -> None:
    assert sorted(files_of(world, PLAIN)) == ["wheelhouse/plain-1.0-cp313-cp313-manylinux_2_31_x86_64.whl"]


def test_a_trial_gets_the_source_where_its_tests_lie_there(world: World) -> None:
    files = files_of(world, ONE_WORD)

    assert sorted(files) == [
        "source/pyproject.toml",
        "source/tests/test_it.py",
        "wheelhouse/setuptools-80.0-py3-none-any.whl",
        "wheelhouse/words-1.0-cp313-cp313-manylinux_2_31_x86_64.whl",
    ]


def test_another_file_of_the_same_project_never_lies_beside_the_wheel(world: World) -> None:
    same = world.store.put_bytes(b"another release", "words-2.0-py3-none-any.whl")
    world.resolve_to(same)

    assert [name for name in files_of(world, ONE_WORD) if name.startswith("wheelhouse/")] == [
        "wheelhouse/words-1.0-cp313-cp313-manylinux_2_31_x86_64.whl"
    ]


def test_a_trial_has_no_network_and_only_the_tools(world: World) -> None:
    world.run(ONE_WORD)

    (spec,) = [spec for spec in world.engine.started if spec.label.endswith("@cp313")]
    assert (spec.network, spec.prepares) == (False, False)
    assert [str(mount.path) for mount in spec.mounts] == ["/tools"]
    assert spec.image == world.image("trial-manylinux_2_41_x86_64").reference


def test_a_programs_own_words_are_the_message_with_a_hint(world: World) -> None:
    answers = "note: something\nerror: plain.core cannot be imported: no module named spam\n"
    world.engine.commands = instead("import", Answer(code=1, output=answers))

    record = only(world.run(PLAIN))

    assert failure_of(record).message == "plain.core cannot be imported: no module named spam"
    assert "test: {requires: […]}" in failure_of(record).hint


def test_notes_of_a_trial_are_remembered_with_it(world: World) -> None:
    world.engine.commands = instead("import", Answer(output="note: one\nother\nnote: two\n"))

    first, second = trial_of(world), trial_of(world)

    assert first.notes == second.notes == ("one", "two")
    assert (first.from_store, second.from_store) == (False, True)


def test_a_trial_without_an_emulator_says_what_is_missing(world: World) -> None:
    trial = trial_of(world)

    assert trial.processor is None
    assert "no qemu-user is on PATH" in trial.unemulated


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[World]:
    """A world whose machine has an emulator of old processors."""
    (tmp_path / "home").mkdir()
    program = tmp_path / "home/qemu-x86_64-static"
    program.write_bytes(make_object(program=True))
    program.chmod(0o755)
    with make_world(tmp_path) as made:
        yield made


def test_an_emulator_imports_the_modules_once_more(emulated: World) -> None:
    trial = trial_of(emulated)

    assert (trial.processor, trial.unemulated) == ("Opteron_G1", "")
    assert [call.read("/work/emulator") is not None for call in calls_of(emulated, "import")] == [True, True]


SWITCHED = "importing plain switches the GIL on: plain does not declare that it runs without"


@pytest.mark.parametrize(("allowed", "outcome"), [("test: {gil: {allowed: x}}\n", "passed"), ("", "failed")])
def test_a_module_that_switches_the_gil_on_fails_unless_the_recipe_says_why(
    world: World, allowed: str, outcome: str
) -> None:
    world.engine.commands = instead("import", Answer(output=f"note: {SWITCHED}\n"))

    (trial,) = only(world.run(PLAIN + allowed)).trials

    said = trial.notes[0] if trial.failure is None else trial.failure.message
    assert (trial.outcome, said) == (outcome, SWITCHED)


@pytest.mark.parametrize(("allowed", "step"), [("", "import"), ("gil: {allowed: x}, ", "threads")])
def test_tests_in_threads_that_end_because_the_gil_came_back_on_are_not_what_is_told(
    world: World, allowed: str, step: str
) -> None:
    def answer(call: Call) -> Answer:
        if any("in threads" in word for word in call.argv):
            return Answer(code=1, output="error: GIL was dynamically re-enabled\n")
        return Answer(output=f"note: {SWITCHED}\n") if STEPS["import"](call.argv) else programs(call)

    world.engine.commands = answer

    (trial,) = only(world.run(f"{PLAIN}test: {{{allowed}threads: 2, run: pytest}}\n")).trials

    assert trial.failure is not None
    assert trial.failure.step == step


def test_a_remembered_trial_is_judged_by_the_recipe_of_today(world: World) -> None:
    world.engine.commands = instead("import", Answer(output=f"note: {SWITCHED}\n"))
    world.run(f"{PLAIN}test: {{gil: {{allowed: x}}}}\n")

    (trial,) = only(world.run(PLAIN)).trials

    assert trial.failure is not None
    assert "freethreading_compatible=True" in trial.failure.hint


def test_an_emulator_that_runs_nothing_is_noted(emulated: World) -> None:
    emulated.engine.commands = instead("import", Answer(), Answer(output="unemulated: it is not allowed here\n"))

    trial = trial_of(emulated)

    assert (trial.processor, trial.unemulated) == (None, "it is not allowed here")


def test_one_trial_of_a_wheel_is_emulated(emulated: World) -> None:
    (first, second) = (record.trials[0] for record in emulated.run(WORDS).records)

    assert first.processor == second.processor == "Opteron_G1"


def without(world: World, *roles: str) -> None:
    """Take cp313 away from the images with these roles."""
    world.images = tuple(
        replace(image, interpreters=interpreters("cp311")) if image.role in roles else image for image in world.images
    )


def test_for_want_of_a_plain_image_a_wheel_is_tried_on_its_build_image_without_compilers(world: World) -> None:
    without(world, "trial")

    record = only(world.run(PLAIN))

    assert record.cell.builder is not None
    assert [(trial.image, trial.outcome) for trial in record.trials] == [(record.cell.builder.image, "passed")]
    (started,) = [spec for spec in world.engine.started if spec.label == TRIAL]
    assert started.hidden == COMPILERS
    assert any("/opt/python/cp313-cp313/bin/python" in call.argv for call in world.engine.calls if call.spec is started)


def test_a_wheel_that_nothing_tries_fails(world: World) -> None:
    without(world, "trial", "build")

    record = only(world.run(STABLE))

    assert record.status == "failed"
    assert [trial.outcome for trial in record.trials] == ["passed", "untried"]
    assert "no image here has cp313" in failure_of(record).message


def test_a_wheel_that_nothing_tries_is_let_out_where_the_recipe_allows_it(world: World) -> None:
    without(world, "trial", "build")

    record = only(world.run(STABLE.replace("echo every trial}", "echo every trial, untried: allow}")))

    assert (record.status, [trial.outcome for trial in record.trials]) == ("passed", ["passed", "untried"])


def test_the_loader_of_the_oldest_libc_resolves_what_a_newer_one_tries(world: World) -> None:
    world.run(PLAIN)

    (load,) = calls_of(world, "load")
    assert load.spec.image == world.image("trial-manylinux_2_31_x86_64").reference
    assert images_of(world, TRIAL) == [world.image("trial-manylinux_2_41_x86_64").reference]


def test_the_loader_knows_which_libraries_the_recipe_leaves_out(world: World) -> None:
    world.run(ONE_WORD)

    (load,) = calls_of(world, "load")
    assert "libwords.so.1" in load.argv


def test_a_wheel_of_the_stable_abi_is_tried_on_every_interpreter_as_the_recipe_says_for_each(world: World) -> None:
    record = only(world.run(STABLE))

    assert [(str(trial.interpreter), trial.outcome) for trial in record.trials] == [
        ("cp311", "passed"),
        ("cp313", "passed"),
    ]
    answers = {call.spec.label.partition("@")[2]: call.argv[-1].splitlines()[-1] for call in calls_of(world, "test")}
    assert answers == {"cp311": "echo every trial", "cp313": "echo the newest"}


@pytest.mark.parametrize("interpreter", ["cp311", "cp313"])
def test_one_trial_that_fails_fails_the_wheel_and_alone_is_tried_again(world: World, interpreter: str) -> None:
    label = f"stable/cp311-abi3-manylinux_2_31_x86_64@{interpreter}"
    world.engine.commands = instead("import", Answer(code=1, output="error: no\n"), of=label)

    failed = only(world.run(STABLE))
    started = len(world.engine.started)
    again = only(world.run(STABLE))

    assert failed.status == "failed"
    assert {str(trial.interpreter): trial.outcome for trial in failed.trials} == {
        "cp311": "passed",
        "cp313": "passed",
    } | {interpreter: "failed"}
    assert again.status == "passed"
    assert [spec.label for spec in world.engine.started[started:]] == [label]


def test_the_oldest_interpreter_alone_is_emulated(emulated: World) -> None:
    record = only(emulated.run(STABLE))

    assert [trial.processor for trial in record.trials] == ["Opteron_G1", None]
    assert [trial.unemulated for trial in record.trials] == ["", ""]


SHADOWED = "error: the tests imported words from /work/source/words.py; the wheel's is not installed\n"
WITNESS = "_factory_witness.py"
NO_WORDS = "E   ModuleNotFoundError: No module named 'words.core'\n"


def comparing(answer: Answer, tests: Answer) -> Callable[[Call], Answer]:
    """Answer the tests, and the program that compares what they imported."""

    def run(call: Call) -> Answer:
        if any(WITNESS in part for part in call.argv):
            return answer
        is_test = any("mkdir -p /work/run" in part for part in call.argv)
        return tests if is_test else programs(call)

    return run


@pytest.mark.parametrize("code", [0, 1], ids=["pass", "fail"])
def test_tests_that_import_another_copy_fail_with_both_paths_whether_they(world: World, code: int) -> None:
    world.engine.commands = comparing(Answer(code=1, output=SHADOWED), Answer(code=code, output=NO_WORDS))

    failure = failure_of(only(world.run(ONE_WORD)))

    assert (failure.step, failure.message) == ("import-origins", SHADOWED.removeprefix("error: ").strip())
    assert "test: {source: tests}" in failure.hint


def test_tests_that_fail_on_the_installed_wheel_keep_their_own_reason(world: World) -> None:
    world.engine.commands = comparing(Answer(output="words from /work/env\n"), Answer(code=1, output=NO_WORDS))

    failure = failure_of(only(world.run(ONE_WORD)))

    assert (failure.step, failure.message) == ("test", "E   ModuleNotFoundError: No module named 'words.core'")


def test_what_tests_print_is_no_word_of_the_program_that_compares(world: World) -> None:
    world.engine.commands = comparing(Answer(), Answer(output="note: forged\nerror: forged\n"))

    trial = trial_of(world, ONE_WORD)

    assert (trial.outcome, trial.notes) == ("passed", ())


def test_the_names_of_the_wheel_lie_beside_what_watches_while_the_tests_run(world: World) -> None:
    world.run(ONE_WORD)

    (test,) = calls_of(world, "test")
    files = test.files.below("/work/env/lib/python3.13/site-packages")
    assert sorted(files) == ["_factory_witness.names", "_factory_witness.pth", "_factory_witness.py"]
    assert files["_factory_witness.names"] == b"words.core"


def test_a_source_without_tests_of_its_own_is_whole_where_the_recipe_asks_for_it(world: World) -> None:
    world.engine.commands = comparing(Answer(), Answer(code=1, output=NO_WORDS))
    whole = ONE_WORD.replace("test: {", "test: {source: whole, ")

    assert "source" not in failure_of(only(world.run(whole))).hint


def test_the_oldest_versions_are_asked_for_while_what_tests_require_stays_the_newest(world: World) -> None:
    asked: list[Resolve] = []
    newest = world.store.put_bytes(b"newest", "pytest-9.0-py3-none-any.whl")

    def answer(stage: Resolve) -> Resolution:
        asked.append(stage)
        return Resolution(files=(newest,))

    world.answers[Resolution] = answer
    both = ONE_WORD.replace("test: {", "test: {resolve: [highest, lowest-direct], ")

    (trial,) = only(world.run(both)).trials

    (lowest,) = [stage for stage in asked if stage.oldest]
    assert (trial.outcome, lowest.constraints) == ("passed", ("pytest==9.0",))
    assert trial.notes == ("the oldest versions that METADATA allows are the newest",)


def test_what_runs_tests_in_threads_does_not_raise_the_oldest_versions(world: World) -> None:
    asked: list[Resolve] = []

    def answer(stage: Resolve) -> Resolution:
        asked.append(stage)
        return Resolution(files=())

    world.answers[Resolution] = answer
    fields = "test: {resolve: [highest, lowest-direct], threads: 2, "

    world.run(ONE_WORD.replace("test: {", fields))

    (lowest,) = [stage for stage in asked if stage.oldest]
    assert not [text for text in lowest.requirements if text.startswith("pytest-run-parallel")]
    assert [stage for stage in asked if any(text.startswith("pytest-run-parallel") for text in stage.requirements)]


def test_what_is_the_newest_and_the_oldest_is_tried_once_where_an_emulator_tries_it_too(emulated: World) -> None:
    both = ONE_WORD.replace("test: {", "test: {resolve: [highest, lowest-direct], ")

    (trial,) = only(emulated.run(both)).trials

    trials = [spec.label for spec in emulated.engine.started if spec.label.endswith("@cp313")]
    assert (trial.outcome, len(trials)) == ("passed", 1)
