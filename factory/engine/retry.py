"""Retries against an engine that restarts or is busy."""

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
    """Waits for one run's engine for as long as the engine may be silent, all threads together.

    Nobody waits once `run_ended` is set.
    """

    client: Client
    run_ended: Event
    _lock: Lock = field(default_factory=Lock)
    _is_gone: bool = False

    def await_answer(self) -> None:
        """Wait until the engine answers.

        Raises:
            SilentError: it accepts connections but does not answer.
            UnreachableError: it stayed away, or the run was ended meanwhile.
        """
        with self._lock:
            give_up = monotonic() + self.client.silence_s
            while not self._answers():
                self._is_gone = monotonic() >= give_up
                self.run_ended.wait(_PAUSE_S)

    def _answers(self) -> bool:
        """Whether the engine answers; it raises where nobody waits for the engine any more."""
        try:
            self.client.version()
        except UnreachableError as error:
            if isinstance(error, SilentError) or self._is_gone or self.run_ended.is_set():
                raise
            return False
        return True

    def remove(self, removal: Callable[[], None]) -> None:
        """Remove something that may be gone already, or is being removed.

        A conflict means that somebody else is removing it. A busy engine answers 500, "could not kill", for a container
        that it has just killed, until it learns that the container is dead.

        Raises:
            EngineError: the engine is silent or stayed away, or kept refusing for as long as it may be silent.
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
