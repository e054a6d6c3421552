"""What a trial installs: this very wheel, and what its metadata asks for on this interpreter."""

import pytest
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from factory.backends.trial import requirements_of, trial_steps
from factory.recipe import model
from factory.tags import Interpreter

SPAM = canonicalize_name("spam")
WHEEL = "spam-1.0-cp39-abi3-manylinux_2_31_x86_64.whl"


def asked(*requires: str, extras: tuple[str, ...] = (), minor: int = 13) -> list[str]:
    test = model.TestSpec(extras=extras)
    return [str(each) for each in requirements_of(SPAM, requires, test, Interpreter(minor), "x86_64")]


def test_the_wheel_is_asked_for_by_its_path() -> None:
    """By name and version, an installer could choose another file of the same release."""
    install = trial_steps(SPAM, WHEEL, (), model.TestSpec(extras=("fast",)), Interpreter(13), epoch_s=1)[1]

    assert install.argv[-1] == f"spam[fast] @ file:///work/wheelhouse/{WHEEL}"
    assert "--no-index" in install.argv


@pytest.mark.parametrize(
    ("requires", "extras", "minor", "expected"),
    [
        pytest.param(("eggs>=1",), (), 13, ["eggs>=1"], id="plain"),
        pytest.param(('eggs; python_version < "3.10"',), (), 13, [], id="for another interpreter"),
        pytest.param(('eggs; python_version < "3.10"',), (), 9, ["eggs"], id="for this interpreter"),
        pytest.param(('ham; extra == "fast"',), (), 13, [], id="an extra nobody asked for"),
        pytest.param(('ham; extra == "fast"',), ("fast",), 13, ["ham"], id="an extra"),
        pytest.param(
            ('spam[fast]; extra == "all"', 'ham; extra == "fast"'), ("all",), 13, ["ham"], id="an extra of itself"
        ),
        pytest.param(('spam[all]; extra == "all"',), ("all",), 13, [], id="an extra that asks for itself ends"),
    ],
)
def test_requirements_are_those_of_this_interpreter_and_these_extras(
    requires: tuple[str, ...], extras: tuple[str, ...], minor: int, expected: list[str]
) -> None:
    assert asked(*requires, extras=extras, minor=minor) == expected


def test_the_recipes_own_requirements_come_too() -> None:
    test = model.TestSpec(requires=(Requirement("pytest"),))

    assert [str(each) for each in requirements_of(SPAM, (), test, Interpreter(13), "x86_64")] == ["pytest"]


def test_metadata_that_asks_for_no_requirement_is_told_apart() -> None:
    with pytest.raises(InvalidRequirement):
        asked("not a requirement !")


def test_without_modules_and_tests_nothing_is_run_after_the_installation() -> None:
    names = [step.name for step in trial_steps(SPAM, WHEEL, (), model.TestSpec(), Interpreter(13), epoch_s=1)]

    assert names == ["environment", "install"]


def test_an_expected_module_is_imported() -> None:
    steps = trial_steps(SPAM, WHEEL, ("spam._spam",), model.TestSpec(), Interpreter(13), epoch_s=1)

    assert steps[-1].name == "import"
    assert steps[-1].argv[-2:] == ("spam._spam", "")
