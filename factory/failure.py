"""Why a piece of work failed, as a value."""

from dataclasses import dataclass
from typing import Literal

from factory.excerpt import cut, few

Ended = Literal["failed", "timeout", "lost", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step failed: its name, the line that says why, the path of the whole log, and what the user can do.

    `log` is relative to the run's folder, and empty where no command ran. `ended` is `error` where the factory itself
    is at fault; the log then holds the traceback. `last_lines` are those of the log where no
    cause is known.
    """

    step: str
    message: str
    ended: Ended = "failed"
    log: str = ""
    hint: str = ""
    last_lines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # They may quote what a build printed, which has no limit, and end up in every report.
        object.__setattr__(self, "message", cut(self.message))
        object.__setattr__(self, "hint", cut(self.hint))
        object.__setattr__(self, "last_lines", few(self.last_lines))
