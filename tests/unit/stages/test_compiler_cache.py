"""A build begins with what ccache remembers of the same project's earlier builds; its wheel then is the project's."""

import pytest

from factory.stages import compiler_cache
from factory.stages.projects import project_of
from tests.doubles.engine import Answer, Call
from tests.doubles.looking import calls_of, failure_of, only
from tests.doubles.projects import (
    HASHES,
    PLAIN,
    TARGETS,
    compiles,
    instead,
    module_of,
    object_of,
    stored_wheel,
    wheel_of,
)
from tests.doubles.run import World, make_world
from tests.makers.objects import make_module

ELSEWHERE = PLAIN.replace("files.example", "hostile.example")
BOTH = PLAIN.replace("[cp313]", "[cp311, cp313]")
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(world: World, recipe: str, *names: str, duration_s: float = 60) -> set[str]:
    """Build a recipe whose files have these names; return those of a, b and c that were known when it began."""
    known: set[str] = set()

    def answer(call: Call) -> Answer:
        known.update(name for name in "abc" if call.read(object_of(name)) is not None)
        return compiles(*names, duration_s=duration_s)(call)

    world.engine.commands = instead("build", answer)
    world.run(recipe)
    return known


def again(world: World, recipe: str, *names: str, duration_s: float = 60) -> set[str]:
    """Do it although the wheel is remembered."""
    world.forget("build")
    return run(world, recipe, *names, duration_s=duration_s)


def said(world: World) -> str:
    """Return all that the last run told."""
    return (world.evidence / "events.jsonl").read_text(encoding="utf-8")


def kept(world: World) -> list[str]:
    """Return the archives that the store keeps."""
    return [str(result.blobs) for result in world.store.results("compiler-cache")]


def wheels(world: World) -> list[bool]:
    """Return for each wheel that is remembered whether it is one project's."""
    return sorted("project" in entry.document["inputs"] for entry in world.remembered()["build"])  # type: ignore[operator] # a table


def test_the_next_build_begins_with_what_was_compiled_and_what_it_adds_is_kept(world: World) -> None:
    first = run(world, PLAIN, "a", "b")
    second = again(world, PLAIN, "b", "c")
    told = said(world)
    third = again(world, PLAIN, "b")

    assert (first, second, third) == (set(), {"a", "b"}, {"a", "b", "c"})
    assert "the compiler begins with what its last builds compiled: 0.0 MB" in told
    assert "1 of 2 files were compiled" in told
    assert len(kept(world)) == 1


def test_where_nothing_was_compiled_nothing_is_kept_again(world: World) -> None:
    run(world, PLAIN, "a")
    before = kept(world)
    again(world, PLAIN, "a")

    assert kept(world) == before
    assert said(world).count('"step": "kept-objects"') == 2, "one began and ended: what was kept was put in"


def test_all_interpreters_of_a_project_share_what_is_kept(world: World) -> None:
    run(world, PLAIN.replace("[cp313]", "[cp311]"), "a")

    assert run(world, PLAIN, "b") == {"a"}
    assert again(world, PLAIN) == {"a", "b"}


def test_two_cells_that_are_built_at_once_keep_what_both_compiled(world: World) -> None:
    world.engine.commands = instead("build", compiles("a"), compiles("b"))
    world.run(BOTH)

    assert again(world, PLAIN) == {"a", "b"}


def test_no_other_project_gets_anything_of_it_although_its_name_and_its_source_are_the_same(world: World) -> None:
    run(world, PLAIN, "a")

    assert again(world, ELSEWHERE, "a") == set()


def test_a_wheel_that_began_with_nothing_is_for_all_and_one_that_did_not_for_its_project(world: World) -> None:
    run(world, PLAIN, "a")
    run(world, ELSEWHERE, "a")
    alike = wheels(world)
    again(world, PLAIN, "b")
    own = wheels(world)
    started = len(calls_of(world, "build"))
    run(world, PLAIN)
    cached = len(calls_of(world, "build"))
    run(world, ELSEWHERE, "b")

    assert (alike, own) == ([False], [True])
    assert (cached, len(calls_of(world, "build"))) == (started, started + 1)


def test_no_cache_begins_with_nothing_and_replaces_what_was_kept(world: World) -> None:
    run(world, PLAIN, "a")
    world.fresh = True
    anew = run(world, PLAIN, "b")
    world.fresh = False

    assert anew == set()
    assert again(world, PLAIN) == {"b"}


def test_no_cache_replaces_what_was_kept_although_little_was_compiled(world: World) -> None:
    run(world, PLAIN, "a")
    world.fresh = True
    run(world, PLAIN, "b", duration_s=1)
    world.fresh = False

    assert again(world, PLAIN) == {"b"}


