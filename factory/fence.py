"""The fence: whatever nobody expected becomes an InternalError of the one thing that was worked on.

This is the only place that catches Exception. A package, a recipe or a wheel can always hold what no reader foresaw;
what it does to its own cell it must not do to the others, nor to the release of what has passed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from factory.errors import FactoryError, InternalError

_MESSAGE_CHARACTERS: Final = 200
_TRACEBACK_CHARACTERS: Final = 1 << 16


@contextmanager
def fence(*passing: type[Exception]) -> Iterator[None]:
    """Turn any exception of the block into an InternalError, but for a FactoryError and what is named as `passing`.

    What ends a program, KeyboardInterrupt and SystemExit, passes, too.

    Raises:
        InternalError: something was raised that nobody expected.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (FactoryError, *passing)):
            raise
        raise _internal(error) from error


def _internal(error: Exception) -> InternalError:
    from traceback import format_exception  # noqa: PLC0415 -- only the unhappy path pays for it

    first = str(error).strip().partition("\n")[0]
    said = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return InternalError(
        f"internal error: {_cut(said, _MESSAGE_CHARACTERS)}",
        hint="please report it, with the traceback",
        traceback=_cut("".join(format_exception(error)), _TRACEBACK_CHARACTERS),
    )


def _cut(text: str, most: int) -> str:
    """Keep a text's beginning and its end: a recursion's traceback has thousands of lines between them."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"
