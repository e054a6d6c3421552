"""A cell for Windows: judged as it was built, and neither repaired, loaded nor tried."""

from collections.abc import Mapping

from factory.audit import Audit
from tests.doubles.engine import Answer, Call, Commands
from tests.doubles.looking import calls_of, failure_of, only, values
from tests.doubles.projects import HASHES, instead, stored_wheel
from tests.doubles.run import World
from tests.makers.pe import make_pe

RECIPE = HASHES.replace("manylinux_2_31_x86_64", "win_amd64")
ALLOWED = f"{RECIPE}test: {{untried: allow}}\n"
MODULE = "hashes/core.cp313-win_amd64.pyd"
GOOD = make_pe(imports={"python313.dll": ["PyModule_Create2"], "KERNEL32.dll": ["Sleep"]}, exports=["PyInit_core"])


def leaving(files: Mapping[str, bytes]) -> Commands:
    """Leave a wheel for Windows where maturin does."""

    def answer(call: Call) -> Answer:
        filename = "hashes-1.0-cp313-cp313-win_amd64.whl"
        call.files.write(f"/work/built/{filename}", stored_wheel(filename, files))
        return Answer()

    return answer


def passed(verdict: Audit | None) -> bool:
    return verdict is not None and verdict.passed


def test_the_wheel_is_released_as_it_was_built_and_judged_as_a_finished_one(world: World) -> None:
    world.engine.commands = instead("build", leaving({MODULE: GOOD}))

    record = only(world.run(ALLOWED))

    assert (record.status, record.wheel, record.repair) == ("passed", record.built, None)
    assert (passed(record.before), passed(record.after)) == (True, True)
    assert calls_of(world, "repair") == calls_of(world, "load") == []


def test_what_is_untried_fails_unless_the_recipe_allows_it_and_is_told_why(world: World) -> None:
    world.engine.commands = instead("build", leaving({MODULE: GOOD}))

    record = only(world.run(RECIPE))

    assert record.status == "failed"
    assert failure_of(record).message == "there is no Windows here"
    assert "untried: allow" in failure_of(record).hint


def test_the_log_says_that_nothing_is_repaired(world: World) -> None:
    world.engine.commands = instead("build", leaving({MODULE: GOOD}))

    run = world.run(ALLOWED)

    assert only(run).passed
    told = (world.evidence / "events.jsonl").read_text(encoding="utf-8")
    assert "repair is left out: auditwheel repairs only wheels for Linux" in told


def test_cargo_and_maturin_are_told_of_windows(world: World) -> None:
    world.engine.commands = instead("build", leaving({MODULE: GOOD}))

    world.run(ALLOWED)

    calls = calls_of(world, "build")
    assert values(calls, "CARGO_BUILD_TARGET") == {"x86_64-pc-windows-gnu"}
    assert all('"-i", "python3.13"' in call.argv[-1] for call in calls)


def test_a_dlltool_that_may_be_called_among_read_only_crates_comes_before_the_images(world: World) -> None:
    world.engine.commands = instead("build", leaving({MODULE: GOOD}))

    world.run(ALLOWED)

    written = [call for run in (world.engine.calls,) for call in run if "dlltool" in " ".join(call.argv)]
    assert "--temp-prefix" in written[0].argv[-1]
    assert all(str(path).startswith("/work/mingw:") for path in values(calls_of(world, "build"), "PATH"))


def test_a_library_of_mingws_own_is_refused(world: World) -> None:
    module = make_pe(imports={"python313.dll": [], "libgcc_s_seh-1.dll": []}, exports=["PyInit_core"])
    world.engine.commands = instead("build", leaving({MODULE: module}))

    record = only(world.run(ALLOWED))

    assert record.status == "failed"
    assert "libgcc_s_seh-1.dll" in failure_of(record).message
