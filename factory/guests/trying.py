"""Tries an installed wheel inside a trial's container: loads, imports and starts what one JSON object names.

Run by the environment's own Python, from 3.8 on, with its standard library alone; never imported by the factory itself.
What the factory reads are lines that begin with `error: `, `note: ` or `unemulated: `; where code of the wheel prints
such a line, it comes behind `| `. Ends with 1 after an error. The JSON may be cut into several arguments.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

KEPT_BYTES = 1 << 16
RECORD = "--record"
GIL = re.compile(r"The global interpreter lock \(GIL\) has been enabled to load module '([^']{1,200})'")
OURS = ("error: ", "note: ", "unemulated: ")
ILLEGAL = -signal.SIGILL
IMPORT_ERROR = re.compile(r"^(?:ImportError|ModuleNotFoundError)\b.*", re.MULTILINE)
LOADER_ERROR = re.compile(
    r"""error\ while\ loading\ shared\ libraries:.*
      | symbol\ lookup\ error:.*
      | .*version\ `[^']*'\ not\ found.*
      | Error\ (?:loading\ shared\ library|relocating)\b.*    # musl
      | .*undefined\ symbol:.*
      | .*=>\ not\ found""",
    re.VERBOSE,
)


class Told:
    """What is said to the factory. A `tolerated` thing, whose defect the recipe waives, is worth a note at most."""

    def __init__(self) -> None:
        self.failed = False

    def error(self, text: str, tolerated: bool = False) -> None:
        """Say what keeps the wheel from passing."""
        if tolerated:
            self.note(text + "; a finding on it is waived")
            return
        self.failed = True
        print("error:", one_line(text), flush=True)

    def note(self, text: str) -> None:
        """Say what is worth knowing."""
        print("note:", one_line(text), flush=True)


def one_line(text: str) -> str:
    """Join a text's lines, at most 300 characters of it."""
    return " ".join(text.split())[:300]


def installed(member: str) -> Path:
    """Find where a member of the wheel was installed (binary distribution format, "The .data directory")."""
    top, _, rest = member.partition("/")
    if not top.endswith(".data"):
        return Path(sysconfig.get_path("platlib"), member)
    scheme, _, inner = rest.partition("/")
    return Path(sysconfig.get_path("include" if scheme == "headers" else scheme), inner)


def ended_by(code: int) -> str:
    """Name how a process ended that did not end well."""
    if code >= 0:
        return f"ends with {code}"
    known = {each.value for each in signal.Signals}
    return f"is ended by {signal.Signals(-code).name if -code in known else f'signal {-code}'}"


def run(
    argv: Sequence[str | Path], timeout_s: float | None = None, env: Mapping[str, str] | None = None
) -> tuple[int | None, str]:
    """Run a command without input; return its code, None after the time, and what it printed, which is shown, too."""
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )
        code: int | None
        try:
            code = child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            code = None
        output.seek(0)
        said = output.read(KEPT_BYTES).decode(errors="replace")
    for line in said.splitlines():
        print(f"| {line}" if line.startswith(OURS) else line, flush=True)
    return code, said


def load(told: Told, libraries: Collection[tuple[str, bool]]) -> None:
    """Load each library with RTLD_NOW into a process of its own, in which every symbol of it must be found."""
    for member, tolerated in libraries:
        path = installed(member)
        problem = load_apart(path) if path.exists() else f"is not installed at {path}"
        if problem:
            told.error(f"{member} {problem}", tolerated)


def load_apart(path: Path) -> str:
    """Load one library in a fork; return what is wrong."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        code = 1
        try:
            ctypes.CDLL(str(path), mode=os.RTLD_NOW)
            code = 0
        except OSError as error:
            os.write(writing, str(error).encode()[:4096])
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        problem = said.read().decode(errors="replace")
    status = os.waitpid(child, 0)[1]
    if status == 0:
        return ""
    ended = ended_by(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
    return f"cannot be loaded: {problem or f'the process {ended}'}"


def link(told: Told, programs: Collection[tuple[str, str, bool]]) -> None:
    """Let each program's own loader resolve it with every symbol, as `ldd -r` does; the program itself is not run."""
    env = {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1", "LD_BIND_NOW": "1", "LD_WARN": "1"}
    for member, loader, tolerated in programs:
        code, said = run([loader, installed(member)], env=env)
        bad = LOADER_ERROR.search(said)
        if code != 0 or bad:
            told.error(f"{member} cannot be loaded: {bad[0] if bad else how(code, None, said)}", tolerated)


def import_child(record: Path) -> None:
    """Import the modules of a record's first line, and write down what became of each before the next begins."""
    with record.open("r+", encoding="utf-8") as out:
        modules = json.loads(out.readline())
        out.seek(0, os.SEEK_END)
        for name in modules:
            known = set(sys.modules)
            answer = import_one(name)
            out.write(json.dumps({**answer, "others": others(set(sys.modules) - known, modules)}) + "\n")
            out.flush()


def import_one(name: str) -> dict[str, Any]:
    """Import a module; say where it came from, or what it raised, and which module was missing."""
    free = not has_gil()
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        traceback.print_exc()
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        return {"error": f"{type(error).__name__}: {error}", "missing": missing}
    switched = {"gil": name} if free and has_gil() else {}
    return {"origin": getattr(module.__spec__, "origin", None) or "no file", **switched}


def has_gil() -> bool:
    """Whether the GIL is on, as it always is where Python is not free-threaded (PEP 703)."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def top(name: str) -> str:
    """Return a module's outermost package."""
    return name.partition(".")[0]


def others(new: Collection[str], own: Sequence[str]) -> list[str]:
    """List new modules of other installed packages, in the order in which their import began."""
    places = tuple({sysconfig.get_path("platlib"), sysconfig.get_path("purelib")})
    tops = {top(name) for name in own}
    return [
        name
        for name, module in sys.modules.items()
        if name in new and top(name) not in tops and str(getattr(module, "__file__", None)).startswith(places)
    ]


def imported(
    modules: Sequence[str], under: Sequence[str] = (), timeout_s: float | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Import modules in one process, and where one of them ends it, the rest in another; yield what became of each.

    An answer has an `origin` and the `others` that came with it, or an `error`; `code` is not 0 where the module ended
    the process, and None after the time.
    """
    rest = list(modules)
    while rest:
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as record:
            record.write(json.dumps(rest) + "\n")
            record.flush()
            code, said = run([*under, sys.executable, "-I", __file__, RECORD, record.name], timeout_s)
            record.seek(0)
            answers = [json.loads(line) for line in record.readlines()[1:] if line.endswith("\n")]
        yield from ((name, blamed({**answer, "code": 0}, said)) for name, answer in zip(rest, answers))
        if len(answers) == len(rest) and code == 0:
            return
        culprit = rest[len(answers)] if len(answers) < len(rest) else ", ".join(rest)
        yield culprit, {"error": f"its process {how(code, timeout_s, said)}", "code": code}
        rest = rest[len(answers) + 1 :]


def blamed(answer: dict[str, Any], said: str) -> dict[str, Any]:
    """Name the module for which Python says that it switched the GIL on: another may have imported it."""
    culprit = GIL.search(said) if "gil" in answer else None
    return {**answer, "gil": culprit[1]} if culprit is not None else answer


def how(code: int | None, timeout_s: float | None, said: str) -> str:
    """Say how a process ended, and the last that it printed."""
    ended = f"does not end within {timeout_s} s" if code is None else ended_by(code)
    return ": ".join([ended, *said.strip().splitlines()[-1:]])


def import_all(told: Told, order: Mapping[str, Any]) -> None:
    """Import every module; one that is said to be an extension module must come from an object.

    Only where nobody named it, a module may want what is not installed: another package's module.
    """
    own = {top(name) for name in order["modules"]}
    for name, answer in imported(order["modules"]):
        missing = answer.get("missing")
        if missing and top(missing) not in own and name not in order["named"]:
            told.note(f"{name} cannot be imported without {missing}, which the wheel does not require")
        elif "error" in answer:
            told.error(f"{name} cannot be imported: {answer['error']}", name in order["tolerated"])
        elif name in order["extensions"] and not answer["origin"].endswith(".so"):
            told.error(f"{name} is no extension module here: it came from {answer['origin']}")
        else:
            print(name, "from", answer["origin"], flush=True)
        if "gil" in answer:
            told.note(
                f"importing {name} switches the GIL on: {answer['gil']} does not declare that it runs without it"
                " (Py_mod_gil, PyUnstable_Module_SetGIL, PyO3's gil_used = false)"
            )


def emulate(
    told: Told, under: Sequence[str], modules: Sequence[str], programs: Sequence[str], timeout_s: float
) -> None:
    """Import and start once more on an old processor: only an instruction that it does not have is an error."""
    model = under[-1]
    code, said = run([*under, sys.executable, "-I", "-c", "pass"], timeout_s)
    if code != 0:
        reason = f"Python itself {how(code, timeout_s, said)} on {model}"
        print("unemulated:", one_line(reason), flush=True)
        return
    for name, answer in imported(judged(told, under, modules, timeout_s), under, timeout_s):
        if answer["code"] == ILLEGAL:
            told.error(f"importing {name} runs an instruction that {model} does not have (SIGILL)")
        elif "error" in answer:
            told.note(f"on {model}, importing {name}: {answer['error']}")
        if answer["code"] is None:
            break
    for name in programs:
        code, said = run([*under, script(name), "--help"], timeout_s)
        if code == ILLEGAL:
            told.error(f"{name} --help runs an instruction that {model} does not have (SIGILL)")
        elif code is None or code < 0:
            told.note(f"on {model}, {name} --help {how(code, timeout_s, said)}")


def judged(told: Told, under: Sequence[str], modules: Sequence[str], timeout_s: float) -> Sequence[str]:
    """Return the modules before the first that imports what itself ends on an old processor: another package's."""
    brought = {name: answer.get("others", []) for name, answer in imported(modules)}
    first = list(dict.fromkeys(each for name in modules for each in brought.get(name, [])))
    broken = next((name for name, answer in imported(first, under, timeout_s) if answer["code"] != 0), None)
    kept = list(takewhile(lambda name: broken not in brought.get(name, []), modules))
    if broken is not None:
        left = ", ".join(modules[len(kept) :])
        told.note(f"{top(broken)}, which is required, ends on {under[-1]} itself: not imported there: {left}")
    return kept


def script(name: str) -> Path:
    """Find a program that was installed."""
    return Path(sysconfig.get_path("scripts"), name)


def start(told: Told, names: Sequence[str], tolerated: bool, timeout_s: float) -> None:
    """Start each program with --help: a loader's error, an ImportError or a signal is an error, all else a note."""
    for name in names:
        try:
            code, said = run([script(name), "--help"], timeout_s)
        except OSError as error:
            told.error(f"{name} cannot be started: {error}", tolerated)
            continue
        bad = IMPORT_ERROR.search(said) or LOADER_ERROR.search(said)
        if code == 0:
            print(name, "--help ends with 0", flush=True)
        elif code is None or (code > 0 and not bad):
            told.note(f"{name} --help {how(code, timeout_s, said)}")
        else:
            told.error(f"{name} --help {f'says {bad[0]}' if bad else ended_by(code)}", tolerated)


def main() -> int:
    """Do what the order says."""
    if sys.argv[1] == RECORD:
        import_child(Path(sys.argv[2]))
        return 0
    order, told = json.loads("".join(sys.argv[1:])), Told()
    if "under" in order:
        emulate(told, order["under"], order["modules"], order["programs"], order["timeout_s"])
    elif "start" in order:
        start(told, order["start"], order["tolerated"], order["timeout_s"])
    else:
        load(told, order["libraries"])
        link(told, order["programs"])
        import_all(told, order)
    return int(told.failed)


if __name__ == "__main__":
    sys.exit(main())
