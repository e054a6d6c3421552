"""Whether an index can render a description in reStructuredText."""

import io
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_TEXT_CHARACTERS = 1 << 19  # longer ones take docutils minutes, and no index shows them whole
_TEXT_LINES = 20_000  # of a hundred microseconds each
_WORD_CHARACTERS = 4000  # docutils looks for references in quadratic time
# What docutils is known to raise besides its own SystemMessage, on nested and broken texts.
_BROKEN = (RecursionError, ValueError, LookupError, AttributeError, TypeError, AssertionError)
_CPU_S = 2.0  # an honest text of a hundred kilobytes takes half of it; nesting and tables have no other bound
_AGAIN_S = 0.5  # the signal is repeated, in case a library catches the first


class _TooSlow(BaseException):
    """Rendering has used up its time; it is not an `Exception`, because docutils may catch those."""


def rst_problem(text: str, *, cpu_s: float = _CPU_S) -> str:
    """Say why a text does not render, in one line; empty when it does.

    To be called in the main thread, because no other receives signals.
    """
    if len(text) > _TEXT_CHARACTERS:
        return f"it has {len(text)} characters; at most {_TEXT_CHARACTERS} are rendered"
    if (lines := len(text.splitlines())) > _TEXT_LINES:
        return f"it has {lines} lines; at most {_TEXT_LINES} are rendered"
    if (longest := max(map(len, text.split()), default=0)) > _WORD_CHARACTERS:
        return f"it has a word of {longest} characters; at most {_WORD_CHARACTERS} are rendered"
    return _docutils_problem(text, cpu_s)


def _docutils_problem(text: str, cpu_s: float) -> str:
    from readme_renderer.rst import render  # noqa: PLC0415 -- a fifth of a second, for the few that write rst

    messages = io.StringIO()
    try:
        with _at_most(cpu_s):
            rendered = render(text, stream=messages)
    except _BROKEN as error:
        return f"docutils gives up with {type(error).__name__}"
    except _TooSlow:
        return f"rendering it takes more than {cpu_s:g} s of CPU time"
    if rendered is not None:
        return ""
    return " ".join((messages.getvalue().splitlines() or ["it cannot be parsed"])[0].split())


@contextmanager
def _at_most(cpu_s: float) -> Iterator[None]:
    """Raise where this process uses more CPU time: Python asks for signals in every loop and regular expression."""
    before = signal.signal(signal.SIGPROF, _stop)
    try:
        signal.setitimer(signal.ITIMER_PROF, cpu_s, _AGAIN_S)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise _TooSlow
