"""An image that another process makes is waited for, unless the run is interrupted."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from factory.engine.docker import connect
from factory.errors import Interrupted
from factory.host import Host, read_host
from factory.images.assembly import input_digest
from factory.images.ready import ensure
from factory.images.spec import declared_specs
from factory.store import Store, locks
from factory.store.locks import shared_lock

SPEC = declared_specs()[0]
NAME = SPEC.facts.name
LOCK = f"image-{input_digest(SPEC).hex}.lock"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    cache = str(tmp_path / "cache")
    return read_host({"XDG_CACHE_HOME": cache, "DOCKER_HOST": "unix:///nonexistent.sock", "DOCKER_API_VERSION": "1.41"})


def make_image(host: Host, store: Store, cancelled: Event, progress: Callable[[str], None]) -> None:
    engine = connect(host, owner="tests", run_id="tests")  # with a version named, nothing is asked yet
    ensure(NAME, engine=engine, host=host, store=store, progress=progress, cancelled=cancelled)


def test_an_interrupted_run_does_not_wait_for_an_image_that_another_process_makes(host: Host, tmp_path: Path) -> None:
    cancelled = Event()
    cancelled.set()

    with Store.open(tmp_path / "store") as store, shared_lock(host.locks, LOCK) as other:
        assert other.try_acquire()
        with pytest.raises(Interrupted):
            make_image(host, store, cancelled, print)


def test_whoever_waits_for_an_image_that_another_process_makes_says_so(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "TELL_AFTER_S", 0.01)
    cancelled = Event()
    messages: list[str] = []

    def progress(text: str) -> None:
        messages.append(text)
        cancelled.set()

    with Store.open(tmp_path / "store") as store, shared_lock(host.locks, LOCK) as other:
        assert other.try_acquire()
        with pytest.raises(Interrupted):
            make_image(host, store, cancelled, progress)

    assert messages == [f"waiting for {NAME}, which another run is making"]


def test_nobody_else_can_hold_the_lock_of_an_image(host: Host) -> None:
    """What lies in a shared temporary folder, any user of the machine could take for ever."""
    with shared_lock(host.locks, LOCK) as lock:
        assert lock.try_acquire()

    assert host.locks.stat().st_mode & 0o777 == 0o700