def test_no_cache_tells_that_a_wheel_which_began_with_something_was_another(world: World) -> None:
    filename, made = wheel_of("plain", "cp313", "cp313", "linux_x86_64")
    poisoned = stored_wheel(filename, {module_of("plain", "cp313"): make_module(), "plain/more.txt": b""})

    def build(call: Call) -> Answer:
        call.files.write(f"/work/built/{filename}", poisoned)
        return Answer()

    run(world, PLAIN, "a")
    world.forget("build")
    world.engine.commands = instead("build", build)
    world.run(PLAIN)
    world.fresh = True
    world.engine.commands = instead("build", compiles("a"))
    record = only(world.run(PLAIN))

    assert record.built is not None
    assert world.store.read(record.built.digest) == made
    assert (world.evidence / record.unlike).read_bytes() == poisoned


def test_a_short_build_keeps_nothing_and_is_not_asked_what_it_compiled(world: World) -> None:
    run(world, PLAIN, "a", duration_s=compiler_cache.WORTH_S - 1)

    assert kept(world) == []
    assert "compiled" not in said(world)
    assert wheels(world) == [False]


def test_what_a_failed_build_compiled_is_kept(world: World) -> None:
    def fail(call: Call) -> Answer:
        compiles("a")(call)
        return Answer(code=1, duration_s=60)

    world.engine.commands = instead("build", fail)
    world.run(PLAIN)

    assert run(world, PLAIN) == {"a"}


def test_a_build_that_exceeded_a_limit_ends_as_such_and_leaves_nothing(world: World) -> None:
    world.engine.commands = instead("build", Answer(ended="workspace", duration_s=60))

    ran = world.run(PLAIN)

    assert "holds more than" in failure_of(only(ran)).message
    assert kept(world) == []


def test_what_was_not_used_for_longest_goes_when_there_is_too_much(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(world, PLAIN, "a")
    again(world, PLAIN, "b")
    monkeypatch.setattr(compiler_cache, "LIMIT_BYTES", 2 * len("compiled of a"))
    again(world, PLAIN, "c")

    assert again(world, PLAIN) == {"b", "c"}


def test_only_ccaches_own_files_are_kept(world: World) -> None:
    def spoil(call: Call) -> Answer:
        call.files.write("/work/compiled/ccache.conf", b"sloppiness = time_macros", mtime_s=1_800_000_000)
        return compiles("a")(call)

    found: list[str] = []

    def look(call: Call) -> Answer:
        found.extend(call.files.below("/work/compiled"))
        return Answer()

    world.engine.commands = instead("build", spoil, look)
    world.run(PLAIN)
    world.forget("build")
    world.run(PLAIN)

    assert found == [object_of("a").removeprefix("/work/compiled/")]


def test_what_is_damaged_is_not_used(world: World) -> None:
    run(world, PLAIN, "a")
    for result in world.store.results("compiler-cache"):
        (world.store.path / "blobs" / result.blobs[0].hex[:2] / result.blobs[0].hex).unlink()

    assert again(world, PLAIN) == set()


def test_ccache_comes_before_the_images_compilers_and_after_what_a_recipe_brings(world: World) -> None:
    run(world, f"{PLAIN}build: {{path: [/opt/own]}}\n")

    (build,) = calls_of(world, "build")
    assert build.env["PATH"] == f"/opt/own:/work/env/bin:/work/compilers:{SYSTEM}"


def test_ccache_is_there_for_no_cache_as_well_and_in_no_key(world: World) -> None:
    run(world, PLAIN)
    world.fresh = True
    run(world, PLAIN)

    before, after = (call.env for call in calls_of(world, "build"))
    assert before == after
    assert "/work/compilers" in after["PATH"]
    assert not any("/work/compilers" in str(entry.document) for entry in world.remembered()["build"])


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(HASHES, id="crates, which are kept themselves"),
        pytest.param(f"{PLAIN}build: {{env: {{CCACHE_DISABLE: '1'}}}}\n", id="a recipe that sets ccache up itself"),
    ],
)
def test_other_compilers_do_not_go_by_ccache(world: World, recipe: str) -> None:
    world.run(recipe)

    (build,) = calls_of(world, "build")
    assert "/work/compilers" not in build.env["PATH"]


def test_bazel_keeps_its_own_cache(world: World) -> None:
    world.run(TARGETS)

    assert {"/work/compilers" in call.env["PATH"] for call in calls_of(world, "bazel")} == {False}


def test_a_build_that_is_passed_what_may_be_secret_keeps_nothing() -> None:
    recipe = f"{PLAIN}build: {{pass-env: [TOKEN]}}\n"

    with make_world(None, TOKEN="a secret value", FACTORY_PASS_ENV="TOKEN") as world:
        run(world, recipe, "a")

        assert kept(world) == []


def test_the_store_knows_whose_it_is(world: World) -> None:
    run(world, PLAIN, "a")

    found = [result.entry for result in world.store.results("compiler-cache") if result.entry is not None]
    assert [project_of(entry, {}) for entry in found] == ["plain"]
