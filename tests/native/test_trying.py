"""The program that tries wheels in trial containers, with a real interpreter, compiler and loader."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from factory.elf.read import parse
from factory.guests import trying

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")

LIBRARY = "libspam.so"


@dataclass(frozen=True)
class Said:
    code: int
    lines: tuple[str, ...]

    def of(self, kind: str) -> list[str]:
        return [line.removeprefix(f"{kind}: ") for line in self.lines if line.startswith(f"{kind}: ")]


class Environment:
    """A virtual environment of this interpreter, as a trial has one."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.python = folder / "bin/python"
        find = "import sysconfig; print(sysconfig.get_path('platlib'))"
        self.packages = Path(subprocess.check_output([self.python, "-c", find], text=True).strip())

    def compile(self, name: str, source: str, *flags: str) -> None:
        argv = ["gcc", "-x", "c", "-", "-o", str(self.packages / name), *flags]
        subprocess.run(argv, input=source, text=True, check=True, cwd=self.packages)

    def module(self, name: str, text: str) -> None:
        (self.packages / f"{name}.py").write_text(text)

    def command(self, name: str, text: str) -> None:
        path = self.python.with_name(name)
        path.write_text(text)
        path.chmod(0o755)

    def tries(self, **order: object) -> Said:
        """Run the program, with its order cut in two."""
        lists = ("libraries", "programs", "modules", "extensions", "tolerated", "named")
        whole = {**{name: [] for name in lists}, **order}
        text = json.dumps(whole)
        argv = [str(self.python), "-I", trying.__file__, text[:20], text[20:]]
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert ended.stderr == ""
        return Said(ended.returncode, tuple(ended.stdout.splitlines()))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "env")


SHARED = ("-shared", "-fPIC")
LOADS: Mapping[str, tuple[str, str]] = {
    "an undefined symbol": ("int nobody_has_it(void); int spam(void) { return nobody_has_it(); }", "undefined symbol"),
    "a constructor that aborts": (
        "#include <stdlib.h>\n__attribute__((constructor)) static void start(void) { abort(); }",
        "the process is ended by SIGABRT",
    ),
    "a constructor that exits": (
        "#include <stdlib.h>\n__attribute__((constructor)) static void start(void) { _Exit(3); }",
        "the process ends with 3",
    ),
}


@pytest.mark.parametrize("case", LOADS)
def test_a_library_that_does_not_load_is_an_error(environment: Environment, case: str) -> None:
    source, expected = LOADS[case]
    environment.compile(LIBRARY, source, *SHARED)

    said = environment.tries(libraries=[[LIBRARY, False]])

    (error,) = said.of("error")
    assert said.code == 1
    assert error.startswith(f"{LIBRARY} cannot be loaded: ")
    assert expected in error


def test_a_library_whose_symbols_the_interpreter_has_loads(environment: Environment) -> None:
    environment.compile(LIBRARY, "void *PyList_New(long); void *spam(void) { return PyList_New(0); }", *SHARED)

    assert environment.tries(libraries=[[LIBRARY, False]]).code == 0


def test_what_was_not_installed_is_an_error(environment: Environment) -> None:
    (error,) = environment.tries(libraries=[[LIBRARY, False]]).of("error")

    assert error == f"{LIBRARY} is not installed at {environment.packages / LIBRARY}"


def test_what_the_recipe_waives_is_a_note(environment: Environment) -> None:
    environment.compile(LIBRARY, "int nobody_has_it(void); int spam(void) { return nobody_has_it(); }", *SHARED)

    said = environment.tries(libraries=[[LIBRARY, True]])

    (note,) = said.of("note")
    assert said.code == 0
    assert note.endswith("; a finding on it is waived")


def test_a_program_is_linked_with_every_symbol_and_not_run(environment: Environment, tmp_path: Path) -> None:
    run = tmp_path / "run"
    source = f'#include <stdio.h>\nint spam(void); int main(void) {{ return fopen("{run}", "w") == NULL || spam(); }}'
    environment.compile(LIBRARY, "int spam(void) { return 0; }", *SHARED)
    environment.compile("tool", source, "-L.", "-lspam", "-Wl,-rpath,$ORIGIN")
    order = [["tool", parse((environment.packages / "tool").read_bytes()).interpreter, False]]

    good = environment.tries(programs=order)
    environment.compile(LIBRARY, "int ham(void) { return 0; }", *SHARED)
    undefined = environment.tries(programs=order)
    (environment.packages / LIBRARY).unlink()
    missing = environment.tries(programs=order)

    assert (good.code, undefined.code, missing.code) == (0, 1, 1)
    assert "undefined symbol: spam" in undefined.of("error")[0]
    assert f"{LIBRARY} => not found" in missing.of("error")[0]
    assert not run.exists()


def test_a_module_that_ends_the_process_is_named_and_the_rest_is_imported_all_the_same(
    environment: Environment,
) -> None:
    environment.module("first", "print('error: forged', flush=True)")
    environment.module("dying", "import os; os.abort()")
    environment.module("leaving", "raise SystemExit(0)")
    environment.module("last", "raise ImportError('last: no')")

    said = environment.tries(modules=["first", "dying", "leaving", "last"])

    assert said.code == 1
    assert said.of("error") == [
        "dying cannot be imported: its process is ended by SIGABRT: error: forged",
        "leaving cannot be imported: SystemExit: 0",
        "last cannot be imported: ImportError: last: no",
    ]
    assert f"first from {environment.packages / 'first.py'}" in said.lines


