"""Whether an engine runs images for another machine is found by running a program of it."""

from dataclasses import replace

import pytest

from factory.elf.read import parse
from factory.engine.api import Engine
from factory.errors import ImageError
from factory.image_facts import ImageFacts
from factory.images.foreign import PROGRAMS, program_of, require_running, require_running_here, runs
from factory.machines import CONTAINER_MACHINES
from tests.doubles.engine import Answer, EngineDouble
from tests.makers.plans import make_image

X86_64 = make_image()
AARCH64 = replace(X86_64, name="there", platform=replace(X86_64.platform, arch="aarch64"))


def engine_without_emulator() -> EngineDouble:
    """Make an engine whose containers of another machine end when they begin."""
    return EngineDouble(commands=lambda _: Answer(code=-1, ended="lost"))


@pytest.mark.parametrize("machine", CONTAINER_MACHINES)
def test_the_programs_are_static_ones_of_their_machine(machine: str) -> None:
    read = parse(program_of(machine, PROGRAMS[machine].ends))

    assert (read.architecture, read.interpreter) == (machine, None)


def test_an_engine_runs_an_image_that_is_made_of_such_programs() -> None:
    engine = EngineDouble()

    assert runs(engine, "aarch64")

    (call,) = engine.calls
    assert call.argv == ("/bin/true",)
    held = engine.held_image(call.spec.image)
    assert held is not None
    assert held.architecture == "arm64"


def test_an_image_for_a_machine_that_the_engine_does_not_run_is_refused_with_the_way_out() -> None:
    with pytest.raises(ImageError) as caught:
        require_running(engine_without_emulator(), AARCH64)

    assert caught.value.message == (
        "there is for aarch64, and the container engine, which is on x86_64, does not run its programs"
    )
    assert caught.value.hint == (
        "`apt-get install qemu-user-static binfmt-support` where the engine is, or "
        "`docker run --privileged --rm tonistiigi/binfmt --install arm64`; `factory doctor` says whether it does then"
    )


@pytest.mark.parametrize(("architecture", "image"), [("x86_64", X86_64), ("aarch64", AARCH64), ("arm64", AARCH64)])
def test_the_engines_own_machine_is_not_tried(architecture: str, image: ImageFacts) -> None:
    engine: Engine = EngineDouble(architecture=architecture, commands=lambda _: pytest.fail("nothing has to be run"))

    require_running(engine, image)


def test_this_machine_runs_its_own_programs() -> None:
    require_running_here("an image", "x86_64")
