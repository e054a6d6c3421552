"""A package that nobody here wrote, from its recipe to wheels; its extension is optional to its own build."""

import hashlib

import pytest

from tests.docker.command import PLATFORM, Command

pytestmark = [pytest.mark.engine, pytest.mark.index]

MARKUPSAFE = "markupsafe==3.0.4"
AUDIT = {"modules": ["markupsafe._speedups"]}
OWED = {f"markupsafe-3.0.4-{tag}-{tag}-{PLATFORM}.whl" for tag in ("cp39", "cp313")}


def sums(dist: dict[str, bytes]) -> str:
    return "".join(f"{hashlib.sha256(dist[name]).hexdigest()}  {name}\n" for name in sorted(dist) if name.endswith("l"))


def test_two_interpreters_yield_two_wheels_and_a_second_run_starts_no_container(alone: Command) -> None:
    recipe = alone.recipe(MARKUPSAFE, interpreters=("cp39", "cp313"), audit=AUDIT)

    first = alone.build(recipe, "--no-cache")
    made = alone.dist
    second = alone.build(recipe)

    assert (first.code, set(first.statuses.values())) == (0, {"passed"}), first.stderr
    assert made.keys() == OWED | {"SHA256SUMS"}
    assert made["SHA256SUMS"].decode() == sums(made)
    assert (second.code, set(second.statuses.values())) == (0, {"cached"}), second.stderr
    assert second.containers == 0
    assert "nothing changed: 2 wheels" in second.stderr
    assert alone.dist == made


def test_a_failing_compiler_makes_it_fail_although_its_own_build_succeeds(command: Command) -> None:
    recipe = command.recipe(MARKUPSAFE, build={"env": {"CC": "/bin/false"}}, audit=AUDIT)

    ran = command.build(recipe)

    assert ran.code == 1
    assert "module-missing" in ran.stderr
    assert "markupsafe._speedups" in ran.stderr
    assert "[exited 0 " in ran.log("markupsafe"), "the package's own build is content"
    assert command.dist == {"SHA256SUMS": b""}
