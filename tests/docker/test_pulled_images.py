"""Builds in an image that a registry on loopback serves: our look-alike without its tools, under names of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import docker
import pytest

from factory.digest import Digest
from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.pulled import Lock, render_lock
from factory.images.ready import ensure
from factory.pins import Pin
from factory.store import Store
from tests.contract.registry import Registry, free_port, served
from tests.docker.command import PLATFORM, Command
from tests.docker.official import ROOT, copy_factory, declare_official
from tests.docker.projects import make_c_project, make_rust_project
from tests.makers.plans import image_of

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.index]

LOOKALIKE = f"lookalike-{PLATFORM}"
WITHOUT_TOOLS = """
FROM {image}
LABEL wheel-factory.input="" wheel-factory.identity="" wheel-factory.kind="" wheel-factory.owner=""
RUN rm /usr/local/bin/uv /usr/local/bin/uvx /usr/local/bin/patchelf /usr/local/bin/auditwheel /usr/local/bin/abi3audit
"""

ALPINE = """
FROM {image}
LABEL wheel-factory.input="" wheel-factory.identity="" wheel-factory.kind="" wheel-factory.owner=""
RUN mkdir -p /usr/local/bin && ln -s /usr/bin/python3 /usr/local/bin/python3.13
"""

OWN_CARGO = """
RUN echo '#!/bin/sh' >/usr/local/sbin/cargo \\
    && echo 'echo CHOSEN-BY-THE-RECIPE >&2; exec /opt/_internal/*/bin/cargo "$@"' >>/usr/local/sbin/cargo \\
    && chmod 755 /usr/local/sbin/cargo
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with served(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def pin(
    engine: DockerEngine, daemon: docker.DockerClient, host: Host, shared_store: Path, registry: Registry
) -> Iterator[Pin]:
    """The look-alike without uv, patchelf and auditwheel, which only the registry has."""
    with Store.open(shared_store) as store:
        image = ensure(LOOKALIKE, engine=engine, host=host, store=store, progress=print)
    with pushed(WITHOUT_TOOLS.format(image=image.reference), engine, daemon, registry, shared_store.parent) as pin:
        yield pin


@contextmanager
def pushed(
    dockerfile: str, engine: DockerEngine, daemon: docker.DockerClient, registry: Registry, parent: Path
) -> Iterator[Pin]:
    """Make an image that only the registry has."""
    name = f"wheel-factory/test:{uuid4().hex}"
    folder = parent / uuid4().hex
    folder.mkdir()
    (folder / "Dockerfile").write_text(dockerfile)
    daemon.images.build(path=str(folder), tag=name, rm=True)
    pin = registry.push(daemon, name, f"look-alike-{folder.name}")
    engine.remove_image(name)
    yield pin
    if held := engine.held_image(pin.reference):
        engine.remove_image(held.id)


def test_a_recipe_builds_in_the_image_that_it_names(workshop: Command, pin: Pin, engine: DockerEngine) -> None:
    """Nothing is known of it before; the factory's own tools repair, whatever the image carries."""
    recipe = workshop.recipe(make_c_project("pulled"), images={PLATFORM: str(pin)})
    before = workshop("plan", recipe)
    assert engine.held_image(pin.reference) is None

    built = workshop.build(recipe)

    assert (before.code, built.code) == (4, 0), before.stderr + built.stderr
    assert f"nothing is known of {pin} yet" in before.stderr
    assert f"factory image pull {pin}" in before.stderr
    assert f"pulling {pin.reference}" in built.stderr
    assert set(built.statuses.values()) == {"passed"}
    assert image_of(built.records["pulled"].cell) == pin.reference
    assert workshop.wheels == {f"pulled-1.0-cp313-cp313-{PLATFORM}.whl"}


def test_crates_are_never_fetched_by_an_image_that_a_recipe_names(
    workshop: Command, engine: DockerEngine, daemon: docker.DockerClient, host: Host, registry: Registry
) -> None:
    with Store.open(workshop.store) as store:
        image = ensure(LOOKALIKE, engine=engine, host=host, store=store, progress=print)
    dockerfile = WITHOUT_TOOLS.format(image=image.reference) + OWN_CARGO
    project = make_rust_project("chosen", cargo='[dependencies]\ncfg-if = "1"\n', lock="")
    with pushed(dockerfile, engine, daemon, registry, workshop.folder) as pin:
        built = workshop.build(workshop.recipe(project, images={PLATFORM: str(pin)}, build={"locked": False}))

    assert built.code == 0, built.stderr
    assert built.run is not None
    folder = built.folder / built.run.folder
    logs = {path.name: path.read_text() for path in (folder / "logs/crates:chosen").glob("*.log")}
    assert logs
    assert all("CHOSEN-BY-THE-RECIPE" not in text for text in logs.values())
    assert "CHOSEN-BY-THE-RECIPE" in built.log("chosen"), "the build itself uses the image's own"


def test_what_was_asked_once_is_known_without_an_engine(workshop: Command, pin: Pin) -> None:
    pulled = workshop("image", "pull", str(pin))
    said = workshop("image", "pin", f"{pin.name}:{pin.tag}")
    recipe = workshop.recipe(make_c_project("pulled"), images={PLATFORM: str(pin)})
    nowhere = {"DOCKER_HOST": "unix:///nonexistent.sock"}

    planned = workshop("plan", recipe, env=nowhere)
    shown = workshop("image", "show", str(pin))

    assert (pulled.code, planned.code, shown.code) == (0, 0, 0), pulled.stderr + planned.stderr + shown.stderr
    assert said.stdout.strip() == str(pin), said.stderr
    assert f"{pin.reference} builds for {PLATFORM}" in planned.stdout
    assert "interpreters: cp39 cp311 cp313 cp314\n" in shown.stdout
    assert "packages by: apt" in shown.stdout


def test_a_ceiling_below_the_named_images_libc_is_refused(workshop: Command, pin: Pin) -> None:
    older = "manylinux_2_28_x86_64"
    recipe = workshop.recipe(make_c_project("older"), platforms=[older], images={older: str(pin)})

    ended = workshop.build(recipe)

    assert ended.code == 4
    assert f"builds {PLATFORM}, which does not run wherever {older} is promised" in ended.stderr


def test_an_image_of_a_family_that_is_not_what_it_declares_is_refused(workshop: Command, pin: Pin) -> None:
    """Another lock leads to an image whose libc is another one than the family's file declares."""
    lock = _lock(workshop.folder / "wrong.lock", pin)
    recipe = workshop.recipe(make_c_project("wrong"))

    ended = workshop.build(recipe, "--families", "pypa", env={"FACTORY_IMAGE_LOCK": str(lock)})

    assert ended.code == 4
    assert "pypa-manylinux_2_28_x86_64 is not what it declares" in ended.stderr
    assert "its libc is glibc 2.31, manylinux_2_28 is declared" in ended.stderr
    assert f"images: {{<platform>: {pin}}}" in ended.stderr


def test_a_family_whose_registry_is_gone_is_exit_4_with_a_way_out(workshop: Command) -> None:
    lock = _lock(workshop.folder / "gone.lock", Pin(f"127.0.0.1:{free_port()}/gone", Digest("0" * 64)))
    recipe = workshop.recipe(make_c_project("gone"))

    ended = workshop.build(recipe, "--families", "pypa", env={"FACTORY_IMAGE_LOCK": str(lock)})

    assert ended.code == 4
    assert "the registry does not answer" in ended.stderr
    assert ended.stderr.count("trying again in") == 3
    assert "--families lookalike" in ended.stderr


def test_a_pulled_image_that_keeps_its_declaration_serves_its_family(workshop: Command, pin: Pin) -> None:
    """A copy of the package whose data declare our image as one of the family."""
    home = workshop.folder / "package"
    declare_official(home, PLATFORM, pin, c="10.2")
    recipe = workshop.recipe(make_c_project("served"))

    ended = workshop.build(recipe, "--families", "pypa", env={"PYTHONPATH": str(home)})

    assert ended.code == 0, ended.stderr
    assert image_of(ended.records["served"].cell) == f"pypa-{PLATFORM}"


def _lock(path: Path, pin: Pin) -> Path:
    """Pin every image of the family to one."""
    names = [each.stem for each in (ROOT / "images/pypa").glob("*.toml")]
    path.write_text(render_lock(Lock(pins=dict.fromkeys(names, pin), origin="a test")))
    return path


def test_a_plain_image_with_musl_that_a_user_pins_tries_wheels(
    command: Command, engine: DockerEngine, daemon: docker.DockerClient, host: Host, registry: Registry
) -> None:
    """As `python:3.13-alpine` would, with its interpreter in /usr/local/bin; the factory's own image is left out."""
    package = command.folder / "package"
    copy_factory(package)
    (package / "images/musl/trixie.toml").unlink()
    lock = command.folder / "images.lock"
    lock.write_text((ROOT / "images/pypa/images.lock").read_text())
    env = {"PYTHONPATH": str(package), "FACTORY_IMAGE_LOCK": str(lock)}
    asks = {"run": "python -c 'import os, plain; assert plain.answer() == 42; assert not os.path.exists(\"/lib64\")'"}
    recipe = command.recipe(make_c_project("plain"), platforms=("musllinux_1_2_x86_64",), test=asks)
    with Store.open(command.store) as store:
        image = ensure("musl-trixie", engine=engine, host=host, store=store, progress=print)

    with pushed(ALPINE.format(image=image.reference), engine, daemon, registry, command.folder) as pin:
        untried = command.build(recipe, env=env)
        pinned = command("image", "pin", "--trial", f"{pin.name}:{pin.tag}", env=env)
        tried = command.build(recipe, env=env)

    assert untried.code != 0
    assert pinned.code == 0, pinned.stderr
    assert tried.code == 0, tried.stderr
    assert [(trial.image, trial.outcome) for trial in tried.records["plain"].trials] == [
        (f"{pin.name}:{pin.tag}", "passed")
    ]
