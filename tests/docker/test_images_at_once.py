"""Several stores that want the same image at once: it is the engine's, and one of them makes it for all."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event
from uuid import uuid4

import docker
import pytest

from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.assembly import input_digest
from factory.images.bootstrap import INPUT_LABEL
from factory.images.ready import ImageServices, ReadyImage, ensure_bootstrapped
from factory.images.spec import data_folder, read_spec
from factory.memory import Memory
from factory.store import Store

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.index]


def test_two_stores_that_want_an_image_at_once_make_it_once(
    tmp_path: Path, engine: DockerEngine, host: Host, daemon: docker.DockerClient
) -> None:
    images = Path(shutil.copytree(data_folder(), tmp_path / "images"))
    path = images / "trial/bullseye.toml"
    path.write_text(f'{path.read_text()}NOBODY_ELSE_HAS = "{uuid4().hex}"\n')
    spec = read_spec(path)
    both = Barrier(2)
    said: list[str] = []

    def work(name: str) -> ReadyImage:
        with Store.open(tmp_path / name) as store:
            memory = Memory(store=store, cancelled=Event(), on_wait=said.append)
            services = ImageServices(engine=engine, host=host, memory=memory, progress=said.append)
            both.wait(timeout=60)
            return ensure_bootstrapped(spec, services)

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(work, ("one", "other"))
    made = daemon.images.list(filters={"label": f"{INPUT_LABEL}={input_digest(spec).hex}"})
    for image in made:
        daemon.images.remove(str(image.id), force=True)

    assert one == other
    assert [image.id for image in made] == [one.reference]
    assert len([line for line in said if line.startswith("importing")]) == 1
    assert not list(host.locks.glob(f"*{input_digest(spec).hex}.lock"))
