"""Which interpreter of a build image runs the repairer, and for which the tools are compiled."""

from pathlib import PurePosixPath

import pytest

from factory.repair import bytecode_step, repairer
from tests.makers.plans import make_image


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
