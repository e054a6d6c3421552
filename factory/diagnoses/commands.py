"""What compilers, Python and shells print when a command fails: its first error, and what it lacked."""

import re
from itertools import takewhile
from typing import Final

from factory.diagnoses.searchable import searchable

_ERROR = re.compile(
    r"""^\s*+(?:
        error(?:\[E\d{1,9}\])?:\s*+\S                 # rustc, cargo, setuptools
      | .{0,200}?:\d{1,9}(?::\d{1,9})?:\s{1,9}+(?:fatal\s)?error:   # gcc, clang
      | (?:ERROR|FATAL|fatal)[:\s]\s*+\S          # pip, git, cmake
      | 💥                                        # maturin
      | thread\ '.{1,200}?'\ (?:\(\d{1,9}\)\ )?panicked\ at\ \S  # Rust's tests and programs
      | (?:E\s{1,9})?[A-Za-z_][\w.]{0,200}(?:Error|Exception|Interrupt|Exit):   # a Python traceback's last line
      | FAILED\ \S{1,200}?::\S                     # pytest's summary
      | make(?:\[\d{1,9}\])?:\s\*\*\*
      | .{0,120}:\s(?:command\ not\ found|not\ found|No\ such\ file\ or\ directory|Permission\ denied)$
    )""",
    re.VERBOSE,
)
_PANIC = re.compile(r"thread '.{1,200}' (?:\(\d{1,9}\) )?panicked at .{1,300}:\d{1,9}:\d{1,9}:$")
# That something below failed, and not what: it can come before the error itself, which may be on the other stream.
_WRAPPER = re.compile(
    r"subprocess\.CalledProcessError|BackendUnavailable: during handling|returned non-zero exit status"
    r"|^error: (?:test|doctest|bench) failed, to rerun pass|^error: \d{1,9} targets? failed:"
    r"|^error: process didn't exit successfully:|^make(?:\[\d{1,9}\])?: \*\*\* \[.{1,300}\] Error \d"
)
_FRONTEND = re.compile(r"^Traceback \(most recent call last\):\n  File \"[^\"\n]{1,300}/frontend\.py\"", re.MULTILINE)
_CAUSE: Final = "Caused by: "
_LINE_LENGTH: Final = 300
_LAST_LINES: Final = 8


def first_error(output: str) -> str:
    """Return the first line that states an error, with the causes right below it; else the last line that is not empty.

    maturin states on one line that it failed, and the causes on the lines below. Rust states below where it panicked.
    """
    lines = [line.strip() for line in searchable(output).splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.match(line)]
    plain = [line for line in errors if not _WRAPPER.search(line)]
    chosen = next(iter(plain or errors or lines[-1:]), "it printed nothing")
    below = lines[lines.index(chosen) + 1 :] if chosen in lines else []
    causes = [cause.removeprefix(_CAUSE) for cause in takewhile(lambda line: line.startswith(_CAUSE), below)]
    if _PANIC.match(chosen):
        chosen, causes = chosen.removesuffix(":"), below[:1]
    return ": ".join([chosen, *causes])[:_LINE_LENGTH]


def last_lines(output: str) -> tuple[str, ...]:
    """Return the last lines that are not empty, before the traceback of our frontend, which tells no cause."""
    text = searchable(output)
    lines = [line.rstrip() for line in text[: _end(text)].splitlines() if line.strip()]
    return tuple(line[:_LINE_LENGTH] for line in lines[-_LAST_LINES:])


def _end(text: str) -> int:
    frontend = _FRONTEND.search(text)
    return len(text) if frontend is None or not text[: frontend.start()].strip() else frontend.start()


_LIBPYTHON = re.compile(r"(?:cannot find -l|could not find native static library `)(?P<name>python3[\w.]{0,20}+)")


def wanted_libpython(output: str) -> str | None:
    """Return the libpython that a linker looked for, as ld or rustc print it; None if there is no such message."""
    match = _LIBPYTHON.search(searchable(output))
    return None if match is None else f"lib{match['name']}"


_CROWDED = re.compile(
    r"Resource temporarily unavailable|can't start new thread|failed to spawn thread|Cannot fork|can't fork"
)


def is_crowded(output: str) -> bool:
    """Whether a command was refused another process or thread (EAGAIN of fork(2)), if Python, Rust or sh printed it."""
    return _CROWDED.search(searchable(output)) is not None
