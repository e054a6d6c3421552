"""What the image's compiler made for a project serves its next builds: whatever was edited, and no other project."""

import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.docker.command import CP313, Command, Ran
from tests.docker.projects import C_MODULE, EPOCH_S, Project, make_c_project, pyproject

pytestmark = [pytest.mark.engine, pytest.mark.index]

SLOW = "import sys, time\nif 'bdist_wheel' in sys.argv: time.sleep(3)"
"""What makes a small project's objects worth keeping."""

VALUE = "long value(void) { return NUMBER; }\n"
ANSWERING = C_MODULE.replace("static PyObject *answer", "long value(void);\nstatic PyObject *answer")
ANSWERING = ANSWERING.replace("PyLong_FromLong(42)", "PyLong_FromLong(value())")
DATED = 'const char *dated = "made on " __DATE__ " at " __TIME__;\n'
PLAIN = {f"{name}.c": f"long {name}(long of) {{ return of * {len(name)}; }}\n" for name in ("one", "three", "seventh")}


def answering(name: str, number: int) -> Mapping[str, str]:
    return {"run": f"python -c 'import {name}; assert {name}.answer() == {number}, {name}.answer()'"}


def compiled(ran: Ran) -> list[str]:
    """How many files the compiler compiled in each build that began with something, in their order."""
    events = (ran.run_folder / "events.jsonl").read_text(encoding="utf-8")
    return re.findall(r"(\d+ of \d+) files were compiled", events)


def with_files(project: Project, files: Mapping[str, str]) -> Project:
    return replace(project, files={**project.files, **files})


def elsewhere(command: Command) -> Command:
    """The same command in another folder, so that what it builds is another project."""
    (command.folder / "other").mkdir()
    return replace(command, folder=command.folder / "other")


def test_what_does_not_depend_on_the_interpreter_or_the_edit_is_not_compiled_again(command: Command) -> None:
    """Files that include Python.h are compiled for each interpreter; the first edit is compiled once."""
    files = {**PLAIN, "value.c": VALUE.replace("NUMBER", "42")}
    project = make_c_project("many", code=ANSWERING, setup=SLOW, sources=["many.c", *files], files=files)
    cells = ("cp311", "cp313")
    first = command.build(command.recipe(project, interpreters=cells, test=answering("many", 42)), "--jobs", "1")
    edited = with_files(project, {"value.c": VALUE.replace("NUMBER", "43")})
    recipe = command.recipe(edited, interpreters=cells, test=answering("many", 43))

    again = command.build(recipe, "--jobs", "1")
    anew = command.build(recipe, "--no-cache", "--only", CP313, "-o", "anew")

    assert [ran.code for ran in (first, again, anew)] == [0, 0, 0], first.stderr + again.stderr + anew.stderr
    assert (compiled(first), compiled(again), compiled(anew)) == (["1 of 5"], ["1 of 5", "0 of 5"], [])
    wheel = f"many-1.0-{CP313}.whl"
    assert (command.folder / "anew" / wheel).read_bytes() == command.dist[wheel]
    assert {record.unlike for record in anew.records.values()} == {""}


def test_a_header_that_now_comes_before_another_is_seen(command: Command) -> None:
    """The header that was included has not changed: a comparison of the headers that were read would not tell."""
    value = {"value.c": "#include <number.h>\n" + VALUE, "util/number.h": "#define NUMBER 42\n", "tools/empty.h": ""}
    project = make_c_project(
        "shadowed",
        code=ANSWERING,
        setup=SLOW,
        sources=["shadowed.c", "value.c"],
        extension="include_dirs=['tools', 'util']",
        files=value,
    )
    first = command.build(command.recipe(project, test=answering("shadowed", 42)))
    edited = with_files(project, {"tools/number.h": "#define NUMBER 43\n"})

    again = command.build(command.recipe(edited, test=answering("shadowed", 43)))

    assert [first.code, again.code] == [0, 0], first.stderr + again.stderr
    assert compiled(again) == ["1 of 2"]


def test_what_the_assembler_reads_is_seen(command: Command) -> None:
    """ccache hashes the directive and not the file: such a source is compiled each time."""
    name = "assembled"
    files = {"value.c": '__asm__(".include \\"value.inc\\"");\n', "value.inc": assembled(42)}
    project = make_c_project(name, code=ANSWERING, setup=SLOW, sources=[f"{name}.c", "value.c"], files=files)
    first = command.build(command.recipe(project, test=answering(name, 42)))
    edited = with_files(project, {"value.inc": assembled(43)})

    again = command.build(command.recipe(edited, test=answering(name, 43)))

    assert [first.code, again.code] == [0, 0], first.stderr + again.stderr
    assert compiled(again) == ["0 of 1"]


def assembled(number: int) -> str:
    """The function `value` in assembly."""
    return f".text\n.globl value\nvalue: movl ${number}, %eax\nret\n"


def test_the_date_of_a_source_is_the_one_that_it_has_now(command: Command) -> None:
    files = {"dated.c": DATED, **PLAIN}
    project = make_c_project("day", code=C_MODULE, setup=SLOW, sources=["day.c", *files], files=files)
    recipe = command.recipe(project)
    first = command.build(recipe)
    before = dates(command)
    os.utime(command.folder / "day-source/dated.c", (EPOCH_S + 86_400, EPOCH_S + 86_400))

    again = command.build(recipe)
    after, made = dates(command), command.dist
    anew = command.build(recipe, "--no-cache")

    assert [ran.code for ran in (first, again, anew)] == [0, 0, 0], first.stderr + again.stderr + anew.stderr
    assert (before, after) == ({b"made on Nov 14 2023 at 22:13:20"}, {b"made on Nov 15 2023 at 22:13:20"})
    assert compiled(again) == ["1 of 5"]
    assert command.dist == made


