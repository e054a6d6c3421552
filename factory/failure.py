"""Why work did not come to a good end, as a value."""

from dataclasses import dataclass
from typing import Literal

from factory.excerpt import cut

Ended = Literal["failed", "timeout", "lost", "blocked", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step did not pass: its name, the first line that says so, where the whole log lies, and the way out.

    `log` is relative to the run's folder; empty where no command ran. One that `ended` by an `error` is the factory's
    own fault: its log holds the traceback.
    """

    step: str
    message: str
    ended: Ended = "failed"
    log: str = ""
    hint: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", cut(self.message))
        object.__setattr__(self, "hint", cut(self.hint))
