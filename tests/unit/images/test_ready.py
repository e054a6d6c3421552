"""An image that another process makes is waited for, unless the run is interrupted."""

from pathlib import Path
from threading import Event

import pytest

from factory.engine.docker import connect
from factory.errors import Interrupted
from factory.host import read_host
from factory.images import ensure
from factory.images.assembly import input_digest
from factory.images.spec import declared_specs
from factory.store import Store
from factory.store.locks import FileLock

SPEC = declared_specs()[0]
NAME = SPEC.facts.name


def test_an_interrupted_run_does_not_wait_for_an_image_that_another_process_makes(tmp_path: Path) -> None:
    host = read_host({"TMPDIR": str(tmp_path), "DOCKER_HOST": "unix:///nonexistent.sock", "DOCKER_API_VERSION": "1.41"})
    engine = connect(host, owner="tests", run_id="tests")  # with a version named, nothing is asked yet
    cancelled = Event()
    cancelled.set()

    with (
        Store.open(tmp_path / "store") as store,
        FileLock(tmp_path / f"wheel-factory-{host.uid}-image-{input_digest(SPEC).hex}.lock") as other,
    ):
        assert other.try_acquire()
        with pytest.raises(Interrupted):
            ensure(NAME, engine=engine, host=host, store=store, progress=print, cancelled=cancelled)
