"""Measures what importing modules costs, inside a trial's container: each in new processes, of which the least counts.

Run by an environment's own Python, from 3.8 on, with its standard library alone. One JSON object says which `pythons`
to ask, each by its name, and for which `modules`; the commands of `prepare` make one of them, `old`, which is left out
where they fail. What the factory reads are lines `cost: NAME MODULE MICROSECONDS BYTES`. What cannot be imported is
left out, and so is all that is not measured in time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

CHILD = """
import importlib, os, sys, time
def mapped():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
before, began = mapped(), time.perf_counter()
importlib.import_module(sys.argv[1])
took = time.perf_counter() - began
os.write(int(sys.argv[2]), b"%d %d" % (took * 1e6, max(0, mapped() - before)))
os._exit(0)
"""
BYTES = 100


def measured(python: str, module: str, timeout_s: float) -> tuple[int, int] | None:
    """Import a module in a new process; return the microseconds and bytes, None where it cannot be imported in time."""
    reading, writing = os.pipe()
    argv = [python, "-I", "-c", CHILD, module, str(writing)]
    silence = subprocess.DEVNULL
    child = subprocess.Popen(argv, stdin=silence, stdout=silence, stderr=silence, pass_fds=[writing])
    os.close(writing)
    try:
        child.wait(timeout_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb", buffering=0) as said:
        words = (said.read(BYTES) or b"").split()
    return (int(words[0]), int(words[1])) if len(words) == len(("time", "bytes")) else None


def main() -> int:
    """Ask each Python in turn, so that what else the machine does meanwhile slows all of them alike."""
    order = json.loads("".join(sys.argv[1:]))
    if any(subprocess.run(argv, check=False).returncode for argv in order["prepare"]):
        print("note: the older release's wheel cannot be installed beside this one, so imports are not compared")
        del order["pythons"]["old"]
    ends = time.monotonic() + order["seconds"]
    for module in order["modules"]:
        found: dict[str, list[tuple[int, int]]] = {}
        for _ in range(order["times"]):
            for name, python in order["pythons"].items():
                left_s = ends - time.monotonic()
                answer = measured(python, module, left_s) if left_s > 0 else None
                if answer is not None:
                    found.setdefault(name, []).append(answer)
        for name, answers in found.items():
            least = [min(values) for values in zip(*answers)]
            print("cost:", name, module, *least, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
