"""Work in forked processes, for a program that has one thread."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TypeVar

from factory.confined.bounds import Bounds, Overrun
from factory.confined.child import Child, opened, wait

_T = TypeVar("_T")


def confined(work: Callable[[], _T], bounds: Bounds) -> _T | Overrun:
    """Do work in a forked process. The caller's process must have one thread."""
    (outcome,) = confined_all([(work, bounds)], workers=1)
    return outcome


def confined_all(works: Sequence[tuple[Callable[[], _T], Bounds]], *, workers: int) -> list[_T | Overrun]:
    """Do several pieces of work, at most `workers` at once; return the outcome of each, in their order."""
    children: list[Child[_T]] = []
    running: list[Child[_T]] = []
    with _term_raised():
        try:
            while running or len(children) < len(works):
                while len(running) < workers and len(children) < len(works):
                    children.append(Child(*works[len(children)]))
                    running.append(children[-1])
                wait(running)
                running = [child for child in running if not child.is_over]
        finally:
            for child in running:
                child.end()
    return [opened(child.sealed(), work) for child, (work, _) in zip(children, works, strict=True)]


@contextmanager
def _term_raised() -> Iterator[None]:
    """Let SIGTERM raise where nothing handles it: its default would end this process and leave its readers running."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
