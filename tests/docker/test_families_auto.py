"""No family is named: an official image where its registry serves it, and each interpreter tried in one of three ways.

A registry on loopback serves stand-ins. The official image is our look-alike of another policy, declared as one of the
family in a copy of the factory's data; `python:3.9-slim` is the same with a Python in /usr/local/bin.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import docker
import pytest

from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.ready import ensure
from factory.pins import Pin
from factory.store import Store
from tests.contract.registry import Door, Registry, served
from tests.docker.command import Command
from tests.docker.official import declare_official
from tests.docker.projects import make_c_project
from tests.makers.plans import image_of

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.index]

PLATFORM = "manylinux_2_36_x86_64"
LOOKALIKE, OFFICIAL = f"lookalike-{PLATFORM}", f"pypa-{PLATFORM}"
STRANGER = 'FROM {image}\nLABEL wheel-factory.input="" wheel-factory.identity="" wheel-factory.kind=""\n'
SLIM = "RUN ln -s /opt/python/cp39-cp39/bin/python /usr/local/bin/python3.9\n"


@dataclass(frozen=True, kw_only=True)
class Served:
    """A registry behind a door, what it serves, and a package whose data declare the stand-in as official."""

    registry: Registry
    door: Door
    official: Pin
    slim: Pin
    package: Path


@pytest.fixture(scope="module")
def world(
    engine: DockerEngine,
    daemon: docker.DockerClient,
    host: Host,
    shared_store: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    with Store.open(shared_store) as store:
        image = ensure(LOOKALIKE, engine=engine, host=host, store=store, progress=print)
    with served(tmp_path_factory.mktemp("registry")) as registry:
        door = Door(registry)
        door.open()
        pins = {}
        for name, tag, more in (("pypa", "1", ""), ("python", "3.9-slim", SLIM)):
            folder = tmp_path_factory.mktemp(name)
            (folder / "Dockerfile").write_text(STRANGER.format(image=image.reference) + more)
            made = f"wheel-factory/test:{uuid4().hex}"
            daemon.images.build(path=str(folder), tag=made, rm=True)
            pins[name] = door.pin(registry.push(daemon, made, name, tag))
            engine.remove_image(made)
        package = tmp_path_factory.mktemp("package")
        declare_official(package, PLATFORM, pins["pypa"], c="12.2")
        yield Served(registry=registry, door=door, official=pins["pypa"], slim=pins["python"], package=package)
        door.shut()
    forget(engine, *pins.values())


def forget(engine: DockerEngine, *pins: Pin) -> None:
    for pin in pins:
        if held := engine.held_image(pin.reference):
            engine.remove_image(held.id)


def test_an_official_image_builds_while_its_registry_serves_it_and_ours_when_it_is_gone(
    workshop: Command, world: Served, engine: DockerEngine
) -> None:
    env = {"PYTHONPATH": str(world.package)}
    asks = {"run": "python -c 'import plain; assert plain.answer() == 42'"}
    recipe = workshop.recipe(make_c_project("plain"), interpreters=("cp39", "cp313"), platforms=[PLATFORM], test=asks)

    planned = workshop("plan", recipe, env=env)
    there = workshop.build(recipe, env=env)
    lock = workshop.folder / "images.lock"
    pinned = workshop("image", "pin", "--trial", f"{world.slim.name}:{world.slim.tag}", "-o", lock, env=env)
    plain = workshop.build(recipe, env={**env, "FACTORY_IMAGE_LOCK": str(lock)})
    world.door.shut()
    forget(engine, world.official, world.slim)
    gone = workshop.build(recipe, env=env)

    registry = world.official.name.partition("/")[0]
    assert f"{OFFICIAL} builds for {PLATFORM}: {registry} serves it" in planned.stdout, planned.stderr
    assert "factory image pin --trial python:3.9-slim" in planned.stdout
    assert [ran.code for ran in (there, pinned, plain, gone)] == [0, 0, 0, 0], (
        there.stderr + pinned.stderr + gone.stderr
    )
    assert {image_of(record.cell) for record in there.records.values()} == {OFFICIAL}
    assert {image_of(record.cell) for record in gone.records.values()} == {LOOKALIKE}
    ways = [
        {str(trial.interpreter): trial.image for record in ran.records.values() for trial in record.trials}
        for ran in (there, plain, gone)
    ]
    slim = f"{world.slim.name}:{world.slim.tag}"
    assert ways == [
        {"cp39": OFFICIAL, "cp313": "trial-trixie"},
        {"cp39": slim, "cp313": "trial-trixie"},
        {"cp39": LOOKALIKE, "cp313": "trial-trixie"},
    ]
    assert f"{OFFICIAL} builds for {PLATFORM}: {registry} serves it" in there.stderr
    assert f"image: {OFFICIAL}, of pypa, {world.official.digest}" in there.stderr
    assert (
        f"{LOOKALIKE} builds for {PLATFORM}: no official image from {registry}: the registry does not answer"
        in gone.stderr
    )