def dates(command: Command) -> set[bytes]:
    """What the objects of the only wheel say of when they were made."""
    (name,) = command.wheels
    with zipfile.ZipFile(command.folder / "dist" / name) as wheel:
        objects = [wheel.read(member) for member in wheel.namelist() if member.endswith(".so")]
    return {found for content in objects for found in re.findall(rb"made on [ -~]+", content)}


POISONING = f"""\
{SLOW}
import shutil
from pathlib import Path
from setuptools.command.build_clib import build_clib

def objects():
    return {{path for path in Path('/work/compiled').rglob('*') if path.is_file() and len(path.name) > 35}}

class Poisoning(build_clib):
    def build_libraries(self, libraries):
        before = objects()
        super().build_libraries(libraries)
        made = objects() - before
        self.compiler.compile(['poison.c'], output_dir=self.build_temp)
        for poison in objects() - before - made:
            for path in made:
                shutil.copy(poison, path)
"""
POISONED = Project(
    "poisoned",
    {
        "pyproject.toml": pyproject("poisoned", ["setuptools"], "setuptools.build_meta"),
        "setup.py": f"""{POISONING}
from setuptools import Extension, setup
setup(
    cmdclass={{'build_clib': Poisoning}},
    libraries=[('value', {{'sources': ['value.c']}})],
    ext_modules=[Extension('poisoned', ['poisoned.c'])],
)
""",
        "poisoned.c": ANSWERING.replace("NAME", "poisoned"),
        "value.c": VALUE.replace("NUMBER", "42"),
        "poison.c": VALUE.replace("NUMBER", "666"),
    },
)
"""Writes over what ccache remembers of a file what it remembers of another one."""


def test_a_poisoned_cache_harms_its_own_project_alone_and_no_cache_tells(command: Command) -> None:
    edited = with_files(POISONED, {"poisoned.c": f"{POISONED.files['poisoned.c']}int edited;\n"})
    first = command.build(command.recipe(POISONED, test=answering("poisoned", 42)))
    again = command.build(command.recipe(edited, test=answering("poisoned", 666)))
    other = elsewhere(command)

    beside = other.build(other.recipe(edited, test=answering("poisoned", 42)))
    anew = command.build(command.recipe(edited, test=answering("poisoned", 42)), "--no-cache")

    assert [ran.code for ran in (first, again, beside, anew)] == [0, 0, 0, 0], [first, again, beside, anew]
    assert anew.records["poisoned"].unlike == f"unlike/poisoned/{CP313}/poisoned-1.0-cp313-cp313-linux_x86_64.whl"
    assert "not the same bytes: poisoned/" in anew.stderr


CMAKE = """\
cmake_minimum_required(VERSION 3.15)
project(NAME C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
Python_add_library(NAME MODULE WITH_SOABI NAME.c value.c)
execute_process(COMMAND sleep 3)
install(TARGETS NAME DESTINATION .)
"""
MESON = """\
project('NAME', 'c', version: '1.0')
py = import('python').find_installation(pure: false)
py.extension_module('NAME', 'NAME.c', 'value.c', install: true)
run_command('sleep', '3', check: true)
"""


def make(name: str, backend: str, requires: str, file: str, text: str) -> Project:
    return Project(
        name,
        {
            "pyproject.toml": pyproject(name, [requires], backend),
            file: text.replace("NAME", name),
            f"{name}.c": ANSWERING.replace("NAME", name),
            "value.c": VALUE.replace("NUMBER", "42"),
        },
    )


BY_CMAKE = make("bycmake", "scikit_build_core.build", "scikit-build-core", "CMakeLists.txt", CMAKE)
BY_MESON = make("bymeson", "mesonpy", "meson-python", "meson.build", MESON)


@pytest.mark.slow
@pytest.mark.parametrize("project", [BY_CMAKE, BY_MESON], ids=lambda project: project.name)
def test_cmake_and_meson_compile_what_was_edited_and_no_wheel_tells_of_ccache(
    project: Project, command: Command
) -> None:
    """CMake is given the path of a link as the compiler; meson looks for ccache, and finds none on PATH."""
    first = command.build(command.recipe(project, test=answering(project.name, 42)))
    edited = with_files(project, {"value.c": VALUE.replace("NUMBER", "43")})
    recipe = command.recipe(edited, test=answering(project.name, 43))

    again = command.build(recipe)
    made = command.dist
    anew = command.build(recipe, "--no-cache")

    assert [ran.code for ran in (first, again, anew)] == [0, 0, 0], first.stderr + again.stderr + anew.stderr
    assert compiled(again) in (["1 of 2"], ["1 of 3"]), "CMake compiles a file of its own"
    assert command.dist == made
    assert told_of_ccache(command) == set()


def told_of_ccache(command: Command) -> set[str]:
    """The members of the wheels that hold the name of ccache or the folder of its links."""
    found = set()
    for name in command.wheels:
        with zipfile.ZipFile(command.folder / "dist" / name) as wheel:
            contents = {member: wheel.read(member) for member in wheel.namelist()}
        found |= {member for member, text in contents.items() if b"ccache" in text or b"/work/comp" in text}
    return found
