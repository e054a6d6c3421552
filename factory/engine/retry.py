"""Waiting for an engine that restarts, and removing what it is slow to let go."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic, sleep
from typing import Final

from factory.engine.client import Client
from factory.engine.faults import ConflictError, MissingError, SilentError, UnreachableError
from factory.errors import EngineError

_PAUSE_S: Final = 0.3


@dataclass(slots=True, kw_only=True)
class Retry:
    """How long one run waits for its engine: as long as the engine may be silent, all threads together.

    `run_ended` is set when nobody waits any more.
    """

    client: Client
    run_ended: Event
    _lock: Lock = field(default_factory=Lock)
    _is_gone: bool = False

    def await_answer(self) -> None:
        """Wait until the engine answers.

        Raises:
            SilentError: it accepts connections and says nothing.
            UnreachableError: it stayed away, or the run was ended meanwhile.
        """
        with self._lock:
            give_up = monotonic() + self.client.silence_s
            while not self._answers():
                self._is_gone = monotonic() >= give_up
                self.run_ended.wait(_PAUSE_S)

    def _answers(self) -> bool:
        """Whether the engine answers; that it does not is an error where nobody waits for it any more."""
        try:
            self.client.version()
        except UnreachableError as error:
            if isinstance(error, SilentError) or self._is_gone or self.run_ended.is_set():
                raise
            return False
        return True

    def remove(self, removal: Callable[[], None]) -> None:
        """Remove what may be gone already, or be going.

        A conflict means that somebody else is removing it. Of a container that it has just killed a busy engine
        says 500 until it hears of the death: "could not kill".

        Raises:
            EngineError: the engine is silent, stayed away, or refused for as long as it may be silent.
        """
        give_up = monotonic() + self.client.silence_s
        while not self._is_removed(removal, is_last=monotonic() >= give_up):
            sleep(_PAUSE_S)
            self.await_answer()

    def _is_removed(self, removal: Callable[[], None], *, is_last: bool) -> bool:
        try:
            with suppress(MissingError, ConflictError):
                removal()
        except EngineError as error:
            if is_last or isinstance(error, SilentError):
                raise
            return False
        return True
