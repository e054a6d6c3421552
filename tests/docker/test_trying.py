"""What trials find that no reader of a wheel can: what loads, imports and starts, here and on an old processor."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docker.command import CP313, Command, Ran
from tests.docker.projects import C_MODULE, Project, make_c_project, pyproject

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

AT_IMPORT = "return PyModule_Create(&definition);"
DIE = 'if (!getenv("NOWHERE")) abort();'
REFUSE = '{ PyErr_SetString(PyExc_ImportError, "it needs a display"); return NULL; }'
ADD = """\
#include <immintrin.h>
TARGET static int add(void) {
    volatile int x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    __m256i sum = _mm256_loadu_si256((__m256i *)x);
    _mm256_storeu_si256((__m256i *)x, _mm256_add_epi32(sum, sum));
    return x[0];
}
"""
COUNT = "static int add(void) { volatile unsigned long x = 7; return x = __builtin_popcountl(x); }\n"
FLAT = {"requires": ["pytest"], "run": "pytest -q {source}/tests/test_it.py"}
SWITCHED = (
    "importing gilback switches the GIL on: gilback does not declare that it runs without (Py_mod_gil,"
    " PyUnstable_Module_SetGIL, PyO3's gil_used = false)"
)
SCRIPTS = {
    "fine": "import sys\ndef main(): print('usage')",
    "fussy": "import sys\ndef main(): print('what is --help?'); sys.exit(3)",
    "endless": "import time\ndef main():\n    while True: time.sleep(1)",
    "unready": "def main(): import nowhere_to_be_found",
    "crashing": "import os\ndef main(): os.abort()",
    "forging": "import sys\ndef main(): print('error: forged'); print('note: forged'); sys.exit(1)",
}


def at_import(what: str) -> str:
    """Return a module's code that does something when it is imported."""
    return C_MODULE.replace(AT_IMPORT, f"{what} {AT_IMPORT}")


def make_threaded(name: str, declares: bool) -> Project:
    """A module for free-threaded Python, which may declare that it runs without the GIL."""
    made = "PyObject *module = PyModule_Create(&definition);"
    free = "PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);" if declares else ""
    return make_c_project(name, code=C_MODULE.replace(AT_IMPORT, f"{made} {free} return module;"))


def make_instructions(name: str, code: str, condition: str, *flags: str) -> Project:
    """A module that runs some instructions when it is imported, where a condition holds."""
    module = at_import(f"if ({condition}) add();")
    return make_c_project(name, code=code + module, extension=f"extra_compile_args={['-O1', *flags]!r}")


def make_commands(name: str, *scripts: str) -> Project:
    """A module, and a program for each of some scripts."""
    entries = "\n".join(f'{name}-{each} = "{name}_{each}:main"' for each in scripts)
    return setup_project(
        name,
        f"ext_modules=[Extension({name!r}, ['{name}.c'])], py_modules={[f'{name}_{each}' for each in scripts]!r}",
        {f"{name}_{each}.py": SCRIPTS[each] + "\n" for each in scripts},
        more=f"[project.scripts]\n{entries}\n",
    )


def make_two_modules(name: str) -> Project:
    """Two modules, of which one cannot be imported."""
    second = C_MODULE.replace("NAME", f"{name}_gui").replace(f"{{ {AT_IMPORT} }}", REFUSE)
    modules = f"ext_modules=[Extension({name!r}, ['{name}.c']), Extension('{name}_gui', ['{name}_gui.c'])]"
    return setup_project(name, modules, {f"{name}_gui.c": second})


def make_constructor(name: str) -> Project:
    """A module, and a library for ctypes that ends every process which loads it."""
    library = "#include <stdlib.h>\n__attribute__((constructor)) static void start(void) { abort(); }\n"
    modules = f"ext_modules=[Extension({name!r}, ['{name}.c']), Extension('{name}_library', ['{name}_library.c'])]"
    return setup_project(name, modules, {f"{name}_library.c": library})


STATIC = "echo 'int main(void) { return 0; }' | cc -static -x c -o carrying_data/tool -"


def make_static(name: str) -> Project:
    """A module, and beside it a program that no loader takes."""
    modules = f"ext_modules=[Extension({name!r}, ['{name}.c'])]"
    data = f"packages=['{name}_data'], package_data={{'{name}_data': ['tool']}}"
    return setup_project(name, f"{modules}, {data}", {f"{name}_data/__init__.py": ""})


