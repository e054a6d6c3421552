"""What a cell takes from its containers, what it refuses, and what of it is done again."""

import json
from collections.abc import Mapping

import pytest

from factory.digest import Digest
from factory.keys import key
from tests.doubles.engine import Answer, Call, Commands
from tests.doubles.looking import failure_of, only
from tests.doubles.projects import PLAIN, WORDS, instead, module_of, programs, stored_wheel
from tests.doubles.run import World
from tests.makers.objects import make_module

RAW = "plain-1.0-cp313-cp313-linux_x86_64.whl"
REPAIRED = "plain-1.0-cp313-cp313-manylinux_2_31_x86_64.whl"
MODULE = module_of("plain", "cp313")
GOOD = {MODULE: make_module()}
BAD = Answer(code=1, output="error: it does not work\n")
ONE_WORD = WORDS.replace("[cp311, cp313]", "[cp313]")


def leaving(*wheels: tuple[str, Mapping[str, bytes]], folder: str = "built") -> Commands:
    """Leave these wheels in a folder of the workspace, beside a file that is none."""

    def answer(call: Call) -> Answer:
        call.files.write(f"/work/{folder}/notes.txt", b"")
        for filename, files in wheels:
            call.files.write(f"/work/{folder}/{filename}", stored_wheel(filename, files))
        return Answer()

    return answer


@pytest.mark.parametrize(
    ("wheels", "message"),
    [
        pytest.param((), "0 came out", id="none"),
        pytest.param(((RAW, GOOD), ("plain-2.0-py3-none-any.whl", {})), "2 came out", id="two"),
        pytest.param((("spam-1.0-cp313-cp313-linux_x86_64.whl", GOOD),), "but one of spam came out", id="another's"),
    ],
)
def test_one_wheel_of_the_project_is_owed(
    world: World, wheels: tuple[tuple[str, Mapping[str, bytes]], ...], message: str
) -> None:
    world.engine.commands = instead("build", leaving(*wheels))

    record = only(world.run(PLAIN))

    assert (record.status, failure_of(record).step) == ("failed", "build")
    assert message in failure_of(record).message
    assert "build" not in world.remembered()


def test_a_release_gives_a_wheel_of_its_own_version(world: World) -> None:
    files = {module_of("words", "cp313"): make_module()}
    world.engine.commands = instead("build", leaving(("words-2.0-cp313-cp313-linux_x86_64.whl", files)))

    record = only(world.run(ONE_WORD))

    assert "but one of 2.0 came out" in failure_of(record).message


@pytest.mark.parametrize(("step", "folder", "filename"), [("build", "built", RAW), ("repair", "repaired", REPAIRED)])
def test_a_wheel_with_a_value_that_was_passed_is_refused_and_not_kept(
    world: World, step: str, folder: str, filename: str
) -> None:
    filename = filename.replace("plain", "words")
    files = {module_of("words", "cp313"): make_module(), "words/secret.txt": b"t0ps3cret-word"}
    world.engine.commands = instead(step, leaving((filename, files), folder=folder))

    record = only(world.run(ONE_WORD))

    assert (record.status, failure_of(record).step) == ("failed", step)
    assert "holds the value of TOKEN in words/secret.txt" in failure_of(record).message
    assert not world.store.has(Digest.of(stored_wheel(filename, files)))


def test_a_wheel_that_the_gate_refuses_is_not_repaired_and_is_judged_again(world: World) -> None:
    linked = {MODULE: make_module(needed=["libpython3.13.so.1.0"])}
    world.engine.commands = instead("build", leaving((RAW, linked)))

    record = only(world.run(PLAIN))
    again = only(world.run(PLAIN))

    assert (record.status, failure_of(record).step) == ("failed", "audit of the built wheel")
    assert failure_of(record).message.startswith("libpython-linked: ")
    assert record.before is not None
    assert not record.before.passed
    assert record.repair is None
    assert failure_of(again) == failure_of(record)
    assert "audit" not in world.remembered()


PRINTED = "core.c:1:10: fatal error: ffi.h: No such file or directory\nskipping the extension\n"
ADVICE = "build: {system: {apt: [libffi-dev]}} installs it, by a list of Debian bullseye's packages"


def printing(output: str, filename: str, files: Mapping[str, bytes]) -> Commands:
    """Leave a wheel after printing something."""

    def answer(call: Call) -> Answer:
        leaving((filename, files))(call)
        return Answer(output=output)

    return answer


