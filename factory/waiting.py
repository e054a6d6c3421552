"""Waits for a call that nothing can interrupt, such as one that reads from a silent server."""

from collections.abc import Callable
from math import inf
from threading import Event, Thread
from time import monotonic
from typing import TypeVar

from factory.errors import Interrupted

T = TypeVar("T")

_LOOK_S = 0.1


def unless(cancelled: Event | None, call: Callable[[], T], *, until: float = inf) -> T:
    """Return what a call returns, or raise what it raises; abandon it once `cancelled` is set, or it is late.

    An abandoned call runs on until it returns or this process ends, and its result is lost: what it writes must count
    only once it is complete.

    Raises:
        Interrupted: `cancelled` was set first.
        TimeoutError: `until` came first, by the monotonic clock.
    """
    ended = Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 -- raised below, in the thread that waits
            errors.append(error)
        ended.set()

    Thread(target=work, daemon=True).start()  # A daemon, so that an abandoned call does not keep this process alive.
    while not ended.wait(_LOOK_S):
        if cancelled is not None and cancelled.is_set():
            raise Interrupted("interrupted")
        if monotonic() > until:
            raise TimeoutError
    if errors:
        raise errors[0]
    return results[0]