def make_flat(name: str) -> Project:
    """A package beside its tests, which are a package: pytest puts their folder on the path. Its data is not packed."""
    return setup_project(
        name,
        f"ext_modules=[Extension('{name}_core', ['{name}_core.c'])], packages=[{name!r}]",
        {
            f"{name}_core.c": C_MODULE.replace("NAME", f"{name}_core"),
            f"{name}/__init__.py": "from pathlib import Path\nPLACE = Path(__file__).parent\n",
            f"{name}/x": "words",
            "tests/__init__.py": "",
            "tests/test_it.py": f"import {name}\n\ndef test_it(): assert {name}.__name__ == {name!r}\n",
            "tests/test_data.py": f"import {name}\n\ndef test_data(): assert ({name}.PLACE / 'x').is_file()\n",
        },
    )


def setup_project(name: str, arguments: str, files: Mapping[str, str], more: str = "") -> Project:
    script = f"from setuptools import Extension, setup\nsetup({arguments})\n"
    project = pyproject(name, ["setuptools"], "setuptools.build_meta", more)
    return Project(
        name,
        {"pyproject.toml": project, "setup.py": script, f"{name}.c": C_MODULE.replace("NAME", name), **files},
    )


@pytest.fixture(scope="module")
def emulated(workshop: Command, qemu: Path) -> Ran:
    avx = make_instructions("avx", ADD.replace("TARGET ", ""), "1", "-mavx2")
    dispatched = ADD.replace("TARGET", '__attribute__((target("avx2")))')
    counting = make_instructions("counting", COUNT, "1", "-mpopcnt")
    return workshop.build(
        workshop.recipe(avx),
        workshop.recipe(avx, name="avx-everywhere", test={"processor": "any"}),
        workshop.recipe(make_instructions("dispatching", dispatched, '__builtin_cpu_supports("avx2")')),
        workshop.recipe(counting),
        workshop.recipe(counting, name="counting-v2", test={"processor": "x86-64-v2"}),
        env={"PATH": f"{qemu}:{Path('/usr/bin')}:/bin:/usr/sbin:/sbin"},
    )


def test_an_undeclared_instruction_fails_the_trial_although_this_processor_has_it(emulated: Ran) -> None:
    record = emulated.records["avx"]

    assert record.after is not None
    assert record.after.passed, "nothing that is in the file declares it"
    assert (record.status, emulated.failure("avx").step) == ("failed", "old-processor")
    assert emulated.failure("avx").message == (
        "importing avx runs an instruction that Opteron_G1 does not have (SIGILL)"
    )
    assert "test: {processor: x86-64-v2}" in emulated.failure("avx").hint
    assert "qemu: uncaught target signal 4" in emulated.log("avx", "old-processor")


def test_one_that_is_chosen_by_cpuid_passes(emulated: Ran) -> None:
    (trial,) = emulated.records["dispatching"].trials

    assert (trial.outcome, trial.processor, trial.unemulated) == ("passed", "Opteron_G1", "")


def test_a_recipe_says_which_processors_the_wheel_is_for(emulated: Ran) -> None:
    (newer,) = emulated.records["counting-v2"].trials
    (any_,) = emulated.records["avx-everywhere"].trials

    assert emulated.failure("counting").message.startswith("importing counting runs an instruction")
    assert (newer.outcome, newer.processor) == ("passed", "Nehalem")
    assert (any_.outcome, any_.processor) == ("passed", None)
    assert any_.unemulated == "the recipe asks for no old processor (test.processor)"


def test_without_qemu_the_report_says_that_it_was_not_run(workshop: Command, tmp_path: Path) -> None:
    for name in ("git", "mmdebstrap", "sh"):
        (tmp_path / name).symlink_to(shutil.which(name) or "")

    ran = workshop.build(workshop.recipe(make_c_project("unemulated")), env={"PATH": str(tmp_path)})

    (trial,) = ran.records["unemulated"].trials
    reason = "no qemu-user is on PATH: apt-get install qemu-user-static"
    assert (trial.outcome, trial.processor, trial.unemulated) == ("passed", None, reason), ran.stderr
    assert f"not run on an old processor: 1 wheel: {reason}" in ran.stderr


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    two, tests = make_two_modules("twice"), {"run": "python -c 'import twice'"}
    return workshop.build(
        workshop.recipe(make_commands("started", "fine", "fussy", "endless", "forging")),
        workshop.recipe(make_commands("importing", "fine", "unready")),
        workshop.recipe(make_commands("aborting", "crashing")),
        workshop.recipe(two, audit={"modules": ["twice"]}, test=tests),
        workshop.recipe(two, name="once", test={**tests, "unimported": ["*_gui", "nothing"]}),
        workshop.recipe(make_c_project("dying", code=f"#include <stdlib.h>\n{at_import(DIE)}"), test={"run": "true"}),
        workshop.recipe(make_static("carrying"), build={"before": STATIC}),
        workshop.recipe(make_constructor("constructing"), audit={"modules": ["constructing"]}),
        workshop.recipe(make_flat("flat"), audit={"modules": ["flat_core"]}, test=FLAT),
        workshop.recipe(
            make_flat("lacking"),
            audit={"modules": ["lacking_core"]},
            test={**FLAT, "run": "pytest -q {source}/tests/test_data.py"},
        ),
        workshop.recipe(make_flat("shadowed"), audit={"modules": ["shadowed_core"]}, test={**FLAT, "source": "whole"}),
    )


