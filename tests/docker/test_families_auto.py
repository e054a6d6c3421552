"""No family is named: an official image where its registry serves it, and each interpreter tried in one of three ways.

The registries have their real names, quay.io's and that of images without one, and are asked by https through an engine
that has no setting for them. What they serve are stand-ins: `pypa/manylinux_2_28_x86_64` is our look-alike of another
policy, and a copy of the factory's data declares what it holds; `python:3.9-slim` is the same with a Python in
/usr/local/bin. No stand-in can have a real image's digest, so that their digests come into a lock of the user's, by
`factory image pin`.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import docker
import pytest

from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.known import pulled_families
from factory.images.pulled import LOCK, read_lock
from factory.images.ready import ensure
from factory.pins import Pin
from factory.store import Store
from tests.contract.registry import served, served_by_https
from tests.docker.command import Command
from tests.docker.official import declare_official
from tests.docker.projects import make_c_project
from tests.docker.second_engine import ADDRESS, registries, second_engine
from tests.makers.network import Authority, make_authority
from tests.makers.plans import image_of

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.index, pytest.mark.timeout(3600)]

PLATFORM, REAL = "manylinux_2_36_x86_64", "manylinux_2_28_x86_64"
LOOKALIKE, OFFICIAL = f"lookalike-{PLATFORM}", f"pypa-{REAL}"
SLIM, SLIM_BOOKWORM = "python:3.9-slim", "python:3.9-slim-bookworm"
TIMEOUT_S = 1800  # the second engine has no tools, crates or volumes yet
COPY = 'docker save "$@" | DOCKER_HOST="$0" docker load --quiet'
SLIMS = tuple(name.partition(":")[2] for name in (SLIM, SLIM_BOOKWORM))
STRANGER = 'FROM {image}\nLABEL wheel-factory.input="" wheel-factory.identity="" wheel-factory.kind=""\n'
PYTHON = "RUN ln -s /opt/python/cp39-cp39/bin/python /usr/local/bin/python3.9\n"


@dataclass(frozen=True, kw_only=True)
class World:
    """A second engine, the folder of a registry, and a package whose data say what the stand-in holds."""

    folder: Path
    authority: Authority
    engine: docker.DockerClient
    address: str
    package: Path
    shipped: Pin

    @contextmanager
    def registries(self) -> Iterator[None]:
        """Let the real names be answered."""
        with served_by_https(self.folder, ADDRESS, self.authority):
            yield

    @property
    def env(self) -> Mapping[str, str]:
        return {"PYTHONPATH": str(self.package), "DOCKER_HOST": self.address}

    def forget(self) -> None:
        """Remove the images that registries serve from the engine."""
        for image in self.engine.images.list():
            if any(name.startswith(("quay.io/", "python@")) for name in image.attrs["RepoDigests"] or []):
                self.engine.images.remove(str(image.id), force=True)


@pytest.fixture
def world(
    engine: DockerEngine,
    daemon: docker.DockerClient,
    host: Host,
    shared_store: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    with Store.open(shared_store) as store:
        names = (LOOKALIKE, "trial-bookworm", "trial-trixie")
        images = [ensure(name, engine=engine, host=host, store=store, progress=print).reference for name in names]
    folder, keys, package = map(tmp_path_factory.mktemp, ("registry", "keys", "package"))
    with served(folder) as registry:
        for name, tags, more in ((f"pypa/{REAL}", ("latest",), ""), ("library/python", SLIMS, PYTHON)):
            with stand_in(daemon, STRANGER.format(image=images[0]) + more, tmp_path_factory.mktemp("made")) as made:
                for tag in tags:
                    registry.push(daemon, made, name, tag)
    (family,) = pulled_families()
    shipped = read_lock(family / LOCK).pins[REAL]
    declare_official(package, PLATFORM, shipped, c="12.2", name=REAL)
    authority = make_authority(keys, ADDRESS, names=registries(daemon))
    with ExitStack() as lent:
        address = lent.enter_context(second_engine(keys, authority, registries(daemon)))
        second = docker.DockerClient(base_url=address, version="auto", timeout=600)
        lent.callback(second.close)
        subprocess.run(["sh", "-c", COPY, address, *images], check=True)
        yield World(
            folder=folder, authority=authority, engine=second, address=address, package=package, shipped=shipped
        )


@contextmanager
def stand_in(daemon: docker.DockerClient, dockerfile: str, folder: Path) -> Iterator[str]:
    """Make an image that only a registry will have."""
    (folder / "Dockerfile").write_text(dockerfile)
    name = f"wheel-factory/test:{uuid4().hex}"
    daemon.images.build(path=str(folder), tag=name, rm=True)
    yield name
    daemon.images.remove(name, force=True)


def test_an_official_image_builds_while_its_registry_serves_it_and_ours_when_it_is_gone(
    alone: Command, world: World
) -> None:
    alone = replace(alone, timeout_s=TIMEOUT_S)
    asks = {"run": "python -c 'import plain; assert plain.answer() == 42'"}
    recipe = alone.recipe(make_c_project("plain"), interpreters=("cp39", "cp313"), platforms=[PLATFORM], test=asks)
    lock = alone.folder / "images.lock"
    env = {**world.env, "FACTORY_IMAGE_LOCK": str(lock)}

    with world.registries():
        shipped = alone("plan", recipe, env=world.env)
        pinned = alone("image", "pin", "-o", lock, env=world.env)
        planned = alone("plan", recipe, env=env)
        there = alone.build(recipe, env=env)
        both = [alone.start("image", "pin", "--trial", name, env=env) for name in (SLIM, SLIM_BOOKWORM)]
        trials = [alone.end(child) for child in both]
        plain = alone.build(recipe, env=env)
    world.forget()
    gone = alone.build(recipe, env=env)

    assert f"{LOOKALIKE} builds for {PLATFORM}: no {OFFICIAL} from quay.io: the registry does not have it" in (
        shipped.stdout
    ), shipped.stderr
    assert f"{OFFICIAL} quay.io/pypa/{REAL}:latest@" in pinned.stdout, pinned.stderr
    digest = read_lock(lock).pins[REAL].digest
    assert digest != world.shipped.digest
    assert f"{OFFICIAL} builds for {PLATFORM}: quay.io serves it" in planned.stdout, planned.stderr
    assert f"factory image pin --trial {SLIM}" in planned.stdout
    assert [trial.facts.name for trial in read_lock(lock).trials] == [SLIM, SLIM_BOOKWORM], trials
    assert [ran.code for ran in (there, plain, gone)] == [0, 0, 0], there.stderr + plain.stderr + gone.stderr
    assert {image_of(record.cell) for record in there.records.values()} == {OFFICIAL}
    assert {image_of(record.cell) for record in gone.records.values()} == {LOOKALIKE}
    ways = [
        {str(trial.interpreter): trial.image for record in ran.records.values() for trial in record.trials}
        for ran in (there, plain, gone)
    ]
    assert ways == [
        {"cp39": OFFICIAL, "cp313": "trial-trixie"},
        {"cp39": SLIM, "cp313": "trial-trixie"},
        {"cp39": LOOKALIKE, "cp313": "trial-trixie"},
    ]
    assert f"{OFFICIAL} builds for {PLATFORM}: quay.io serves it" in there.stderr
    assert f"image: {OFFICIAL}, of pypa, {digest}" in there.stderr
    assert f"{LOOKALIKE} builds for {PLATFORM}: no official image from quay.io: the registry does not answer" in (
        gone.stderr
    )
    assert f"{SLIM} is pinned and tries nothing: no image from the engine's own registry: the registry does not" in (
        gone.stdout + gone.stderr
    )
