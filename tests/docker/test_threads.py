"""A wheel whose tests pass in one thread and not in several, and twins of it that pass; with the real plugin."""

import pytest

from tests.docker.command import Command
from tests.docker.projects import C_MODULE, Project, make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index]

# Each thread that is in `answer` while another is counts it; the GIL is given away in between, as real work does.
COUNTED = """\
static int inside = 0;
static PyObject *answer(PyObject *self, PyObject *none) {
    int others = inside++;
    Py_BEGIN_ALLOW_THREADS
    struct timespec time = {0, 20000000};
    nanosleep(&time, NULL);
    Py_END_ALLOW_THREADS
    inside--;
    return PyLong_FromLong(others);
}
"""
OWN = "static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }\n"
RUN = "pytest -q {source}/tests"


def counting(name: str, test: str, *, mark: str = "") -> Project:
    code = "#include <time.h>\n" + C_MODULE.replace(OWN, COUNTED)
    assert COUNTED in code
    return make_c_project(
        name, code=code, files={"tests/test_it.py": f"import pytest, {name}\n\n{mark}\ndef test_it(): {test}\n"}
    )


def test_tests_that_fail_in_threads_fail_the_wheel_and_those_that_pass_are_counted(command: Command) -> None:
    test = {"requires": ["pytest"], "run": RUN, "threads": 8}
    alone = "@pytest.mark.thread_unsafe(reason='it has one file')"

    ran = command.build(
        command.recipe(counting("shared", "assert shared.answer() == 0"), test=test),
        command.recipe(counting("safely", "assert safely.answer() >= 0"), test=test),
        command.recipe(counting("alone", "assert alone.answer() == 0", mark=alone), test=test),
    )

    assert ran.failure("shared").step == "threads"
    assert ran.failure("shared").message.startswith("in 8 threads at once: ")
    assert ran.records["safely"].trials[0].notes == ("ran in 8 threads at once: 1 test",)
    assert ran.failure("alone").message.startswith("nothing ran in parallel: ")
    assert ran.failure("alone").message.endswith("tests/test_it.py::test_it (it has one file)")


def test_without_pytest_the_line_runs_in_threads(command: Command) -> None:
    ran = command.build(
        command.recipe(
            counting("spoilt", "pass"),
            test={"run": "python -c 'import spoilt; assert spoilt.answer() == 0'", "threads": 8},
        ),
        command.recipe(
            counting("lining", "pass"),
            test={"run": "python -c 'import lining; assert lining.answer() >= 0'", "threads": 8},
        ),
    )

    assert ran.failure("spoilt").message == "in 8 threads at once: AssertionError"
    (note,) = ran.records["lining"].trials[0].notes
    assert note.startswith("ran in 8 threads at once: importing lining, python -c import lining; ")
