"""Repeat once the work that the engine or a network lost."""

from collections.abc import Callable
from typing import TypeVar

from factory.engine.faults import SilentError
from factory.errors import EngineError, ImageError
from factory.events.model import Progress
from factory.failure import Failure
from factory.sessions.services import Services

_T = TypeVar("_T")


def once_more(
    services: Services,
    subject: str,
    work: Callable[[], _T],
    *,
    lost: Callable[[Failure], _T],
    is_lost: Callable[[_T], bool],
) -> _T:
    """Do a piece of work, and once more where it was lost and the engine answers again, unless the run is being ended.

    An engine that refuses a call or breaks a connection loses the work that made the call, and no other. `lost` makes
    the work's result of that failure.

    Raises:
        ImageError: an image is not here.
        EngineError: the engine was silent, or stayed away, for as long as it may.
    """
    result = _done(work, lost)
    if not is_lost(result) or services.memory.cancelled.is_set():
        return result
    services.recorder.emit(Progress(subject=subject, text="lost; it is tried once more"))
    services.engine.await_answer()
    return _done(work, lost)


def _done(work: Callable[[], _T], lost: Callable[[Failure], _T]) -> _T:
    try:
        return work()
    except (ImageError, SilentError):  # Neither gets better by a second try a moment later.
        raise
    except EngineError as error:
        return lost(Failure(step="engine", message=error.message, ended="lost", hint=error.hint or "run again"))
