"""`audit.against`: wheels of a run beside those of the newest older release, on an index of this machine."""

from collections.abc import Iterator, Mapping

import pytest

from factory.report.proof import proof_lines
from tests.doubles.engine import Answer, Call, Commands
from tests.doubles.looking import failure_of, only
from tests.doubles.projects import PLAIN, STEPS, module_of, programs, stored_wheel
from tests.doubles.run import World, make_world
from tests.makers.index import Index, serve_index
from tests.makers.objects import make_module

RAW = "plain-1.0-cp313-cp313-linux_x86_64.whl"
REPAIRED = "plain-1.0-cp313-cp313-manylinux_2_31_x86_64.whl"
OLDER = "plain-0.9-cp312-cp312-manylinux_2_17_x86_64.whl"
NEW_FILES = {module_of("plain", "cp313"): make_module()}
OLD_FILES = {module_of("plain", "cp312"): make_module()}
RELEASE = PLAIN.replace(next(line for line in PLAIN.splitlines() if "source" in line), "source: {sdist: plain==1.0}")
STUBS = {"plain/core.pyi": b"answer: int\n"}


@pytest.fixture
def index() -> Iterator[Index]:
    with serve_index() as served:
        yield served


@pytest.fixture
def world(index: Index) -> Iterator[World]:
    with make_world(None, UV_DEFAULT_INDEX=f"{index.url}/simple/") as made:
        made.engine.commands, made.asks_index = leaving(NEW_FILES), True
        yield made


def leaving(files: Mapping[str, bytes]) -> Commands:
    """Have a build and its repair leave a wheel of these files."""

    def answer(call: Call) -> Answer:
        if STEPS["build"](call.argv):
            call.files.write(f"/work/built/{RAW}", stored_wheel(RAW, files))
        elif STEPS["repair"](call.argv):
            call.files.write(f"/work/repaired/{REPAIRED}", stored_wheel(REPAIRED, files))
        else:
            return programs(call)
        return Answer()

    return answer


def asking(**limits: str) -> str:
    against = ", ".join(f"{name}: {limit}" for name, limit in limits.items())
    return f"{PLAIN}audit: {{against: {{{against}}}}}\n"


def test_a_wheel_that_lost_its_stubs_is_refused_and_one_that_has_them_is_not(world: World, index: Index) -> None:
    index.files[OLDER] = stored_wheel(OLDER, OLD_FILES | STUBS)

    refused = only(world.run(asking(lost="error")))
    world.engine.commands = leaving(NEW_FILES | STUBS)
    world.update = world.fresh = True
    passed = only(world.run(asking(lost="error")))

    assert (refused.status, failure_of(refused).step) == ("failed", "compare")
    assert failure_of(refused).message == f"lacks what {OLDER} has: 1 stub: plain.core"
    assert passed.status == "passed"


def test_what_no_limit_refuses_is_a_note_and_a_recipe_that_does_not_ask_has_none(world: World, index: Index) -> None:
    index.files[OLDER] = stored_wheel(OLDER, OLD_FILES | STUBS)

    noted = world.run(asking())
    silent = world.run(PLAIN)

    assert only(noted).passed
    (line,) = (line for line in proof_lines(noted) if line.startswith("against"))
    assert line.startswith(f"against plain-0.9: {only(noted).cell.address}: lost: 1 stub: plain.core; ")
    assert only(silent).against is None


def test_a_release_of_the_index_is_compared_by_default(world: World, index: Index) -> None:
    index.files[OLDER] = stored_wheel(OLDER, OLD_FILES | STUBS)

    noted = world.run(RELEASE)
    told_not_to = world.run(f"{RELEASE}audit: {{against: {{compare: false}}}}\n")

    assert only(noted).passed
    assert any(line.startswith("against plain-0.9: ") for line in proof_lines(noted))
    assert only(told_not_to).against is None


def test_by_default_an_index_that_has_no_such_wheel_to_give_is_said_and_the_wheel_passes(
    world: World, index: Index
) -> None:
    index.files[OLDER] = stored_wheel(OLDER, OLD_FILES)
    index.listed_sha256[OLDER] = "0" * 64

    record = only(world.run(RELEASE))

    assert (record.passed, record.against) == (True, None)
    said = f"not compared with an older release: the older release cannot be fetched: {OLDER} has sha256:"
    assert said in (world.evidence / "events.jsonl").read_text()


def test_a_wheel_that_grew_by_more_than_the_recipe_allows_is_refused_with_what_grew(world: World, index: Index) -> None:
    index.files[OLDER] = stored_wheel(OLDER, OLD_FILES | {"plain/table.bin": bytes(100_000)})
    world.engine.commands = leaving(NEW_FILES | {"plain/table.bin": bytes(200_000)})

    failure = failure_of(only(world.run(asking(size="20%"))))

    assert failure.step == "compare"
    assert "more, where 20% are allowed" in failure.message
    assert failure.last_lines == ("plain/table.bin has 200 kB, before 100 kB",)


def test_the_older_wheel_is_fetched_once_and_again_with_update(world: World, index: Index) -> None:
    index.files[OLDER] = stored_wheel(OLDER, OLD_FILES)

    world.run(asking(lost="error"))
    again = only(world.run(asking(lost="error")))
    asked_twice = list(index.asked)
    world.update = True
    world.run(asking(lost="error"))

    assert again.passed
    assert asked_twice.count(OLDER) == 1
    assert index.asked.count(OLDER) == 2


def test_without_an_older_release_there_is_nothing_to_compare_with(world: World, index: Index) -> None:
    index.files[OLDER.replace("0.9", "2.0")] = stored_wheel(OLDER.replace("0.9", "2.0"), OLD_FILES | STUBS)

    record = only(world.run(asking(lost="error")))

    assert (record.passed, record.against) == (True, None)


def test_an_older_wheel_that_is_not_what_the_index_says_is_said(world: World, index: Index) -> None:
    index.files[OLDER] = stored_wheel(OLDER, OLD_FILES)
    index.listed_sha256[OLDER] = "0" * 64

    failure = failure_of(only(world.run(asking(lost="error"))))

    assert failure.step == "compare"
    assert failure.message.startswith(f"the older release cannot be fetched: {OLDER} has sha256:")
    assert failure.hint == "do not use it before you know which of the two is wrong"


def test_an_older_wheel_that_cannot_be_read_within_limits_is_said(world: World, index: Index) -> None:
    index.files[OLDER] = b"no zip at all"

    failure = failure_of(only(world.run(asking(lost="error"))))

    assert failure.step == "compare"
    assert failure.message == f"{OLDER} cannot be read: it is no zip archive that can be read whole"
