"""The signal that ended a command or its child: by its code, or by what Python or a compiler's driver says."""

import re
from dataclasses import dataclass
from typing import Final

from factory.diagnoses.searchable import searchable

_BY_SIGNAL: Final = 128
"""A shell's code for a command that a signal ended is this and the signal's number (POSIX, Shell, 2.8.2)."""

_NAMES: Final = {
    4: "SIGILL, an instruction that this processor does not have",
    6: "SIGABRT, its own abort",
    7: "SIGBUS, a bus error",
    8: "SIGFPE, an arithmetic error",
    9: "SIGKILL",
    11: "SIGSEGV, a segmentation fault",
    15: "SIGTERM",
    31: "SIGSYS, a forbidden system call",
}
_FRAME = re.compile(
    r"^Fatal Python error: .{0,100}\n(?:.{0,200}\n){0,3}?(?:Current thread|Thread) .{0,100}\n"
    r'[ \t]{0,4}File "(?P<file>.{1,300}?)", line (?P<line>\d{1,9}) in (?P<name>.{1,100})$',
    re.MULTILINE,
)
_CHILD = re.compile(r"died with <Signals\.SIG[A-Z]{1,10}: (?P<number>\d{1,2})>")
_COMPILER = re.compile(r"fatal error: Killed signal terminated program (?P<program>\S{1,100})")
_NO_MEMORY: Final = (
    "a mapped file could not grow: /dev/shm holds half of a build's memory, which build: {memory: …} raises"
)
_KILLED: Final = "something in the container killed it, but not the memory limit, which has a message of its own"


@dataclass(frozen=True, slots=True)
class Death:
    """What ended a command, or a program that it ran, and what helps."""

    sentence: str
    hint: str = ""


def death(code: int, output: str) -> Death | None:
    """Say which signal ended a command or its child; None where none did.

    The code of the command counts before all texts. Of texts those count that say why the command itself gave up:
    a test may print of a child that it was to end so.
    """
    text = searchable(output)
    if (number := code - _BY_SIGNAL) in _NAMES:
        frame = _FRAME.search(text)
        place = f", in {frame['name']} ({frame['file']}:{frame['line']})" if frame else ""
        return Death(f"was ended by {_NAMES[number]}{place}", _hint(number))
    last = text.rstrip().rpartition("\n")[2]
    if (child := _CHILD.search(last)) and (number := int(child["number"])) in _NAMES:
        return Death(f"a program that it ran was ended by {_NAMES[number]}", _hint(number))
    if compiler := _COMPILER.search(text):
        return Death(f"the compiler's {compiler['program']} was ended by {_NAMES[9]}", _hint(9))
    return None


def _hint(number: int) -> str:
    return {7: _NO_MEMORY, 9: _KILLED}.get(number, "")
