"""An image that another process makes is waited for, unless the run is interrupted."""

from pathlib import Path
from threading import Event

import pytest

from factory.engine.docker import connect
from factory.errors import Interrupted
from factory.host import read_host
from factory.images import declared, ensure
from factory.images.assembly import input_digest
from factory.images.spec import spec_named
from factory.store import Store

NAME = declared()[0].name


def test_an_interrupted_run_does_not_wait_for_an_image_that_another_process_makes(tmp_path: Path) -> None:
    host = read_host({"DOCKER_HOST": "unix:///nonexistent.sock", "DOCKER_API_VERSION": "1.41"})
    engine = connect(host, owner="tests", run_id="tests")  # with a version named, nothing is asked yet
    cancelled = Event()
    cancelled.set()

    with (
        Store.open(tmp_path) as store,
        Store.open(tmp_path) as other,
        other.once("image", input_digest(spec_named(NAME))),
        pytest.raises(Interrupted),
    ):
        ensure(NAME, engine=engine, host=host, store=store, progress=print, cancelled=cancelled)
