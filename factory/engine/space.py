"""How much a container has written, and how much room the engine's disk has left, looked at while a command runs.

A volume has no quota where the engine's file system has none, and a workspace in memory would count as the build's.
So the container is looked into, the more often the less room is left: often enough for a disk that takes 2 GB a second.
What a package hides from a look (files without a name, folders that cannot be entered) the disk's own room shows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from time import monotonic
from typing import Final, Literal

RESERVE_BYTES: Final = 2 << 30

_FIRST_S: Final = 2.0
_SHORTEST_S: Final = 1.0
_LONGEST_S: Final = 10.0
_SHARE: Final = 10  # a look takes at most this part of the time, on a machine that is slow for other reasons
_SLOWEST_S: Final = 60.0
_BYTES_A_SECOND: Final = 2e9

Verdict = Literal["workspace", "disk"]


def look_command(workspace: PurePosixPath) -> list[str]:
    """Return the command that tells a folder's size, and what its file system has left (GNU's tools or busybox's)."""
    return ["sh", "-c", f"stat -f -c 'free %a %S' {workspace}; timeout 8 du -skx {workspace} 2>/dev/null"]


@dataclass(slots=True, kw_only=True)
class Watch:
    """Looks at one container's workspace now and then; `look` returns what `look_command` printed, if it could."""

    limit_bytes: int
    look: Callable[[], str]
    clock: Callable[[], float] = monotonic
    reserve_bytes: int = RESERVE_BYTES
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        self._next = self.clock() + _FIRST_S

    @property
    def wait_s(self) -> float:
        """How long until the next look."""
        return max(0.0, self._next - self.clock())

    def verdict(self) -> Verdict | None:
        """Say which limit is passed: the workspace's own, or the engine's disk; looks only when it is time to."""
        if self.clock() < self._next:
            return None
        began = self.clock()
        said = self.look()
        took_s = self.clock() - began
        used, left = _number(r"^(\d+)\s+/", said, 1024), _free(said)
        room = min(self.limit_bytes - (used or 0), self.limit_bytes if left is None else left - self.reserve_bytes)
        wanted_s = min(_LONGEST_S, max(_SHORTEST_S, room / _BYTES_A_SECOND))
        self._next = self.clock() + max(wanted_s, min(_SLOWEST_S, _SHARE * took_s))
        if used is not None and used > self.limit_bytes:
            return "workspace"
        return "disk" if left is not None and left < self.reserve_bytes else None


def _number(expression: str, text: str, unit: int) -> int | None:
    found = re.search(expression, text, re.MULTILINE)
    return None if found is None else int(found[1]) * unit


def _free(text: str) -> int | None:
    found = re.search(r"^free (\d+) (\d+)$", text, re.MULTILINE)
    return None if found is None else int(found[1]) * int(found[2])
