"""Trials on the image that built a wheel: nothing can be compiled there, and its interpreters run."""

from pathlib import Path, PurePosixPath

import pytest

from factory.engine.api import ContainerSpec
from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.ready import ensure
from factory.steps import COMPILERS, image_python
from factory.store import Store
from factory.tags import Interpreter
from tests.docker.command import Command
from tests.docker.projects import make_c_project

pytestmark = pytest.mark.engine

BUILDER = "lookalike-manylinux_2_31_x86_64"
NEWER = "manylinux_2_36_x86_64"
COMPILE = "printf 'int main(void) { return 0; }' >/tmp/a.c && gcc -o /tmp/a /tmp/a.c && /tmp/a"


@pytest.mark.parametrize(("hidden", "code"), [((), 0), (COMPILERS, 1)], ids=["as it is", "as trials have it"])
def test_a_build_images_gcc_compiles_only_where_its_parts_are_in_reach(
    hidden: tuple[PurePosixPath, ...], code: int, engine: DockerEngine, host: Host, shared_store: Path
) -> None:
    with Store.open(shared_store) as store:
        image = ensure(BUILDER, engine=engine, host=host, store=store, progress=print).reference

    with engine.container(ContainerSpec(image=image, label="gcc", env={}, hidden=hidden)) as container:
        compiled = container.run(["sh", "-c", COMPILE], timeout_s=60)
        python = container.run([str(image_python(Interpreter(13))), "-c", "import ssl, ctypes, sqlite3"], timeout_s=60)

    assert (compiled.code, python.code) == (code, 0), compiled.output + python.output


@pytest.mark.slow
@pytest.mark.index
def test_a_wheel_is_tried_where_it_was_built_for_want_of_a_plain_image(command: Command) -> None:
    """No suite with glibc 2.36 or newer has a Python 3.9."""
    asks = {"run": "python -c 'import plain; assert plain.answer() == 42'"}
    recipe = command.recipe(make_c_project("plain"), interpreters=("cp39",), platforms=(NEWER,), test=asks)

    ran = command.build(recipe)

    assert ran.code == 0, ran.stderr
    (record,) = ran.records.values()
    assert [(trial.image, trial.outcome) for trial in record.trials] == [(f"lookalike-{NEWER}", "passed")]
    assert "tried on the image that built it, with its compilers out of reach" in ran.stderr + ran.stdout
