"""Runs code in threads that begin at once; to pytest, a plugin that writes down which tests pytest-run-parallel ran so.

Called as `python threaded.py THREADS MODULES [OPTION…] -c CODE | -m MODULE | FILE | - [ARGUMENT…]`, from 3.8 on.
What comes after MODULES, a JSON list, are the arguments of a `python` for which this program stands; without any, the
modules alone are imported.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType
    from typing import Protocol

    class RunParallel(Protocol):
        """What is asked of pytest-run-parallel: tests by their ids, with how many threads, or why in one."""

        run_in_parallel: Mapping[str, int]
        thread_unsafe: Mapping[str, str | None]

    class Plugins(Protocol):
        """Those of pytest."""

        def get_plugin(self, name: str) -> RunParallel | None:
            """Find one by its name."""

    class Config(Protocol):
        """That of pytest."""

        pluginmanager: Plugins

    class Session(Protocol):
        """A run of pytest."""

        config: Config

    class Report(Protocol):
        """What pytest says of one phase of a test."""

        nodeid: str
        when: str
        outcome: str


SEEN = Path(__file__).with_suffix(".seen")
VALUED = ("-W", "-X", "--check-hash-based-pycs")
SWITCH_S = 1e-6


def write_down(sign: str, what: str) -> None:
    """Write a line: what ran in parallel (+), or in one thread, and why (-)."""
    with SEEN.open("a", encoding="utf-8", errors="backslashreplace") as seen:
        seen.write(f"{sign} {' '.join(what.split())[:200]}\n")


def at_once(threads: int, works: Callable[[int], Callable[[], object]]) -> list[BaseException]:
    """Run one work in each thread, all from the same moment on; return what they raised."""
    raised: list[BaseException] = []
    barrier = threading.Barrier(threads)

    def begin(work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            work()
        except SystemExit as error:
            if error.code not in (None, 0):
                raised.append(error)
        except BaseException as error:
            traceback.print_exc()
            raised.append(error)

    running = [threading.Thread(target=begin, args=(works(number),)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return raised


def import_all(threads: int, modules: Sequence[str]) -> list[BaseException]:
    """Import the modules in every thread, each thread from another one on.

    A module that cannot be imported by one thread alone either is no fault of threads, and was judged before.
    """
    order = [[*modules[number:], *modules[:number]] for number in range(len(modules))] or [[]]
    failed: dict[str, BaseException] = {}

    def work(number: int) -> Callable[[], None]:
        def imports() -> None:
            for name in order[number % len(order)]:
                try:
                    __import__(name)
                except ImportError as error:
                    failed[name] = error

        return imports

    raised = at_once(threads, work)
    for name, error in failed.items():
        try:
            __import__(name)
        except ImportError:
            continue
        traceback.print_exception(type(error), error, error.__traceback__)
        raised.append(error)
    if modules:
        write_down("+", f"importing {', '.join(modules)}")
    return raised


def parsed(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Divide what `python` was given: its own options, and what it runs with that one's arguments."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-") and arguments[at] != "-":
        option = arguments[at]
        if option[:2] in ("-c", "-m"):  # as one word, too: -cCODE
            split = [option[:2], option[2:]] if option[2:] else [option]
            return list(arguments[:at]), [*split, *arguments[at + 1 :]]
        at += 2 if option in VALUED else 1
    return list(arguments[:at]), list(arguments[at:])


def ran(threads: int, rest: Sequence[str]) -> list[BaseException]:
    """Run code, a module or a file in every thread, each with names of its own."""
    if rest[0] == "-m":
        sys.argv = [rest[1], *rest[2:]]
        return at_once(threads, lambda _: lambda: runpy.run_module(rest[1], run_name="__main__"))
    if rest[0] == "-c":
        source, path, sys.argv = rest[1], "<string>", ["-c", *rest[2:]]
    elif rest[0] == "-":
        source, path, sys.argv = sys.stdin.read(), "<stdin>", list(rest)
    else:
        path, sys.argv = rest[0], list(rest)
        source = Path(path).read_text(encoding="utf-8")
        if sys.path[:1] == [""]:
            sys.path[0] = str(Path(path).resolve().parent)
    code = compile(source, path, "exec")
    return at_once(threads, lambda _: lambda: _run(code, path))


def _run(code: CodeType, path: str) -> None:
    exec(code, {"__name__": "__main__", "__file__": path})  # noqa: S102 -- as Python itself does


def main() -> int:
    """Import the modules, and run what there is to run."""
    threads, modules = int(sys.argv[1]), json.loads(sys.argv[2])
    options, rest = parsed(sys.argv[3:])
    if options:  # they are the interpreter's, and only it knows what they do; without code, it alone answers
        again = [__file__, *sys.argv[1:3], *rest] if rest else []
        os.execv(sys.executable, [sys.executable, *options, *again])  # noqa: S606 -- in its own place
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = ""  # in the place of this program's own folder
    sys.setswitchinterval(SWITCH_S)
    raised = import_all(threads, modules)
    if rest and not raised:
        raised = ran(threads, rest)
        write_down("+", f"python {' '.join(rest)}")
    codes = [error.code for error in raised if isinstance(error, SystemExit) and isinstance(error.code, int)]
    return max(codes, default=1) if raised else 0


STATE: dict[str, RunParallel | None] = {}


def pytest_collection_finish(session: Session) -> None:
    """Find the plugin that runs tests in threads."""
    STATE["plugin"] = session.config.pluginmanager.get_plugin("_run-parallel")


def pytest_runtest_logreport(report: Report) -> None:
    """Write down how a test ran whose own code ended."""
    plugin = STATE.get("plugin")
    is_a_workers = hasattr(report, "node")  # under pytest-xdist, whose workers write down what they ran
    if report.when != "call" or report.outcome == "skipped" or plugin is None or is_a_workers:
        return
    if report.nodeid in plugin.run_in_parallel:
        write_down("+", report.nodeid)
    else:
        write_down("-", f"{report.nodeid} ({plugin.thread_unsafe.get(report.nodeid) or 'for no stated reason'})")


if __name__ == "__main__":
    sys.exit(main())
