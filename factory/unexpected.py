"""Turn exceptions that nobody expected into an InternalError of the recipe, job or file that was worked on.

This is the only module that catches Exception. A package, a recipe or a wheel can always hold something that no reader
foresaw; that must not end the work on other cells, nor the release of what has passed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from factory.errors import FactoryError, InternalError

_MESSAGE_CHARACTERS: Final = 200
_TRACEBACK_CHARACTERS: Final = 1 << 16


@contextmanager
def internal_errors(*, let_through: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn any exception of the block into an InternalError, except a FactoryError and the types in `let_through`.

    KeyboardInterrupt and SystemExit, which end a program, are not caught.

    Raises:
        InternalError: something was raised that nobody expected.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (FactoryError, *let_through)):
            raise
        raise _internal(error) from error


def _internal(error: Exception) -> InternalError:
    from traceback import format_exception  # noqa: PLC0415 -- a run without errors does not import it

    first = str(error).strip().partition("\n")[0]
    summary = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return InternalError(
        f"internal error: {_cut(summary, _MESSAGE_CHARACTERS)}",
        hint="please report it, with the traceback",
        traceback=_cut("".join(format_exception(error)), _TRACEBACK_CHARACTERS),
    )


def _cut(text: str, most: int) -> str:
    """Keep a text's beginning and its end: a recursion's traceback has thousands of lines between them."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"
