"""An interpreter that an image does not have is an error where it is first needed; nothing else is taken for it."""

from pathlib import Path, PurePosixPath

import pytest
import uv

from factory.backends.environment import environment_step
from factory.engine.api import ContainerSpec, FileEntry
from factory.engine.docker import DockerEngine
from factory.guests import program
from factory.host import Host
from factory.images.ready import ensure
from factory.steps import TOOLS, WORK
from factory.store import Store
from factory.tags import Interpreter

pytestmark = [pytest.mark.engine, pytest.mark.index]

IMAGE = "lookalike-manylinux_2_31_x86_64"


@pytest.mark.parametrize(("minor", "code"), [pytest.param(13, 0, id="here"), pytest.param(12, 2, id="missing")])
def test_a_missing_interpreter_is_an_error_and_never_guessed(
    engine: DockerEngine, host: Host, shared_store: Path, minor: int, code: int
) -> None:
    with Store.open(shared_store) as store:
        image = ensure(IMAGE, engine=engine, host=host, store=store, progress=lambda _: None).reference
    step = environment_step(Interpreter(minor), {"PATH": "/usr/bin:/bin:/opt/python/cp313-cp313/bin"})
    tool = FileEntry(path=PurePosixPath("bin/uv"), content=Path(uv.find_uv_bin()).read_bytes(), mode=0o755)
    script = FileEntry(path=PurePosixPath("environment.sh"), content=program("environment.sh").encode())

    with engine.container(ContainerSpec(image=image, label="interpreter", env={})) as container:
        container.copy_in([tool, script])
        ended = container.run(
            [word.replace(f"{TOOLS}/", f"{WORK}/") for word in step.argv], env=step.env, cwd=step.cwd, timeout_s=60
        )

    assert ended.code == code, ended.output
    assert ("/opt/python/cp312-cp312/bin/python" in ended.output) == (code != 0)
