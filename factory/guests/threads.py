"""Runs a recipe's tests in threads inside a trial's container, and says whether anything ran in parallel.

Run by the environment's own Python, from 3.8 on, with its standard library alone. One JSON object says how: `script`
is the tests', `threaded` the text of the program beside this one. Where `pytest` is true, pytest is given that program
as a plugin and pytest-run-parallel does the rest; otherwise `python` is a script that runs its code in threads.
What the factory reads are lines that begin with `error: ` or `note: `; the tests' own such lines come behind `| `.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

OURS = ("error: ", "note: ")
NAME = "_factory_threaded"
MOST_NAMED = 3


def install(folder: Path, text: str, threads: int) -> Path:
    """Write the program beside what is installed, and the scripts that stand for `python`; return that program."""
    program = Path(sysconfig.get_path("purelib"), f"{NAME}.py")
    program.write_text(text, encoding="utf-8")
    (folder / "bin").mkdir(parents=True, exist_ok=True)  # the step may be repeated by hand
    call = shlex.join([sys.executable, str(program), str(threads), "[]"])
    for name in ("python", "python3", f"python3.{sys.version_info[1]}"):
        script = folder / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {call} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return program


def run(argv: list[str], env: dict[str, str]) -> int:
    """Run a command, and show what it prints; return its code as a shell would say it."""
    child = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert child.stdout is not None  # noqa: S101 -- for the type checker
    for line in child.stdout:
        text = line.decode(errors="replace")
        print(f"| {text}" if text.startswith(OURS) else text, end="", flush=True)
    code = child.wait()
    return code if code >= 0 else 128 - code


def tell(seen: Path, threads: int, is_pytest: bool) -> int:
    """Say what ran in parallel; 1 where nothing did."""
    lines = seen.read_text(encoding="utf-8", errors="replace").splitlines() if seen.exists() else []
    told = dict.fromkeys(lines)
    parallel = [line[2:] for line in told if line.startswith("+ ")]
    alone = [line[2:] for line in told if line.startswith("- ")]
    listed = "; ".join([*alone[:MOST_NAMED], *([f"and {len(alone) - MOST_NAMED} more"] if alone[MOST_NAMED:] else [])])
    if not parallel:
        print(f"error: nothing ran in parallel{f': {listed}' if alone else ''}", flush=True)
        return 1
    what = f"{len(parallel)} test{'s' * (len(parallel) > 1)}" if is_pytest else ", ".join(parallel[:MOST_NAMED])
    print(f"note: ran in {threads} threads at once: {what}", flush=True)
    if alone:
        print(f"note: ran in one thread: {listed}", flush=True)
    return 0


def main() -> int:
    """Do what the order says."""
    order = json.loads("".join(sys.argv[1:]))
    folder, threads, env = Path(order["folder"]), order["threads"], dict(os.environ)
    program = install(folder, order["threaded"], threads)
    if order["pytest"]:
        env["PYTEST_ADDOPTS"] = " ".join([f"--parallel-threads={threads}", "-p", NAME, *order["options"]])
    else:
        code = run([sys.executable, str(program), str(threads), json.dumps(order["modules"])], env)
        if code:
            return code
        env["PATH"] = f"{folder / 'bin'}{os.pathsep}{env['PATH']}"
    code = run(["sh", "-ec", order["script"]], env)
    return code or tell(program.with_suffix(".seen"), threads, order["pytest"])


if __name__ == "__main__":
    sys.exit(main())
