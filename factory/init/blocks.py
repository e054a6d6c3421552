"""Conditions of meson's and CMake's build descriptions: whether a place is inside one."""

import re
from typing import Final

MESON_BLOCK: Final = re.compile(r"^[ \t]*+(?P<word>if|foreach|endif|endforeach)\b", re.MULTILINE)
CMAKE_BLOCK: Final = re.compile(
    r"^[ \t]*+(?P<word>if|foreach|function|macro|endif|endforeach|endfunction|endmacro)\s*+\(",
    re.MULTILINE | re.IGNORECASE,
)


class Blocks:
    """The conditions of a build description, by how deep each place is in them."""

    def __init__(self, text: str, words: re.Pattern[str]) -> None:
        """Count openings and ends."""
        self._steps = [
            (match.start(), -1 if match["word"].lower().startswith("end") else 1) for match in words.finditer(text)
        ]
        self._place = 0
        self._depth = 0

    def around(self, place: int) -> bool:
        """Tell whether a place is under a condition. Places may only grow from call to call."""
        if self._place and self._steps[self._place - 1][0] > place:
            self._place, self._depth = 0, 0
        while self._place < len(self._steps) and self._steps[self._place][0] < place:
            self._depth += self._steps[self._place][1]
            self._place += 1
        return self._depth > 0