def test_a_wheel_without_its_extension_is_refused_with_the_library_that_the_build_lacked(world: World) -> None:
    files = {"plain/__init__.py": b""}
    world.engine.commands = instead("build", printing(PRINTED, RAW, files))

    record = only(world.run(PLAIN))

    assert failure_of(record).message.startswith("pure-wheel: ")
    assert failure_of(record).message.endswith(
        "; the build went on after: core.c:1:10: fatal error: ffi.h: No such file or directory"
    )
    assert failure_of(record).hint == ADVICE


def test_a_wheel_of_a_project_that_compiles_nothing_is_refused_with_the_command_that_makes_it(world: World) -> None:
    files = {"plain/__init__.py": b""}
    world.engine.commands = instead("build", leaving(("plain-1.0-py3-none-any.whl", files)))

    failure = failure_of(only(world.run(PLAIN)))

    assert "needs no recipe: `python -m build` makes its wheel" in failure.hint


def test_a_refusal_for_another_reason_says_nothing_of_what_the_build_did_without(world: World) -> None:
    linked = {MODULE: make_module(needed=["libpython3.13.so.1.0"])}
    world.engine.commands = instead("build", printing(PRINTED, RAW, linked))

    assert "ffi.h" not in failure_of(only(world.run(PLAIN))).message


def test_a_guessed_module_that_the_build_left_out_is_noted_with_the_library(world: World) -> None:
    world.engine.commands = instead("build", printing(PRINTED, RAW, GOOD))

    record = only(world.run(PLAIN + "audit: {guessed-modules: [plain.core, plain.fast]}\n"))

    assert record.status == "passed"
    told = [json.loads(line)["event"] for line in (world.evidence / "events.jsonl").read_text().splitlines()]
    (note,) = (event["text"] for event in told if "guessed" in event.get("text", ""))
    assert note.startswith("plain.fast was guessed and is not in the wheel")
    assert note.endswith(
        f"the build went on after: core.c:1:10: fatal error: ffi.h: No such file or directory; {ADVICE}"
    )


def test_a_repaired_wheel_that_the_gate_refuses_is_not_tried(world: World) -> None:
    world.engine.commands = instead("repair", leaving((RAW, GOOD), folder="repaired"))

    record = only(world.run(PLAIN))

    assert (record.status, failure_of(record).step) == ("failed", "audit of the repaired wheel")
    assert [trial.outcome for trial in record.trials] == ["blocked"]


def test_a_repair_that_does_more_than_it_may_is_refused(world: World) -> None:
    files = {**GOOD, "plain/more.py": b"more = 1\n"}
    world.engine.commands = instead("repair", leaving((REPAIRED, files), folder="repaired"))

    record = only(world.run(PLAIN))

    assert (record.status, failure_of(record).step) == ("failed", "repair")
    assert "plain/more.py was added" in failure_of(record).message
    assert "repair" not in world.remembered()


def steps_of(world: World) -> list[str]:
    """Return the steps of the last run's cell that had a log, in their order."""
    folder = world.evidence / "logs/plain/cp313-cp313-manylinux_2_31_x86_64"
    return [path.stem.partition("-")[2] for path in sorted(folder.glob("*.log"))]


def test_a_repair_that_fails_for_a_remembered_wheel_is_done_once_more_after_a_build(world: World) -> None:
    """The libraries that are grafted may be what the build left in its workspace."""
    world.engine.commands = instead("repair", BAD)
    first = only(world.run(PLAIN))
    world.engine.commands = instead("repair", BAD)

    second = only(world.run(PLAIN))

    assert (first.status, second.status) == ("failed", "passed")
    assert steps_of(world) == ["environment", "repair", "reset-source", "install", "build", "repair"]


def test_a_repair_that_fails_after_its_own_build_is_not_done_again(world: World) -> None:
    world.engine.commands = instead("repair", BAD)

    record = only(world.run(PLAIN))

    assert record.status == "failed"
    assert steps_of(world)[-2:] == ["build", "repair"]


def test_a_repair_that_fails_after_its_second_build_fails_the_cell(world: World) -> None:
    world.engine.commands = instead("repair", BAD)
    world.run(PLAIN)
    world.engine.commands = instead("repair", BAD, BAD)

    record = only(world.run(PLAIN))

    assert (record.status, failure_of(record).step) == ("failed", "repair")


