"""A build begins with what cargo compiled before: of the same project, and of nothing that an edit may change."""

import pytest

from factory.stages import target_folder
from factory.stages.projects import project_of
from tests.doubles.engine import Answer, Call
from tests.doubles.looking import calls_of, failure_of, only
from tests.doubles.projects import HASHES, compiled, instead, programs
from tests.doubles.run import World, make_world

BOTH = HASHES.replace("[cp313]", "[cp311, cp313]")
ELSEWHERE = HASHES.replace("git.example", "hostile.example")
CRATES = ("libc", "pyo3", "leaf")
LOCK = "version = 4\n" + "".join(
    f'[[package]]\nname = "{name}"\nversion = "1.0.0"\nsource = "registry+https://crates.example/"\n{more}'
    for name, more in (("libc", ""), ("pyo3", ""))
)
OWN = '[[package]]\nname = "leaf"\nversion = "1.0.0"\ndependencies = ["libc", "pyo3"]\n'


@pytest.fixture
def seen(world: World) -> list[tuple[str, ...]]:
    """For each build, in their order, the crates that were compiled when it began."""
    begun: list[tuple[str, ...]] = []

    def answer(call: Call) -> Answer:
        begun.append(tuple(crate for crate in CRATES if call.read(compiled(crate)) is not None))
        return programs(call)

    commands = instead("build", *[answer] * 9)

    def every(call: Call) -> Answer:
        if "python-crates" in call.argv:
            return Answer(output="/cargo/registry/src/index-1/pyo3-1.0.0/build.rs\n")
        return fetched(call) if "fetch" in call.argv else commands(call)

    world.engine.commands = every
    world.workers = 1
    return begun


def fetched(call: Call, more: str = "") -> Answer:
    """Fetch by a lock of the source's own crate and two of a registry."""
    call.files.write("/work/fetch/Cargo.lock", (LOCK + more + OWN).encode())
    return Answer()


def said(world: World) -> str:
    """Return all that the last run told."""
    return (world.evidence / "events.jsonl").read_text(encoding="utf-8")


def entries(world: World) -> list[str]:
    """Return the archives that the store keeps, by the stages that name them."""
    return [
        f"{stage} {result.blobs}" for stage in ("cell-crates", "shared-crates") for result in world.store.results(stage)
    ]


def test_the_next_build_begins_with_the_crates_outside_of_the_source(world: World, seen: list[tuple[str, ...]]) -> None:
    world.run(HASHES)
    world.forget("build")
    world.run(HASHES)

    assert seen == [(), ("libc", "pyo3")]


def test_another_interpreter_begins_with_what_does_not_depend_on_one(world: World, seen: list[tuple[str, ...]]) -> None:
    world.run(BOTH)

    assert seen == [(), ("libc",)]


def test_cells_that_are_built_at_once_compile_what_they_share_once(world: World, seen: list[tuple[str, ...]]) -> None:
    world.workers = 2

    world.run(BOTH)

    assert seen == [(), ("libc",)]


def test_the_cell_that_others_wait_for_has_all_processors(world: World, seen: list[tuple[str, ...]]) -> None:
    world.workers = 2

    world.run(BOTH)

    shares = ["CARGO_BUILD_JOBS" in call.env for call in calls_of(world, "build")]
    assert (seen, shares) == ([(), ("libc",)], [False, True])


def test_no_other_project_gets_anything_of_it_although_its_name_and_its_source_are_the_same(
    world: World, seen: list[tuple[str, ...]]
) -> None:
    world.run(HASHES)
    world.run(ELSEWHERE)

    assert seen == [(), ()]


def test_no_cache_begins_with_nothing_and_what_it_compiles_is_kept(world: World, seen: list[tuple[str, ...]]) -> None:
    world.run(BOTH)
    before = entries(world)
    world.fresh = True
    world.run(BOTH)
    world.fresh = False
    world.forget("build")
    world.run(HASHES)

    assert seen == [(), ("libc",), (), (), ("libc", "pyo3")]
    assert len(entries(world)) == len(before) == 3


def test_what_a_failed_build_compiled_is_kept(world: World, seen: list[tuple[str, ...]]) -> None:
    answer = world.engine.commands

    def fail(call: Call) -> Answer:
        answer(call)
        return Answer(code=1)

    world.engine.commands = lambda call: fail(call) if is_build(call) else answer(call)
    world.run(HASHES)
    world.engine.commands = answer
    world.run(HASHES)

    assert seen == [(), ("libc", "pyo3")]


def test_a_build_that_exceeded_a_limit_ends_as_such_and_leaves_nothing(
    world: World, seen: list[tuple[str, ...]]
) -> None:
    answer = world.engine.commands
    world.engine.commands = lambda call: Answer(ended="workspace") if is_build(call) else answer(call)

    ran = world.run(HASHES)

    assert "holds more than" in failure_of(only(ran)).message
    assert (seen, entries(world)) == ([], [])


def is_build(call: Call) -> bool:
    return any('"wheel"' in word for word in call.argv)


def test_other_crates_in_the_lock_are_a_new_beginning(world: World, seen: list[tuple[str, ...]]) -> None:
    answer = world.engine.commands
    more = '[[package]]\nname = "new"\nversion = "1.0.0"\nsource = "registry+https://crates.example/"\n'
    world.run(HASHES)
    world.engine.commands = lambda call: fetched(call, more) if "fetch" in call.argv else answer(call)
    world.update = True
    world.run(HASHES)

    assert seen == [(), ()]


def test_a_build_that_is_passed_what_may_be_secret_keeps_nothing() -> None:
    recipe = HASHES.replace("{locked: false}", "{locked: false, pass-env: [TOKEN]}")

    with make_world(None, TOKEN="a secret value", FACTORY_PASS_ENV="TOKEN") as world:
        ran = world.run(recipe)

        assert [record.status for record in ran.records] == ["passed"]
        assert entries(world) == []


def test_too_much_is_not_kept_which_is_said_and_fails_no_build(
    world: World, seen: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_folder, "LIMIT_BYTES", 10)

    ran = world.run(HASHES)

    assert [record.status for record in ran.records] == ["passed"]
    assert seen == [()]
    assert entries(world) == []
    assert "what cargo compiled is not kept: the crates take more than" in said(world)


def test_what_is_damaged_is_not_used(world: World, seen: list[tuple[str, ...]]) -> None:
    world.run(HASHES)
    for result in world.store.results("cell-crates"):
        (world.store.path / "blobs" / result.blobs[0].hex[:2] / result.blobs[0].hex).unlink()
    world.forget("build")
    world.run(HASHES)

    assert seen == [(), ()]


def test_where_only_the_sources_own_crates_were_compiled_nothing_is_kept_again(
    world: World, seen: list[tuple[str, ...]]
) -> None:
    world.run(HASHES)
    kept = entries(world)
    world.forget("build")
    world.run(HASHES)

    assert seen == [(), ("libc", "pyo3")]
    assert entries(world) == kept
    assert said(world).count('"step": "kept-crates"') == 2, "one began and ended: what was kept was put in"


def test_the_store_knows_whose_they_are(world: World, seen: list[tuple[str, ...]]) -> None:
    world.run(HASHES)

    found = [result.entry for result in world.store.results("cell-crates") if result.entry is not None]
    assert [project_of(entry, {}) for entry in found] == ["hashes"]
    assert seen == [()]
