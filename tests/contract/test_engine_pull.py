"""Pulls, against a registry on loopback that serves an image of our own: nothing is pushed anywhere else."""

import io
import json
import os
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from threading import Event
from uuid import uuid4

import docker
import pytest

from factory.digest import Digest
from factory.engine.api import PullProgress
from factory.engine.docker import DockerEngine, connect
from factory.engine.faults import PullError
from factory.errors import ImageError, Interrupted
from factory.host import Host
from factory.images.pinning import tagged
from factory.images.pull import pulled
from factory.pins import Pin
from tests.contract.registry import Door, Registry, free_port, served

pytestmark = pytest.mark.engine

SIZE_BYTES = 6 << 20
X86_64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + (62).to_bytes(2, "little") + bytes(44)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with served(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def pin(engine: DockerEngine, daemon: docker.DockerClient, registry: Registry) -> Iterator[Pin]:
    """An image that nobody has but the registry: one layer that cannot be compressed."""
    image = engine.import_rootfs([make_rootfs()], reference=f"wheel-factory/test:{uuid4().hex}", labels={}, env={})
    name = f"test-{uuid4().hex[:8]}"
    pushed = registry.push(daemon, image, name)
    engine.remove_image(image)
    yield pushed
    for each in daemon.images.list(all=True):
        for digest in each.attrs["RepoDigests"] or []:
            if digest.endswith(str(pushed.digest)):
                engine.remove_image(each.id or "")


@pytest.fixture
def door(registry: Registry) -> Iterator[Door]:
    """Another way to the registry, shut at first."""
    relay = Door(registry)
    yield relay
    relay.shut()


def make_rootfs() -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name, content in (("usr/bin/sleep", X86_64), ("noise", os.urandom(SIZE_BYTES))):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            tar.addfile(member, io.BytesIO(content))
    return spool.getvalue()


def silent(_: PullProgress) -> None:
    return


@pytest.mark.unlike_podman("POST /images/create tells the configuration as a layer, and no bytes")
def test_an_image_comes_by_its_digest_and_is_known_by_it(engine: DockerEngine, pin: Pin) -> None:
    told: list[PullProgress] = []
    before = engine.held_image(pin.reference)

    engine.pull(pin.name, str(pin.digest), on_progress=told.append)

    found = engine.held_image(pin.reference)
    assert before is None
    assert found is not None
    assert found.architecture == "amd64"
    assert told[-1].layers == told[-1].layers_done == 1
    assert told[-1].bytes_done == told[-1].bytes_total > SIZE_BYTES


def test_what_is_here_is_not_asked_for_again(engine: DockerEngine, pin: Pin) -> None:
    engine.pull(pin.name, str(pin.digest), on_progress=silent)
    said: list[str] = []

    found = pulled(engine, pin, progress=said.append, cancelled=Event())

    assert found == engine.held_image(pin.reference)
    assert said == []


@pytest.mark.unlike_podman("GET /distribution/…/json is 404")
def test_a_tag_is_asked_for_its_digest_and_nothing_comes(engine: DockerEngine, pin: Pin) -> None:
    found = tagged(engine, pin.name, pin.tag)

    assert found == pin
    assert engine.held_image(pin.reference) is None


@pytest.mark.unlike_podman("GET /distribution/…/json is 404")
@pytest.mark.parametrize("tag", ["no-such-tag", "1.2.3"])
def test_a_missing_tag_is_reported(engine: DockerEngine, pin: Pin, tag: str) -> None:
    with pytest.raises(PullError, match="the registry does not have it") as caught:
        engine.registry_digest(pin.name, tag)

    assert f"{pin.name}:{tag}" in caught.value.message
    assert caught.value.exit_code == 4


@pytest.mark.unlike_podman("GET /distribution/…/json is 404")
def test_a_registry_is_asked_whether_it_serves_a_digest_and_nothing_comes(engine: DockerEngine, pin: Pin) -> None:
    engine.require_served(pin.name, str(pin.digest), within_s=5)

    with pytest.raises(PullError, match="the registry does not have it") as caught:
        engine.require_served(pin.name, f"sha256:{'0' * 64}", within_s=5)

    assert engine.held_image(pin.reference) is None
    assert (caught.value.is_registrys, caught.value.is_temporary) == (False, False)


@pytest.mark.unlike_podman("GET /distribution/…/json is 404")
def test_a_registry_that_hangs_is_given_up(engine: DockerEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_server:
        name = f"127.0.0.1:{silent_server.getsockname()[1]}/hanging"
        started = time.monotonic()

        with pytest.raises(PullError, match="nothing came for 1 s") as caught:
            engine.require_served(name, f"sha256:{'0' * 64}", within_s=1)

    assert time.monotonic() - started < 30
    assert caught.value.is_registrys


def test_a_digest_that_is_missing_is_asked_for_once(engine: DockerEngine, pin: Pin) -> None:
    missing = Pin(pin.name, Digest("0" * 64))
    said: list[str] = []

    with pytest.raises(PullError, match="the registry does not have it") as caught:
        pulled(engine, missing, progress=said.append, cancelled=Event())

    assert said == [f"pulling {missing}"]
    assert "factory image pin" in caught.value.hint


def test_a_manifest_that_is_not_its_digests_is_refused(engine: DockerEngine, pin: Pin, registry: Registry) -> None:
    path = registry.manifest(pin)
    path.write_bytes(path.read_bytes().replace(b"{", b"{ ", 1))
    said: list[str] = []

    with pytest.raises(PullError, match="what the registry sent does not match the digest") as caught:
        pulled(engine, pin, progress=said.append, cancelled=Event())

    assert len(said) == 1
    assert "do not use it" in caught.value.hint
    assert engine.held_image(pin.reference) is None


def test_a_layer_that_is_not_its_digests_is_refused(engine: DockerEngine, pin: Pin, registry: Registry) -> None:
    (layer,) = json.loads(registry.manifest(pin).read_bytes())["layers"]
    path = registry.blob(Digest(layer["digest"].removeprefix("sha256:")))
    content = bytearray(path.read_bytes())
    content[SIZE_BYTES // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(PullError, match="what the registry sent does not match the digest"):
        engine.pull(pin.name, str(pin.digest), on_progress=silent)

    assert engine.held_image(pin.reference) is None


def test_where_no_registry_answers_it_is_asked_again_and_then_reported(engine: DockerEngine) -> None:
    pin = Pin(f"127.0.0.1:{free_port()}/nothing", Digest("0" * 64))
    said: list[str] = []

    with pytest.raises(ImageError, match="the registry does not answer") as caught:
        pulled(engine, pin, progress=said.append, cancelled=Event(), pauses_s=(0.1, 0.2))

    assert [line.rpartition("; ")[2] for line in said[1:]] == ["trying again in 0.1 s", "trying again in 0.2 s"]
    assert "--families lookalike" in caught.value.hint


def test_a_registry_that_comes_back_between_two_attempts_serves(engine: DockerEngine, pin: Pin, door: Door) -> None:
    said: list[str] = []

    def mend(text: str) -> None:
        said.append(text)
        if text.endswith("trying again in 0.1 s"):
            door.open()

    found = pulled(engine, door.pin(pin), progress=mend, cancelled=Event(), pauses_s=(0.1,))

    assert found == engine.held_image(door.pin(pin).reference)
    assert len(said) == 2


def test_a_connection_that_breaks_in_a_layer_is_made_up_for(engine: DockerEngine, pin: Pin, door: Door) -> None:
    """Docker itself goes on where a layer broke off, after five seconds; Podman gives up at once."""
    door.open()
    door.break_after(SIZE_BYTES // 2)
    threading.Timer(2, door.mend).start()

    found = pulled(engine, door.pin(pin), progress=lambda _: None, cancelled=Event(), pauses_s=(0.1, 3))

    assert found == engine.held_image(door.pin(pin).reference)


@pytest.mark.slow
def test_a_registry_that_dies_in_the_middle_of_a_layer_is_reported(engine: DockerEngine, pin: Pin, door: Door) -> None:
    """Docker tries five times, with longer and longer pauses, before it gives up."""
    door.open()
    door.break_after(SIZE_BYTES // 2)
    threading.Timer(2, door.shut).start()

    with pytest.raises(
        PullError, match=r"is not available: (the registry closed the connection|the registry does not answer)"
    ) as caught:
        pulled(engine, door.pin(pin), progress=lambda _: None, cancelled=Event(), pauses_s=())

    assert caught.value.exit_code == 4
    assert engine.held_image(door.pin(pin).reference) is None


def test_a_pull_ends_at_once_with_its_run(host: Host, owner: str, pin: Pin, door: Door) -> None:
    door.open()
    door.hold()
    ends: list[float] = []

    with connect(host, owner=owner, run_id=uuid4().hex) as run:

        def end() -> None:
            ends.append(time.monotonic())
            run.kill_run()

        threading.Timer(2, end).start()
        with pytest.raises(Interrupted):
            pulled(run, door.pin(pin), progress=lambda _: None, cancelled=Event())
        waited_s = time.monotonic() - ends[0]
        door.mend()

    assert waited_s < 10


def test_waiting_for_the_next_attempt_ends_with_the_run(engine: DockerEngine) -> None:
    pin = Pin(f"127.0.0.1:{free_port()}/nothing", Digest("0" * 64))
    cancelled = Event()
    threading.Timer(1, cancelled.set).start()
    started = time.monotonic()

    with pytest.raises(Interrupted):
        pulled(engine, pin, progress=lambda _: None, cancelled=cancelled, pauses_s=(600,))

    assert time.monotonic() - started < 60