@pytest.mark.parametrize(
    ("stage", "steps", "status"),
    [
        pytest.param("trial", [], "passed", id="trial"),
        pytest.param("load", [], "passed", id="load"),
        pytest.param("repair", ["environment", "repair"], "passed", id="repair"),
        pytest.param("audit", [], "cached", id="audit"),
        pytest.param("build", ["environment", "install", "build"], "passed", id="build"),
        pytest.param("prepare", ["environment", "install", "requirements", "reset-source"], "passed", id="prepare"),
    ],
)
def test_only_what_is_not_remembered_is_done(world: World, stage: str, steps: list[str], status: str) -> None:
    world.run(PLAIN)
    world.forget(stage)

    record = only(world.run(PLAIN))

    assert record.status == status
    assert steps_of(world) == steps


def asking(content: bytes | None) -> Commands:
    """Answer the requirements hook with this file."""

    def answer(call: Call) -> Answer:
        if content is not None:
            call.files.write("/work/built/requires.json", content)
        return Answer()

    return answer


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "holds no /work/built/requires.json", id="no file"),
        pytest.param(b"no json", "the backend's requirements hook", id="no JSON"),
        pytest.param(b'{"a": 1}', "list of at most", id="no list"),
        pytest.param(b"[1]", "not text", id="no text"),
        pytest.param(b'["a b c"]', "a b c", id="no requirement"),
        pytest.param(json.dumps(["a"] * 1001).encode(), "list of at most", id="too many"),
        pytest.param(b" " * (2 << 20), "more than the", id="too large"),
    ],
)
def test_what_is_no_list_of_requirements_fails_the_cell(world: World, content: bytes | None, message: str) -> None:
    world.engine.commands = instead("requirements", asking(content))

    record = only(world.run(PLAIN))

    assert (record.status, failure_of(record).step) == ("failed", "requirements")
    assert message in failure_of(record).message
    assert "prepare" not in world.remembered()


def test_a_hook_that_asks_for_a_passed_value_fails_the_cell(world: World) -> None:
    world.engine.commands = instead("requirements", asking(b'["t0ps3cret-word"]'))

    record = only(world.run(ONE_WORD))

    assert "the value of TOKEN" in failure_of(record).message


def test_the_build_begins_with_the_source_as_it_was_before_the_hook(world: World) -> None:
    seen: list[bytes | None] = []

    def hook(call: Call) -> Answer:
        call.files.write("/work/source/left.txt", b"by the hook")
        return programs(call)

    def build(call: Call) -> Answer:
        seen.extend(call.read(f"/work/source/{name}") for name in ("left.txt", "pyproject.toml"))
        return programs(call)

    world.engine.commands = both(instead("requirements", hook), instead("build", build))

    assert only(world.run(PLAIN)).status == "passed"
    assert seen[0] is None
    assert seen[1]


def both(first: Commands, second: Commands) -> Commands:
    """Answer build steps by the second, and all else by the first."""

    def answer(call: Call) -> Answer:
        return second(call) if '"hook": "wheel"' in call.argv[-1] else first(call)

    return answer


def test_a_passed_value_reaches_the_build_and_no_key(world: World) -> None:
    seen: list[str] = []

    def build(call: Call) -> Answer:
        seen.append(call.env["TOKEN"])
        return programs(call)

    world.engine.commands = instead("build", build)
    world.run(ONE_WORD)

    assert seen == ["t0ps3cret-word"]
    ledger = (world.store.path / "ledger").rglob("*.json")
    assert not any("t0ps3cret-word" in path.read_text() for path in ledger)


def test_a_record_names_the_results_that_its_wheel_was_made_of(world: World) -> None:
    first = only(world.run(PLAIN))
    again = only(world.run(PLAIN))

    remembered = {(stage, str(key(entry.document))) for stage, held in world.remembered().items() for entry in held}
    stages = [material.stage for material in first.materials]
    assert stages == ["resolve", "prepare", "resolve", "build", "audit", "repair", "audit"]
    assert {(material.stage, str(material.key)) for material in first.materials} <= remembered
    assert [material.key for material in again.materials] == [material.key for material in first.materials]
    assert not any(material.from_store for material in first.materials)
    assert all(material.from_store for material in again.materials)
