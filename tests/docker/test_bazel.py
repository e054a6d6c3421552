"""Wheels of what Bazel builds, and what is said where it builds none; Debian's Bazel is installed once for all."""

from pathlib import Path

import pytest

from tests.docker.command import PLATFORM, Command, Ran
from tests.docker.projects import C_MODULE, Project

pytestmark = [pytest.mark.engine, pytest.mark.index]

INCLUDE = '"-I$$("$$PYTHON_BIN_PATH" -c \'import sysconfig; print(sysconfig.get_path("include"))\')"'
BUILD = f"""\
genrule(name = "tiny", srcs = ["tiny.c"], outs = ["libtiny.so"], cmd = '''gcc -shared -fPIC {INCLUDE} $< -o $@''')
genrule(name = "broken", srcs = ["broken.c"], outs = ["broken.so"], cmd = "gcc -shared -fPIC $< -o $@")
genrule(name = "text", outs = ["text.txt"], cmd = "date >$@")
genrule(name = "two", outs = ["one.so", "two.so"], cmd = "touch $(OUTS)")
genrule(
    name = "whole",
    srcs = ["setup.py", "tiny.c"],
    outs = ["whole-1.0-cp313-cp313-linux_x86_64.whl"],
    cmd = "cp -L $(SRCS) $$TMPDIR && cd $$TMPDIR && $$PYTHON_BIN_PATH setup.py -q bdist_wheel && "
          + "cd - && cp $$TMPDIR/dist/*.whl $@",
)
"""
FILES = {
    "WORKSPACE": "",
    "BUILD": BUILD,
    "tiny.c": C_MODULE.replace("NAME", "tiny"),
    "broken.c": "int broken(void) { return missing; }\n",
    "setup.py": "from setuptools import Extension, setup\n"
    "setup(name='whole', version='1.0', ext_modules=[Extension('tiny', ['tiny.c'])])\n",
}
PACKED = {"module": "tiny", "version": "1.0"}
ANSWERS = "import tiny; assert tiny.answer() == 42"


def recipe(workshop: Command, name: str, test: str = ANSWERS, **bazel: object) -> Path:
    """A recipe for the target of its name."""
    build = {
        "backend": "bazel",
        "bazel": {"target": f"//:{name}", **bazel},
        "system": {"apt": ["bazel-bootstrap"]},
        "requires": ["setuptools"],
    }
    return workshop.recipe(Project(name, FILES), build=build, test={"run": f"python -c '{test}'"})


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    tiny = recipe(workshop, "tiny", f"import iniconfig; {ANSWERS}", dependencies=["iniconfig"], **PACKED)
    return workshop.build(tiny, recipe(workshop, "whole"))


@pytest.fixture(scope="module")
def refused(workshop: Command) -> Ran:
    targets = [recipe(workshop, name) for name in ("text", "two", "nope")]
    return workshop.build("--keep-going", *targets, recipe(workshop, "broken", **PACKED))


def test_a_shared_object_is_packed_and_a_wheel_is_taken(ran: Ran, workshop: Command) -> None:
    assert [ran.records[name].status for name in ("tiny", "whole")] == ["passed", "passed"], ran.stderr
    assert workshop.wheels == {f"{name}-1.0-cp313-cp313-{PLATFORM}.whl" for name in ("tiny", "whole")}


def test_bazel_writes_nothing_into_the_users_repository(ran: Ran, workshop: Command) -> None:
    written = {path.name for path in (workshop.folder / "tiny-source").iterdir()} if ran.run else set()

    assert written == set(FILES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("text", "//:text makes neither a wheel nor a shared object: text.txt"),
        ("two", "//:two makes 2 wheels and shared objects, and one is needed: one.so, two.so"),
        ("nope", "Bazel: no such target '//:nope': target 'nope' not declared in package ''"),
        ("broken", "undeclared (first use in this function)"),
    ],
)
def test_what_gives_no_wheel_is_said(name: str, says: str, refused: Ran) -> None:
    failure = refused.failure(name)

    assert says in failure.message
    assert failure.hint


@pytest.mark.slow
def test_an_image_without_bazel_is_told_which_package_has_it(workshop: Command) -> None:
    build = {"backend": "bazel", "bazel": {"target": "//:tiny", "module": "tiny", "version": "1.0"}}

    ran = workshop.build(workshop.recipe(Project("bare", FILES), build=build))

    assert "bazel: not found" in ran.failure("bare").message
    assert "build: {system: {apt: [bazel-bootstrap]}}" in ran.failure("bare").hint


HIT = " cache hit"
STAMPED = f"""\
genrule(name = "stamp", outs = ["stamp.h"], cmd = "date '+const long stamp = %s%N;' >$@")
genrule(
    name = "stamped",
    srcs = ["stamp.h", "tiny.c"],
    outs = ["stamped.so"],
    cmd = '''cat $(SRCS) >$$TMPDIR/all.c && gcc -shared -fPIC {INCLUDE} $$TMPDIR/all.c -o $@''',
)
"""


@pytest.mark.slow
def test_after_an_edit_only_actions_that_read_it_are_repeated_and_no_other_project_profits(workshop: Command) -> None:
    stamped = {**FILES, "BUILD": STAMPED}
    build = {
        "backend": "bazel",
        "bazel": {"target": "//:stamped", "module": "tiny", "version": "1.0"},
        "system": {"apt": ["bazel-bootstrap"]},
    }
    one, other = (workshop.recipe(Project(name, stamped), build=build) for name in ("stamped", "other"))

    first = workshop.build(one)
    (workshop.folder / "stamped-source/tiny.c").write_text(FILES["tiny.c"] + "/* edited */\n")
    again, elsewhere = workshop.build(one), workshop.build(other)

    hits = [
        HIT in ran.log(name, "build") for ran, name in ((first, "stamped"), (again, "stamped"), (elsewhere, "other"))
    ]
    assert hits == [False, True, False], first.stderr + again.stderr + elsewhere.stderr
