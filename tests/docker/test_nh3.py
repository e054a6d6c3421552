"""A Rust package that nobody here wrote: one abi3 wheel, tried wherever it claims to work."""

import pytest

from tests.docker.command import PLATFORM, Command

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

LISTED = ("cp39", "cp311", "cp313", "cp314")
SMOKE = """python -c "import nh3; assert nh3.clean('<b onclick=x>hi</b>') == '<b>hi</b>'\""""


def test_one_abi3_wheel_passes_its_trial_on_every_listed_interpreter(command: Command) -> None:
    recipe = command.recipe(
        "nh3==0.3.7", interpreters=LISTED, abi3="cp38", audit={"modules": ["nh3.nh3"]}, test={"run": SMOKE}
    )

    ran = command.build(recipe)
    trials = ran.records["nh3"].trials

    assert ran.code == 0, ran.stderr
    assert command.wheels == {f"nh3-0.3.7-cp38-abi3-{PLATFORM}.whl"}
    assert [(str(trial.interpreter), trial.outcome) for trial in trials] == [(name, "passed") for name in LISTED]
