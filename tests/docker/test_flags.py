"""The flags of `factory build`, and what it leaves in the output folder when wheels are refused."""

import os
from dataclasses import replace

import pytest

from tests.docker.command import CP313, PLATFORM, Command
from tests.docker.events import events_of, is_building, open_steps, wait_for
from tests.docker.projects import C_MODULE, make_c_project, make_slow_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

CP311 = f"cp311-cp311-{PLATFORM}"
NOT_ON_311 = f"{C_MODULE}\n#if PY_VERSION_HEX < 0x030C0000\n#error 3.11 is too old\n#endif\n"


def bound_by_permissions() -> tuple[str, ...]:
    """Return what to put before a command so that permissions count for it, although root runs the tests."""
    return () if os.getuid() else ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


def test_one_failing_cell_leaves_the_good_wheels_and_one_log_to_open(command: Command) -> None:
    ran = command.build(command.recipe(make_c_project("partly", code=NOT_ON_311), interpreters=("cp311", "cp313")))
    logs = [line.removeprefix("  log: ") for line in ran.stderr.splitlines() if line.startswith("  log: ")]

    assert ran.code == 1
    assert ran.statuses == {CP311: "failed", CP313: "passed"}
    assert command.dist.keys() == {f"partly-1.0-{CP313}.whl", "SHA256SUMS"}
    assert command.dist["SHA256SUMS"].decode().endswith(f"  partly-1.0-{CP313}.whl\n")
    assert len(logs) == 1
    assert "#error 3.11 is too old" in (command.folder / logs[0]).read_text()
    assert f"--only {CP311}" in ran.stderr, "what to type next"


def test_every_flag_does_what_it_says(command: Command) -> None:
    project = make_c_project("flagged", setup="import sys\nprint('hello from', *sys.argv[1:2])")
    recipe = command.recipe(project, interpreters=("cp311", "cp313"))
    broken = command.folder / "broken.yaml"
    broken.write_text("factory: 1\nnmae: broken\n")

    one_by_one = command.build(recipe, "--jobs", "1", "-v")
    steps = open_steps(events_of(command.folder))
    made = command.dist
    only = command.build(recipe, "--only", "cp313-*")
    skipped = command.build(recipe, "--skip", f"flagged/{CP313}")
    updated = command.build(recipe, "--update")
    longer = command.build(recipe, "--set", "build.timeout=10m")
    tried = command.build(recipe, "--set", "test.import=[flagged]")
    both = command.build(recipe, broken, "--keep-going")
    neither = command.build(recipe, broken)
    anew = command.build(recipe, "--no-cache")

    assert one_by_one.code == 0, one_by_one.stderr
    assert f"flagged/{CP313} | hello from bdist_wheel" in one_by_one.stderr
    assert max(steps) == 1, "--jobs 1: never two at once"
    assert only.statuses == {CP313: "cached"}
    assert skipped.statuses == {CP311: "cached"}
    assert (updated.containers, "resolve passed" in updated.stderr) == (0, True)
    assert (longer.containers, "resolve passed" in longer.stderr) == (0, False)
    assert set(tried.statuses.values()) == {"passed"}
    assert tried.containers == 2, "only the trials are new"
    assert (both.code, set(both.statuses.values())) == (2, {"cached"})
    assert "broken.yaml" in both.stderr
    assert (neither.code, neither.run) == (2, None)
    assert set(anew.statuses.values()) == {"passed"}
    assert command.dist == made


def test_a_failing_trial_refuses_the_wheel_and_takes_its_earlier_copy_away(command: Command) -> None:
    project = make_c_project("tried")
    first = command.build(command.recipe(project))
    before = command.wheels
    (command.folder / "dist/foreign.txt").write_text("not ours")

    second = command.build(
        command.recipe(project, test={"run": "python -c 'import tried; assert tried.answer() == 43'"})
    )

    assert (first.code, before) == (0, {f"tried-1.0-{CP313}.whl"}), first.stderr
    assert second.code == 1
    assert second.records["tried"].trials[0].outcome == "failed"
    assert command.dist == {"SHA256SUMS": b"", "foreign.txt": b"not ours"}
    assert f"removed from dist: tried-1.0-{CP313}.whl" in second.stderr


@pytest.mark.slow
def test_what_comes_out_belongs_to_the_caller_and_survives_an_output_folder_that_is_taken_away(alone: Command) -> None:
    command, output = replace(alone, prefix=bound_by_permissions()), alone.folder / "dist"
    recipe = command.recipe(make_slow_project("owned"))
    child = command.start("build", recipe, "--json", "run.json")
    wait_for(command.folder, child, is_building("owned"))
    output.chmod(0o555)

    taken = command.end(child)
    output.chmod(0o755)
    again = command.build(recipe)

    assert taken.code == 5, taken.stderr
    assert "the output folder dist cannot be used" in taken.stderr
    assert "stay in the store" in taken.stderr
    assert (again.code, again.containers) == (0, 0), again.stderr
    made = [*output.iterdir(), *(command.folder / ".factory").rglob("*"), *command.store.rglob("*")]
    assert f"owned-1.0-{CP313}.whl" in {path.name for path in made}
    assert {path.stat().st_uid for path in made} == {os.getuid()}
