"""What nobody expected becomes an internal error; what ends a run, or a program, stays what it is."""

import pickle

import pytest

from factory.errors import (
    EngineError,
    FactoryError,
    ImageError,
    InternalError,
    Interrupted,
    OutputError,
    PlanError,
    RecipeError,
    SourceError,
    StoreError,
    TooMuchOutputError,
    TooSlowError,
    UsageError,
    is_of_one_recipe,
)
from factory.unexpected import internal_errors


def recurse() -> None:
    recurse()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(KeyError("a"), "internal error: KeyError: 'a'", id="an exception"),
        pytest.param(MemoryError(), "internal error: MemoryError", id="without a word"),
        pytest.param(ValueError("\nfirst\nsecond"), "internal error: ValueError: first", id="of many lines"),
        pytest.param(OSError(2, "not there"), "internal error: FileNotFoundError: [Errno 2] not there", id="of the OS"),
        pytest.param(AssertionError("no"), "internal error: AssertionError: no", id="an assertion"),
        pytest.param(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), None, id="with arguments"),
    ],
)
def test_what_nobody_expected_is_an_internal_error_with_its_traceback(error: Exception, message: str | None) -> None:
    with pytest.raises(InternalError) as caught, internal_errors():
        raise error

    assert message is None or caught.value.message == message
    assert caught.value.traceback.startswith("Traceback (most recent call last)")
    assert type(error).__name__ in caught.value.traceback
    assert caught.value.exit_code == 70


def test_an_endless_recursion_is_one_too() -> None:
    with pytest.raises(InternalError, match=r"^internal error: RecursionError: "), internal_errors():
        recurse()


def test_neither_the_message_nor_the_traceback_grows_with_what_a_package_says() -> None:
    with pytest.raises(InternalError) as caught, internal_errors():
        raise ValueError("x" * (16 << 20))

    assert len(caught.value.message) < 300
    assert len(caught.value.traceback) < 70_000
    assert "Traceback" in caught.value.traceback
    assert caught.value.traceback.endswith("xxx\n")


@pytest.mark.parametrize("error", [StoreError("full"), EngineError("silent"), Interrupted("now"), FactoryError("a")])
def test_an_error_of_ours_passes(error: FactoryError) -> None:
    with pytest.raises(type(error)) as caught, internal_errors():
        raise error

    assert caught.value is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_ends_a_program_passes(error: BaseException) -> None:
    with pytest.raises(type(error)), internal_errors():
        raise error


def test_what_is_named_passes() -> None:
    with pytest.raises(BrokenPipeError), internal_errors(let_through=(OSError,)):
        raise BrokenPipeError


def test_an_internal_error_keeps_its_traceback_when_it_is_named_and_sent_and_lets_it_go_to_a_log() -> None:
    error = InternalError("internal error: KeyError", hint="report it", traceback="Traceback")

    named = pickle.loads(pickle.dumps(error)).of("demo.yaml")
    logged = named.logged("logs/a.log")

    assert (named.message, named.traceback) == ("demo.yaml: internal error: KeyError", "Traceback")
    assert (logged.message, logged.traceback, logged.hint) == (
        named.message,
        "",
        "please report it, with logs/a.log",
    )


def test_what_is_about_one_recipe_is_told_from_what_stops_all() -> None:
    of_one = [FactoryError, RecipeError, PlanError, SourceError, ImageError, InternalError]
    of_one += [TooMuchOutputError, TooSlowError]
    of_all = [UsageError, EngineError, StoreError, OutputError, Interrupted]

    assert [kind for kind in (*of_one, *of_all) if is_of_one_recipe(kind("a"))] == of_one
