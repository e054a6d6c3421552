"""Which interpreter of a build image runs the repairer, and for which the tools are compiled."""

from pathlib import PurePosixPath

import pytest

from factory.recipe.model import RepairSpec
from factory.repair import bytecode_step, repair_step, repairer
from factory.steps import Step
from factory.tags import Interpreter, PlatformTag
from tests.makers.plans import make_image

HERE = PlatformTag.parse("manylinux_2_31_x86_64")


@pytest.mark.parametrize(
    ("held", "chosen"),
    [
        pytest.param("cp39 cp311 cp313", "cp313", id="the newest"),
        pytest.param("cp313 cp314t", "cp313", id="not a free-threaded one"),
        pytest.param("cp39 cp310", "cp310", id="none that is too old"),
    ],
)
def test_the_repairer_runs_on_the_newest_interpreter_with_a_gil(held: str, chosen: str) -> None:
    facts = make_image(held)

    assert str(repairer(facts)) == chosen
    assert (
        bytecode_step(repairer(facts), PurePosixPath("/work/tools")).argv[0]
        == f"/opt/python/{chosen}-{chosen}/bin/python"
    )


def step_for(platform: str, image: PlatformTag) -> Step:
    wanted = PlatformTag.parse(platform)
    return repair_step("a.whl", RepairSpec(), wanted, Interpreter(13), epoch_s=1, timeout_s=1, image=image)


def test_a_foreign_wheel_is_repaired_by_the_policies_of_its_own_machine() -> None:
    step = step_for("manylinux_2_17_aarch64", HERE)

    assert step.argv[2:6] == ("/zig/repair_foreign.py", "aarch64", "repair", "--plat")
    assert step.env["AUDITWHEEL_PLAT"] == "manylinux_2_17_aarch64", "the image's own variable is of its machine"


def test_a_wheel_with_musl_is_repaired_by_musls_policies_where_the_image_has_glibc() -> None:
    step = step_for("musllinux_1_2_x86_64", HERE)

    assert step.argv[2:6] == ("/musl/repair_musl.py", "x86_64", "repair", "--plat")
    assert step.env["AUDITWHEEL_PLAT"] == "musllinux_1_2_x86_64"


@pytest.mark.parametrize("platform", ["manylinux_2_31_aarch64", "musllinux_1_2_x86_64"])
def test_an_image_for_a_machine_or_with_musl_repairs_wheels_for_it_by_itself(platform: str) -> None:
    step = step_for(platform, PlatformTag.parse(platform))

    assert step.argv[2:4] == ("-m", "auditwheel")
    assert "AUDITWHEEL_PLAT" not in step.env
