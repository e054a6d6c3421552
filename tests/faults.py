"""`factory` with a fault built in, as a program: `faults.py MODULE FUNCTION WORD FAULT ARGUMENTS...`.

Wherever that function is given something that mentions the word, it does what the fault says instead.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

PROGRAM = Path(__file__)


def _recurse() -> None:
    _recurse()


def _miss() -> None:
    raise KeyError("nobody-expected-this")


def _hang() -> None:
    while True:
        pass


FAULTS: Mapping[str, Callable[[], None]] = {"recursion": _recurse, "key": _miss, "hang": _hang}


def with_fault(module: str, function: str, word: str, fault: str) -> tuple[str, ...]:
    """Return what stands before the program's own arguments."""
    return (sys.executable, str(PROGRAM), module, function, word, fault)


def main() -> None:
    module, function, word, fault, *arguments = sys.argv[1:]
    owner = import_module(module)
    real = getattr(owner, function)

    def faulty(*args: object, **named: object) -> object:
        if any(word in repr(arg) for arg in args if type(arg).__name__ != "Services"):
            FAULTS[fault]()
        return real(*args, **named)

    setattr(owner, function, faulty)
    sys.argv = ["factory", *arguments]
    from factory.cli import main as factory  # noqa: PLC0415 -- after the fault is in

    factory()


if __name__ == "__main__":
    main()
