"""Budgets of a hostile input: what reading it may cost this process."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time


@contextmanager
def within_cpu(seconds: float) -> Iterator[None]:
    """Hold a block to so much processor time of this process, chosen ten times what it needs and more."""
    started = process_time()
    yield
    spent = process_time() - started
    assert spent < seconds, f"{spent:.1f} s of processor time; {seconds} s are allowed"


@contextmanager
def within_memory(most_bytes: int) -> Iterator[None]:
    """Hold a block to so much memory at once, of what Python allocates."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most_bytes, f"{peak / 1e6:.0f} MB at once; {most_bytes / 1e6:.0f} MB are allowed"
