"""What changed between two key documents, in words."""

from collections.abc import Mapping

import pytest

from factory.codec import JSON
from factory.keys import document
from factory.stages.changes import changes

OLD, NEW = (f"sha256:{digit * 64}" for digit in "ab")
NAMES = {OLD: "setuptools-84.0-py3-none-any.whl", NEW: "setuptools-84.1-py3-none-any.whl"}
TODAY = "the day, which is compared with the last day of a waiver"
COMMAND: Mapping[str, JSON] = {"argv": ["make", "all"], "env": {"CC": "gcc"}, "cwd": "/work"}


def asked(version: int = 2, **inputs: JSON) -> Mapping[str, JSON]:
    return document("build", version, inputs)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(asked(image=OLD), asked(image=OLD), (), id="nothing"),
        pytest.param(asked(2), asked(3), ("the factory's stage build changed from version 2 to 3",), id="a version"),
        pytest.param(
            asked(image=OLD), asked(image=NEW), ("the image: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb",), id="an image"
        ),
        pytest.param(
            asked(source=OLD),
            asked(source=NEW),
            ("the source: sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb",),
            id="a source",
        ),
        pytest.param(
            asked(requirements=[OLD]), asked(requirements=[NEW]), ("requirement setuptools 84.0 → 84.1",), id="a wheel"
        ),
        pytest.param(
            asked(requirements=[]),
            asked(requirements=[NEW]),
            ("requirement setuptools (absent) → 84.1",),
            id="one more",
        ),
        pytest.param(
            asked(requirements=["ham"]),
            asked(requirements=["ham", "eggs>=2"]),
            ("requirement new: eggs>=2",),
            id="texts",
        ),
        pytest.param(
            asked(constraints=["ham<2"]), asked(constraints=[]), ("constraint gone: ham<2",), id="a constraint less"
        ),
        pytest.param(
            asked(crates={"locks": [{"path": "Cargo.lock", "file": {"digest": OLD}}]}),
            asked(crates={"locks": [{"path": "Cargo.lock", "file": {"digest": NEW}}]}),
            ("crates: Cargo.lock sha256:aaaaaaaaaaaa → sha256:bbbbbbbbbbbb",),
            id="a lock",
        ),
        pytest.param(
            asked(expectation={"tags": ["a"], "floor": None}),
            asked(expectation={"tags": ["a"], "floor": "cp39"}),
            ("what is expected of the wheel: floor: none → cp39",),
            id="a field in a table",
        ),
        pytest.param(
            asked(commands=[COMMAND]),
            asked(commands=[{**COMMAND, "argv": ["make", "most"]}]),
            ("command 1: all → most",),
            id="a command",
        ),
        pytest.param(
            asked(commands=[COMMAND, COMMAND]),
            asked(commands=[{**COMMAND, "env": {"CC": "clang"}}] * 2),
            ("variable: CC: gcc → clang",),
            id="a variable of two commands",
        ),
        pytest.param(
            asked(commands=[COMMAND]), asked(commands=[COMMAND] * 2), ("a command added: make all",), id="a new command"
        ),
        pytest.param(
            asked(commands=[{**COMMAND, "passed": {"TOKEN": OLD}}]),
            asked(commands=[{**COMMAND, "passed": {"TOKEN": NEW}}]),
            ("variable TOKEN, which the recipe passes: another value",),
            id="a secret, whose digest is not shown",
        ),
        pytest.param(asked(today=None), asked(), (f"{TODAY}: none → (absent)",), id="null and absent"),
        pytest.param(asked(), asked(project=NEW), (), id="what the build may begin with"),
        pytest.param(asked(novel=1), asked(novel=[2]), ("novel: 1 → [2]",), id="an input without words of its own"),
    ],
)
def test_each_change_is_told_once(old: Mapping[str, JSON], new: Mapping[str, JSON], told: tuple[str, ...]) -> None:
    assert changes(old, new, NAMES.get) == told


def test_a_wheel_that_nothing_names_is_told_by_its_digest() -> None:
    told = changes(asked(requirements=[OLD]), asked(requirements=[]), lambda _: None)

    assert told == ("requirement sha256:aaaaaaaaaaaa (version unknown) → (absent)",)


def test_long_values_are_cut() -> None:
    (told,) = changes(asked(commands=[COMMAND]), asked(commands=[{**COMMAND, "argv": ["make", "x" * 9000]}]), NAMES.get)

    assert len(told) < 200


def test_of_long_words_the_first_difference_is_shown() -> None:
    program = "import os\n" * 100
    old, new = ({**COMMAND, "argv": ["python", program + f"print({number})"]} for number in (1, 2))

    (told,) = changes(asked(commands=[old]), asked(commands=[new]), NAMES.get)

    assert told == "command 1: …os import os print(1)… → …os import os print(2)…"
