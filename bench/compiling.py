"""The CPU that rustc takes in builds: a wrapper around it writes it into the build's log."""

import re
from pathlib import Path

from factory.events.recorder import path_of

WRAPPER = "/tmp/timed"
WRITE = f"""\
cat >{WRAPPER} <<'END'
#!/bin/sh
"$@"
code=$?
times >/tmp/cpu.$$
sed -n '2s/^/cpu: /p' /tmp/cpu.$$ >/proc/$PPID/fd/2
exit $code
END
chmod +x {WRAPPER}
"""
"""What a recipe runs before its build, to have the wrapper that RUSTC_WRAPPER names.

It writes where cargo itself prints: what rustc prints cargo keeps, and prints again where it does not compile again.
"""

_CPU = re.compile(r"cpu: ([0-9]+)m([0-9.]+)s ([0-9]+)m([0-9.]+)s")


def cpu_s(folder: Path, address: str) -> float:
    """Return the CPU seconds of every rustc of a cell, with what it started, by a run's folder of evidence."""
    logs = (folder / "logs" / path_of(address)).glob("[0-9][0-9]-build.log")
    counted = [map(float, found) for log in logs for found in _CPU.findall(log.read_text(encoding="utf-8"))]
    return sum(60 * (user_m + system_m) + user_s + system_s for user_m, user_s, system_m, system_s in counted)
