"""What a trial installs: this very wheel, and what its metadata asks for; and what it is told to try."""

import json
from pathlib import PurePosixPath

import pytest
from packaging.utils import canonicalize_name

from factory.catalogue import Processor
from factory.guests import program
from factory.recipe import model
from factory.steps import Python, emulated_python, trial_python
from factory.tags import Interpreter, PlatformTag
from factory.trials.commands import Beside, processor_model, trial_steps
from factory.trials.costs import measured_modules
from factory.trials.load import load_steps
from factory.trials.requirements import requirements_of
from factory.trials.subjects import Subjects
from factory.untrusted import UntrustedTextError

SPAM = canonicalize_name("spam")
WHEEL = "spam-1.0-cp39-abi3-manylinux_2_31_x86_64.whl"
PYTHON = Python(interpreter=Interpreter(13), path=PurePosixPath("/usr/bin/python3.13"))


def asked(*requires: str, extras: tuple[str, ...] = (), minor: int = 13) -> list[str]:
    return [str(requirement) for requirement in requirements_of(SPAM, requires, extras, Interpreter(minor), "x86_64")]


def test_the_wheel_is_asked_for_by_its_path() -> None:
    """By name and version, an installer could choose another file of the same release."""
    install = trial_steps(SPAM, WHEEL, Subjects(), model.TestSpec(extras=("fast",)), PYTHON, epoch_s=1)[1]

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


NO_REQUIREMENTS = {
    "no-requirement": "not a requirement !",
    "undefined-comparison": 'aa; os_name ~= "linux"',
    "undefined-variable": 'aa; "x" ~= "y"',
    "nested": f"a; {'(' * 5000}",
    "quotes-of-both-kinds": """a; os_name == '"\\x27'""",
    "long": f"a{'=' * 20_000}",
}


@pytest.mark.parametrize("text", NO_REQUIREMENTS.values(), ids=NO_REQUIREMENTS)
def test_metadata_that_asks_for_no_requirement_is_told_apart(text: str) -> None:
    with pytest.raises(UntrustedTextError):
        asked(text)


def test_extras_that_ask_for_one_another_without_end_are_refused() -> None:
    own = [f"spam[{','.join(f'x{n}-{m}' for m in range(500))}]" for n in range(5)]

    with pytest.raises(UntrustedTextError, match="too many to evaluate"):
        asked(*own, *(f"a{n}; extra == 'x'" for n in range(1000)))


def test_the_environment_is_made_of_the_interpreter_that_is_named() -> None:
    environment = trial_steps(SPAM, WHEEL, Subjects(), model.TestSpec(), PYTHON, epoch_s=1)[0]

    assert environment.argv[-2:] == ("/usr/bin/python3.13", "/work/env")


def test_without_modules_and_tests_nothing_is_run_after_the_installation() -> None:
    names = [step.name for step in trial_steps(SPAM, WHEEL, Subjects(), model.TestSpec(), PYTHON, epoch_s=1)]

    assert names == ["environment", "install"]


ABOUT = Subjects(
    libraries=("spam/_spam.abi3.so", "spam.libs/libham.so"),
    modules=("spam._spam", "spam"),
    extensions=("spam._spam",),
    commands=("spam",),
    tolerated=frozenset({"spam.libs/libham.so"}),
)


def orders(about: Subjects, emulated: str | None = None) -> dict[str, dict[str, object]]:
    """What the program that tries wheels is told, by the step's name."""
    test = model.TestSpec(run=("true",))
    steps = trial_steps(SPAM, WHEEL, about, test, PYTHON, epoch_s=1, beside=Beside(emulated=emulated))
    assert [step.name for step in (*steps[:2], steps[-1])] == ["environment", "install", "test"]
    given = {step.name: step.argv for step in steps[2:-1]}
    assert {argv[:3] for argv in given.values()} <= {("/work/env/bin/python", "-I", "/tools/trying.py")}
    return {name: json.loads("".join(argv[3:])) for name, argv in given.items()}


def test_what_a_wheel_holds_is_loaded_imported_and_started_before_the_tests() -> None:
    given = orders(ABOUT)

    assert list(given) == ["import", "start-commands"]
    assert given["import"]["libraries"] == [["spam/_spam.abi3.so", False], ["spam.libs/libham.so", True]]
    assert given["import"]["modules"] == ["spam._spam", "spam"]
    assert given["import"]["extensions"] == ["spam._spam"]
    assert given["start-commands"] == {"start": ["spam"], "tolerated": True, "timeout_s": 20}