def test_tests_beside_a_package_import_the_installed_one(ran: Ran) -> None:
    (trial,) = ran.records["flat"].trials

    assert (trial.outcome, trial.notes) == ("passed", ()), ran.stderr


def test_data_that_only_the_source_has_is_not_found(ran: Ran) -> None:
    (trial,) = ran.records["lacking"].trials

    assert trial.failure is not None
    assert trial.failure.step == "test"
    assert "{source} holds no modules of the wheel's own packages" in trial.failure.hint


def test_tests_that_import_a_copy_in_the_source_prove_nothing(ran: Ran) -> None:
    (trial,) = ran.records["shadowed"].trials

    assert trial.failure is not None
    assert trial.failure.step == "import-origins"
    assert trial.failure.message == (
        "the tests imported shadowed from /work/source/shadowed/__init__.py; the wheel's is "
        "/work/env/lib/python3.13/site-packages/shadowed/__init__.py"
    )
    assert "leave test: {source: tests}" in trial.failure.hint


def test_a_program_that_ends_otherwise_or_not_at_all_is_noted(ran: Ran) -> None:
    (trial,) = ran.records["started"].trials

    assert trial.outcome == "passed", ran.stderr
    assert trial.notes == (
        "started-endless --help does not end within 20 s",
        "started-forging --help ends with 1: note: forged",
        "started-fussy --help ends with 3: what is --help?",
    )
    assert "started/cp313-cp313-manylinux_2_31_x86_64@cp313: started-fussy --help ends with 3" in ran.stderr


@pytest.mark.parametrize(
    ("recipe", "step", "message"),
    [
        (
            "importing",
            "start-commands",
            "importing-unready --help says ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        ),
        ("aborting", "start-commands", "aborting-crashing --help is ended by SIGABRT"),
        ("twice", "import", "twice_gui cannot be imported: ImportError: it needs a display"),
        ("dying", "import", "dying cannot be imported: its process is ended by SIGABRT"),
        (
            "constructing",
            "import",
            "constructing_library.cpython-313-x86_64-linux-gnu.so cannot be loaded: the process is ended by SIGABRT",
        ),
    ],
)
def test_what_does_not_load_import_or_start_keeps_the_wheel_back(
    ran: Ran, recipe: str, step: str, message: str
) -> None:
    record, failure = ran.records[recipe], ran.failure(recipe)

    assert record.after is not None, failure
    assert record.after.passed, "the gate sees nothing of it"
    assert (record.status, failure.step, failure.message) == ("failed", step, message)


def test_a_static_program_is_left_alone_by_loaders(ran: Ran) -> None:
    assert ran.records["carrying"].status == "passed", ran.stderr


def test_a_module_that_the_recipe_leaves_out_is_named(ran: Ran) -> None:
    (trial,) = ran.records["once"].trials

    assert trial.outcome == "passed", ran.stderr
    assert trial.notes == (
        "twice_gui is not imported: the recipe leaves it out (test.unimported)",
        "test.unimported names nothing, which no extension module matches",
    )


def test_a_second_run_remembers_the_notes(workshop: Command, ran: Ran) -> None:
    again = workshop.build(workshop.folder / "started.yaml")

    assert again.containers == 0, again.stderr
    assert [trial.notes for trial in again.records["started"].trials] == [
        trial.notes for trial in ran.records["started"].trials
    ]
    assert CP313 in again.statuses


def test_a_module_that_switches_the_gil_on_fails_the_trial_and_is_noted_where_the_recipe_says_why(
    command: Command,
) -> None:
    gilback, freely = make_threaded("gilback", declares=False), make_threaded("freely", declares=True)
    cp313t = ("cp313t",)

    refused = command.build(command.recipe(gilback, interpreters=cp313t), command.recipe(freely, interpreters=cp313t))
    allowed = command.build(command.recipe(gilback, interpreters=cp313t, test={"gil": {"allowed": "a test"}}))

    assert (refused.failure("gilback").message, refused.code) == (SWITCHED, 1)
    assert refused.records["freely"].trials[0].notes == ()
    assert allowed.code == 0, allowed.stderr
    assert allowed.records["gilback"].trials[0].notes == (SWITCHED, "the recipe allows the GIL: a test")
