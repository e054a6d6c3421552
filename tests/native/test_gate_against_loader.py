"""The gate against the real loader and the real interpreter: what they refuse is found, what they take is not."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from factory.audit import Expectation, audit
from factory.audit.stable_abi import introduced, oldest_interpreter
from factory.catalogue import Severity
from factory.elf.read import parse
from factory.wheel import read_wheel
from tests.makers.objects import ObjectFacts, make_module
from tests.makers.wheels import make_wheel

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")

TODAY = date(2026, 11, 22)
FILENAME = "demo-1.0-cp313-cp313-manylinux_2_41_x86_64.whl"
MODULE = "demo/core.so"


def _gcc(folder: Path, output: str, source: str, *flags: str) -> Path:
    path = folder / output
    path.parent.mkdir(parents=True, exist_ok=True)
    argv = ["gcc", "-shared", "-fPIC", "-x", "c", "-o", str(path), "-", "-Wl,--no-as-needed", *flags]
    subprocess.run(argv, input=source, text=True, check=True, cwd=folder)
    return path


def _rules(folder: Path, files: Mapping[str, Path], filename: str = FILENAME) -> set[str]:
    content = {name: path.read_bytes() for name, path in files.items()}
    verdict = audit(read_wheel(make_wheel(folder, content, filename=filename)), Expectation(), TODAY)
    return {finding.rule for finding in verdict.findings if finding.severity is not Severity.NOTE}


def _loads(path: Path) -> bool:
    code = f"import ctypes; ctypes.CDLL({str(path)!r})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


CHAINS = {
    "a RUNPATH of its own": (["-Wl,-rpath,$ORIGIN/../demo.libs"], ["-Wl,-rpath,$ORIGIN"], True),
    "a RUNPATH that is not inherited": (["-Wl,-rpath,$ORIGIN/../demo.libs"], [], False),
    "an RPATH that is inherited": (["-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN/../demo.libs"], [], True),
    "no path at all": ([], [], False),
}


@pytest.mark.parametrize("case", CHAINS)
def test_a_library_is_missing_exactly_where_the_loader_misses_it(case: str, tmp_path: Path) -> None:
    first, second, loads = CHAINS[case]
    libs = f"-L{tmp_path}/demo.libs"
    far = _gcc(tmp_path, "demo.libs/libfar.so", "int far(void) { return 1; }")
    near = _gcc(tmp_path, "demo.libs/libnear.so", "int near(void) { return 2; }", libs, "-lfar", *second)
    core = _gcc(tmp_path, MODULE, "int core(void) { return 3; }", libs, "-lnear", *first)

    rules = _rules(tmp_path, {MODULE: core, "demo.libs/libnear.so": near, "demo.libs/libfar.so": far})

    assert _loads(core) is loads
    assert ("library-missing" not in rules) is loads


LIBPYTHONS = [
    "libpython3.so",
    "libpython3.11.so.1.0",
    "libpython3.13t.so.1.0",
    "libpython3.13d.so.1.0",
    "libpypy3.10-c.so",
]


@pytest.mark.parametrize("soname", LIBPYTHONS)
def test_an_interpreters_library_is_found_under_every_name(soname: str, tmp_path: Path) -> None:
    _gcc(tmp_path, "libpython.so", "int Py_Answer(void) { return 42; }", f"-Wl,-soname,{soname}")
    core = _gcc(tmp_path, MODULE, "int core(void) { return 3; }", "-L.", "-lpython")

    assert "libpython-linked" in _rules(tmp_path, {MODULE: core})


def test_a_grafted_interpreter_is_found_by_what_it_defines(tmp_path: Path) -> None:
    graft = _gcc(tmp_path, "demo.libs/libharmless-1a2b3c4d.so", "void Py_Initialize(void) {}")
    core = _gcc(tmp_path, MODULE, "int core(void) { return 3; }", "-Ldemo.libs", "-l:libharmless-1a2b3c4d.so")

    assert "libpython-embedded" in _rules(tmp_path, {MODULE: core, "demo.libs/libharmless-1a2b3c4d.so": graft})


def test_a_module_that_needs_no_library_at_all_is_judged(tmp_path: Path) -> None:
    """auditwheel aborts on such a module (InvalidLibcError)."""
    core = _gcc(
        tmp_path,
        MODULE,
        "void *PyModuleDef_Init(void *); void *PyInit_core(void) { return PyModuleDef_Init(0); }",
        "-nostdlib",
    )

    assert parse(core.read_bytes()).needed == ()
    assert _rules(tmp_path, {MODULE: core}) == set()


def test_a_version_above_the_policy_is_found_without_section_headers(tmp_path: Path) -> None:
    source = "#include <pthread.h>\nvoid *core(void) { return (void *)pthread_create; }"
    core = _gcc(tmp_path, MODULE, source)
    needed = {need.version for need in parse(core.read_bytes()).version_needs}
    content = bytearray(core.read_bytes())
    content[40:48], content[60:64] = bytes(8), bytes(4)
    core.write_bytes(content)

    rules = _rules(tmp_path, {MODULE: core}, filename="demo-1.0-py3-none-manylinux_2_5_x86_64.whl")

    assert ("platform-policy" in rules) == bool(needed - {"GLIBC_2.2.5"})


def _interpreters_exports() -> frozenset[str]:
    library = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME") or "")
    binary = library if library.is_file() and library.suffix != ".a" else Path(sys.executable).resolve()
    return parse(binary.read_bytes()).exports


def test_the_running_interpreter_exports_what_the_stable_abi_had_by_its_version() -> None:
    exports, minor = _interpreters_exports(), sys.version_info.minor

    promised = {name for name in introduced() if (oldest_interpreter(name, minor) or 99) <= minor}
    assert promised - exports == set()


SEEDED = """
import sys
from datetime import date
from pathlib import Path
from factory.audit import Expectation, audit
from factory.wheel import read_wheel
print(audit(read_wheel(Path(sys.argv[1])), Expectation(), date(2026, 11, 22)).findings)
"""


def test_findings_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    needs: ObjectFacts = {
        "needed": ["libb.so", "liba.so"],
        "undefined": ["b@GLIBC_2.39", "a@GLIBC_2.38", "c@GLIBCXX_3.4.33"],
    }
    path = make_wheel(tmp_path, {f"demo/{name}.so": make_module(name, **needs) for name in "xyz"})

    said = {
        subprocess.run(
            [sys.executable, "-c", SEEDED, path], env={"PYTHONHASHSEED": str(seed)}, check=True, capture_output=True
        ).stdout
        for seed in range(3)
    }

    assert len(said) == 1
