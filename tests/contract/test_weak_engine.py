"""An engine that confines its containers less than it should: it is named where a person looks."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from factory.engine.docker import DockerEngine
from factory.host import Host
from tests.cli.program import PROJECT, Program
from tests.contract.relay import relayed

pytestmark = pytest.mark.engine

RECIPE = """
factory: 1
name: demo
source:
  path: .
interpreters: [cp313]
platforms: [manylinux_2_31_x86_64]
"""
NOTHING = ("--only", "cp27-*")  # a run that is refused once its engine was asked


@pytest.fixture
def factory(host: Host, engine: DockerEngine, tmp_path: Path) -> Iterator[Program]:
    """The program before an engine whose /info names no seccomp."""
    if engine.info().seccomp != "default" or not host.docker.get("DOCKER_HOST", "unix://").startswith("unix://"):
        pytest.skip("the relay rewrites what an engine on a Unix socket says of its default profile")
    with TemporaryDirectory() as folder, relayed(host, Path(folder)) as (relay, behind):
        relay.rewrite(b'"name=seccomp,profile=default"', b'"name=apparmor"')
        (tmp_path / "pyproject.toml").write_text(PROJECT)
        (tmp_path / "recipe.yaml").write_text(RECIPE)
        yield Program(folder=tmp_path, env=dict(behind.docker))


def test_doctor_names_an_engine_without_seccomp_and_what_mends_it(factory: Program) -> None:
    done = factory("doctor")

    said = " ".join(done.stdout.split())
    assert "missing confinement the container engine filters no system calls" in said
    assert "to fix confinement: use a kernel and an engine with seccomp" in said
    assert done.code == 1


def test_a_run_begins_with_a_warning_of_an_engine_without_seccomp(factory: Program) -> None:
    done = factory("build", *NOTHING)

    assert done.stderr.startswith(
        "engine: warning: the container engine filters no system calls (it reports no seccomp)"
    )
    assert done.code == 3


def test_an_engine_with_seccomp_is_not_warned_of(factory: Program, host: Host) -> None:
    done = factory("build", *NOTHING, DOCKER_HOST=host.docker.get("DOCKER_HOST", "unix:///var/run/docker.sock"))

    assert done.code == 3
    assert "warning" not in done.stderr
