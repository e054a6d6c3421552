"""The changes that a run is making on its engine; the end of the run waits for them, so that nothing is left."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition


@dataclass(slots=True)
class Pending:
    """Counts the changes that threads have begun but not ended."""

    _count: int = 0
    _changed: Condition = field(default_factory=Condition)

    @contextmanager
    def change(self) -> Iterator[None]:
        """Count a change while the block runs."""
        with self._changed:
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def settle(self, timeout_s: float) -> bool:
        """Wait until nothing is being changed; False where that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, timeout_s)