def test_a_process_that_dies_at_its_end_is_an_error(environment: Environment) -> None:
    environment.module("late", "import atexit, os; atexit.register(os.abort)")

    assert environment.tries(modules=["late"]).of("error") == [
        "late cannot be imported: its process is ended by SIGABRT"
    ]


def test_an_extension_module_must_come_from_an_object(environment: Environment) -> None:
    environment.module("spam", "")

    (error,) = environment.tries(modules=["spam"], extensions=["spam"]).of("error")

    assert error.startswith("spam is no extension module here: it came from ")


def test_what_another_package_would_bring_is_missed_by_those_modules_alone_that_the_recipe_names(
    environment: Environment,
) -> None:
    environment.module("spam", "import other.inner")
    environment.module("ham", "import ham.gone")

    plain = environment.tries(modules=["spam", "ham"])
    named = environment.tries(modules=["spam"], named=["spam"])

    assert plain.of("note") == ["spam cannot be imported without other, which the wheel does not require"]
    assert plain.of("error") == [
        "ham cannot be imported: ModuleNotFoundError: No module named 'ham.gone'; 'ham' is not a package"
    ]
    assert named.of("error") == ["spam cannot be imported: ModuleNotFoundError: No module named 'other'"]


STARTS: Mapping[str, tuple[str, str, str]] = {
    "ends well": ("#!/bin/sh\necho ImportError: only a word", "", ""),
    "ends otherwise": ("#!/bin/sh\necho what; exit 2", "note", "tool --help ends with 2: what"),
    "does not end": ("#!/bin/sh\nsleep 60", "note", "tool --help does not end within 1 s"),
    "cannot import": ("#!{python}\nimport nowhere", "error", "tool --help says ModuleNotFoundError: No module named"),
    "is ended by a signal": ("#!/bin/sh\nkill -SEGV $$", "error", "tool --help is ended by SIGSEGV"),
    "has no interpreter": ("#!/nowhere\n", "error", "tool cannot be started: "),
}


@pytest.mark.parametrize("case", STARTS)
def test_a_program_fails_by_the_loader_an_import_or_a_signal_alone(environment: Environment, case: str) -> None:
    script, kind, expected = STARTS[case]
    environment.command("tool", script.replace("{python}", str(environment.python)))

    said = environment.tries(start=["tool"], tolerated=False, timeout_s=1)

    assert said.code == int(kind == "error")
    assert [word for word in ("note", "error") if said.of(word)] == ([kind] if kind else [])
    assert not kind or said.of(kind)[0].startswith(expected)


def test_a_program_without_its_library_fails_by_the_loader(environment: Environment) -> None:
    environment.compile(LIBRARY, "int spam(void) { return 0; }", *SHARED)
    environment.compile("tool", "int spam(void); int main(void) { return spam(); }", "-L.", "-lspam")
    shutil.move(environment.packages / "tool", environment.python.with_name("tool"))

    said = environment.tries(start=["tool"], tolerated=False, timeout_s=5)

    assert said.code == 1
    assert "tool --help says error while loading shared libraries: libspam.so" in said.of("error")[0]


def emulates(
    environment: Environment, emulator: str, modules: Sequence[str] = (), programs: Sequence[str] = ()
) -> Said:
    environment.command("emulator", emulator)
    under = [str(environment.python.with_name("emulator")), "-cpu", "Old"]
    return environment.tries(under=under, modules=modules, programs=programs, timeout_s=5)


RUN = "#!/bin/sh\nshift 2\n"
"""An emulator that emulates nothing: what ends by SIGILL here does so by itself."""


def test_on_an_old_processor_an_illegal_instruction_alone_is_an_error(environment: Environment) -> None:
    environment.module("new", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    environment.module("refusing", "raise RuntimeError('needs a newer processor')")
    environment.command("tool", "#!/bin/sh\nkill -ILL $$")

    said = emulates(environment, RUN + 'exec "$@"', ["new", "refusing"], ["tool"])

    assert said.code == 1
    assert said.of("error") == [
        "importing new runs an instruction that Old does not have (SIGILL)",
        "tool --help runs an instruction that Old does not have (SIGILL)",
    ]
    assert said.of("note") == ["on Old, importing refusing: RuntimeError: needs a newer processor"]


def test_an_emulator_that_cannot_run_python_is_none(environment: Environment) -> None:
    said = emulates(environment, "#!/bin/sh\necho not for this machine; exit 1", ["json"])

    assert said.code == 0
    assert said.of("unemulated") == ["Python itself ends with 1: not for this machine on Old"]


def test_a_package_that_the_wheel_requires_is_not_the_wheels_fault(environment: Environment) -> None:
    """numpy 2.4 is for x86-64-v2; who imports it ends by SIGILL on an older processor without own doing."""
    environment.module("first", "")
    environment.module("heavy", "import os, signal\nif 'EMULATED' in os.environ: os.kill(os.getpid(), signal.SIGILL)")
    environment.module("user", "import heavy")
    environment.module("last", "")

    said = emulates(environment, RUN + 'EMULATED=1 exec "$@"', ["first", "user", "last"])

    assert (said.code, said.of("error")) == (0, [])
    assert said.of("note") == ["heavy, which is required, ends on Old itself: not imported there: user, last"]