def test_imports_are_measured_beside_those_of_an_older_wheel() -> None:
    older = ("spam-0.9-cp313-cp313-linux_x86_64.whl", "eggs-1.0-py3-none-any.whl")
    steps = trial_steps(
        SPAM, WHEEL, ABOUT, model.TestSpec(), PYTHON, epoch_s=1, beside=Beside(measured=True, older=older)
    )

    (step,) = [step for step in steps if step.name == "import-cost"]
    order = json.loads("".join(step.argv[4:]))
    assert order["modules"] == ["spam", "spam._spam"]
    assert order["pythons"] == {"new": "/work/env/bin/python", "old": "/work/older/bin/python"}
    assert order["prepare"][1][-3:] == [
        "--no-deps",
        "/work/older-wheels/spam-0.9-cp313-cp313-linux_x86_64.whl",
        "/work/wheelhouse/eggs-1.0-py3-none-any.whl",
    ]


def test_few_modules_of_many_are_measured_and_those_that_the_recipe_names_first() -> None:
    names = tuple(f"spam.a.b{number}" for number in range(20))

    assert measured_modules(
        Subjects(modules=(*names, "spam.z"), named=(names[9],), tolerated=frozenset(names[:5]))
    ) == (
        names[9],
        "spam.z",
        *sorted(set(names[5:]) - {names[9]})[:2],
    )


def test_modules_are_imported_once_more_where_an_old_processor_is_emulated() -> None:
    given = orders(ABOUT, emulated="Opteron_G1")

    assert list(given) == ["import", "start-commands", "old-processor"]
    assert given["old-processor"]["under"] == ["/work/emulator", "-cpu", "Opteron_G1"]
    assert given["old-processor"]["modules"] == ["spam._spam", "spam"]


def test_an_old_processor_is_for_modules_and_programs_alone() -> None:
    assert list(orders(Subjects(libraries=("spam/libspam.so",)), emulated="Opteron_G1")) == ["import"]


def test_an_order_that_is_longer_than_an_argument_may_be_is_cut() -> None:
    many = Subjects(libraries=tuple(f"spam/{'x' * 200}{index}.so" for index in range(1000)))
    steps = trial_steps(SPAM, WHEEL, many, model.TestSpec(), PYTHON, epoch_s=1)

    assert max(map(len, steps[-1].argv)) < 128 * 1024
    assert len(json.loads("".join(steps[-1].argv[3:]))["libraries"]) == 1000


def test_a_waived_object_may_be_one_that_the_oldest_loader_refuses() -> None:
    load = load_steps(WHEEL, ("spam/a.so", "spam/b.so"), trial_python(Interpreter(9)), tolerated=["spam/b.so"])[-1]

    assert load.argv[-3:] == ("/work/unpacked/spam/b.so", "/work/unpacked/spam/a.so", "/work/unpacked/spam/b.so")


@pytest.mark.parametrize(("level", "model_"), [("x86-64", "Opteron_G1"), ("x86-64-v2", "Nehalem"), ("any", None)])
def test_a_level_is_emulated_by_an_old_processor_of_it(level: Processor, model_: str | None) -> None:
    assert processor_model(level) == model_


def test_another_machines_python_lies_in_the_userland_and_its_programs_are_wrapped() -> None:
    native = Subjects(
        commands=("spam", "eggs"), natives=("spam",), programs=(("spam-1.data/scripts/spam", "/lib/ld.so"),)
    )
    steps = trial_steps(SPAM, WHEEL, native, model.TestSpec(), emulated_python(Interpreter(13)), epoch_s=1)

    assert [step.name for step in steps] == ["environment", "install", "wrap-programs", "start-commands"]
    assert steps[0].argv[-2:] == ("/userland/usr/bin/python3.13", "/work/env")
    assert steps[2].argv[-3:] == ("/work/env/bin", "/userland/emulator -L /userland", "spam")


def test_nothing_is_wrapped_where_no_program_is_the_machines() -> None:
    scripts = Subjects(commands=("eggs",))
    steps = trial_steps(SPAM, WHEEL, scripts, model.TestSpec(), emulated_python(Interpreter(13)), epoch_s=1)

    assert [step.name for step in steps] == ["environment", "install", "start-commands"]


def test_the_loader_of_another_machine_is_asked_by_a_program_of_its_own() -> None:
    here, there = (
        load_steps(
            WHEEL,
            ("spam/a.so",),
            trial_python(Interpreter(13)),
            platform=PlatformTag.parse("manylinux_2_41_aarch64"),
            emulated=emulated,
        )[-1]
        for emulated in (False, True)
    )

    assert here.argv[3] == program("load.py")
    assert there.argv[3] == program("load_foreign.py")
    assert there.argv[4:] == here.argv[4:]
