"""What the programs that try a wheel say in a trial's container, as failures, hints and notes."""

from collections.abc import Iterable
from dataclasses import replace

from factory.failure import Failure

_ERROR, _NOTE, _NONE = "error: ", "note: ", "unemulated: "  # what the guest that tries wheels begins its lines with
_HINTS = {
    "import": (
        "if the wheel needs a package that it does not require, name it in test: {requires: […]}; a module that no "
        "trial can import goes into test: {unimported: […]}"
    ),
    "start-commands": "test: {requires: […]} or {extras: […]} installs what it needs beside the wheel",
    "old-processor": (
        "compile without -march, -mavx and target-cpu, or choose by cpuid at run time; or say which processors the "
        "wheel is for: test: {processor: x86-64-v2}, or any"
    ),
    "import-origins": (
        "tests must import the installed wheel: leave test: {source: tests}, copy nothing but tests, and let no path "
        "(PYTHONPATH, sys.path, cd) lead to another copy; `pytest --pyargs PACKAGE` runs tests that the wheel holds"
    ),
    "stubs": (
        "the log says what the stub and the module have; mend the one that is wrong, or accept the difference in a "
        "file of the source: test: {stub-allowlist: …}"
    ),
    "threads": (
        "with pytest, tests run in parallel unless they are marked thread_unsafe or use what no two threads can share; "
        "without, `python` in test.run runs its code in threads"
    ),
}
_IN_THREADS = (
    "it passed in one thread; with pytest, `@pytest.mark.thread_unsafe(reason=…)` keeps a test in one thread; "
    "or remove test: {threads: …}"
)
_GIL = " switches the GIL on: "
STAYS_OFF = (
    "declare it in the module's source, which Cython does by `# cython: freethreading_compatible=True` and pybind11 by "
    "py::mod_gil_not_used(); or accept it in the recipe, with the reason: test: {gil: {allowed: …}}"
)
"""The way out where a module switches the GIL on."""


def speaks(step: str) -> bool:
    """Whether a step runs a program of ours; the output of others may have lines that only look like its own."""
    return step in _HINTS or step == "import-cost"


def first_told(output: str) -> str:
    """Return the first error that a program of ours told; empty where it told none."""
    return next((line.removeprefix(_ERROR) for line in output.splitlines() if line.startswith(_ERROR)), "")


def hinted(failure: Failure, output: str) -> Failure:
    """Take the message of a failure from what the program printed, and add a hint."""
    is_told = failure.hint and not failure.last_lines
    if failure.step not in _HINTS or failure.ended != "failed" or is_told:
        return failure
    return replace(failure, message=first_told(output) or failure.message, hint=_HINTS[failure.step], last_lines=())


def in_threads(failure: Failure, output: str, threads: int | None) -> Failure:
    """Say of what failed in several threads that it did so there: it passed in one."""
    if failure.step != "threads" or first_told(output) or failure.ended not in ("failed", "timeout"):
        return hinted(failure, output)
    hint = f"{failure.hint}; {_IN_THREADS}" if failure.hint and not failure.last_lines else _IN_THREADS
    return replace(failure, message=f"in {threads} threads at once: {failure.message}", hint=hint)


def notes_in(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the notes among lines of our programs, those about the GIL first: only so many are kept."""
    notes = [line.removeprefix(_NOTE) for line in lines if line.startswith(_NOTE)]
    return tuple(sorted(notes, key=lambda note: _GIL not in note))


def unemulated_in(lines: Iterable[str]) -> str:
    """Return why the emulator ran nothing; empty where no line says so."""
    return next((line.removeprefix(_NONE) for line in lines if line.startswith(_NONE)), "")


def gil_switched_on(notes: Iterable[str]) -> str | None:
    """Return the note about a module that switched the GIL on."""
    return next((note for note in notes if _GIL in note), None)
