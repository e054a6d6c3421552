"""Projects of several kinds, each with a way of its own, through the whole factory in one run."""

import zipfile
from collections.abc import Iterator

import pytest

from tests.docker.command import CP313, PLATFORM, Command, Ran
from tests.docker.projects import C_MODULE, SHOW, Project, make_c_project, pyproject

pytestmark = [pytest.mark.engine, pytest.mark.index]

HATCH_HOOK = """\
import subprocess, sysconfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        target = "hatched" + sysconfig.get_config_var("EXT_SUFFIX")
        include = sysconfig.get_path("include")
        subprocess.run(["gcc", "-shared", "-fPIC", "-I", include, "hatched.c", "-o", target], check=True)
        build_data.update(infer_tag=True, pure_python=False, force_include={target: target})
"""
CPP_MODULE = "#include <string>\n#include <vector>\n" + C_MODULE.replace(
    "PyMODINIT_FUNC",
    'PyMODINIT_FUNC PyInit_NAME(void);\nstd::vector<std::string> words{"a"};\nextern "C" PyMODINIT_FUNC',
).replace("PyInit_NAME(void) {", 'PyInit_NAME(void) { words.push_back("b");')


def hatched() -> Project:
    more = "[tool.hatch.build.targets.wheel]\nbypass-selection = true\n[tool.hatch.build.targets.wheel.hooks.custom]\n"
    return Project(
        "hatched",
        {
            "pyproject.toml": pyproject("hatched", ["hatchling"], "hatchling.build", more),
            "hatch_build.py": HATCH_HOOK,
            "hatched.c": C_MODULE.replace("NAME", "hatched"),
        },
    )


def write_good(command: Command) -> Iterator[object]:
    """Write the recipes; each tries what it built."""
    option = {"floor": {"option": "--py-limited-api={floor}"}}
    limited = "py_limited_api=True, define_macros=[('Py_LIMITED_API', '0x03090000')]"
    yield command.recipe(
        make_c_project("limited", extension=limited), interpreters=("cp39", "cp313"), abi3="cp39", build=option
    )
    code = {"plus.cpp": CPP_MODULE.replace("NAME", "plus")}
    plus = make_c_project("plus", extension="language='c++'", sources=["plus.cpp"], files=code)
    yield command.recipe(plus, audit={"modules": ["plus"]})
    answers = {"run": "python -c 'import hatched; assert hatched.answer() == 42'"}
    yield command.recipe(hatched(), audit={"guessed-modules": ["hatched", "hatched_fast"]}, test=answers)
    check = "import ready, sys; assert ready.answer() == 43; assert sys.argv[1].endswith('.whl'); open(sys.argv[1])"
    code = {"ready.c": '#include "ready.h"\n' + C_MODULE.replace("NAME", "ready").replace("(42)", "(ANSWER)")}
    yield command.recipe(
        make_c_project("ready", files={**code, "tests/check.py": check}),
        build={"before": ["printf '#define ANS' > ready.h", "echo 'WER 43' >> ready.h"]},
        test={"run": ['test -z "$(ls)"', "python {source}/tests/check.py {wheel}"], "import": ["ready"]},
    )
    yield command.recipe(make_c_project("showing", setup=SHOW))


@pytest.fixture(scope="module")
def good(workshop: Command) -> Ran:
    """One run of all good projects."""
    return workshop.build(*map(str, write_good(workshop)))


def test_every_kind_of_project_yields_its_wheel(good: Ran) -> None:
    assert good.code == 0, good.stderr
    assert {path.name for path in (good.folder / "dist").glob("*.whl")} == {
        f"limited-1.0-cp39-abi3-{PLATFORM}.whl",
        *(f"{name}-1.0-{CP313}.whl" for name in ("plus", "hatched", "ready", "showing")),
    }


def test_an_abi3_wheel_is_tried_on_every_listed_interpreter(good: Ran) -> None:
    trials = good.records["limited"].trials

    assert [(str(trial.interpreter), trial.outcome) for trial in trials] == [("cp39", "passed"), ("cp313", "passed")]


def test_a_wheel_holds_what_its_backend_put_there(good: Ran) -> None:
    with zipfile.ZipFile(good.folder / f"dist/hatched-1.0-{CP313}.whl") as wheel:
        assert "hatched.cpython-313-x86_64-linux-gnu.so" in wheel.namelist()


def test_a_wrong_guess_of_a_module_refuses_no_wheel_and_is_told_with_the_line_to_write(good: Ran) -> None:
    audit = good.records["hatched"].after
    assert audit is not None

    (finding,) = (finding for finding in audit.findings if finding.rule.startswith("module"))
    assert finding.rule == "module-guess-missing"
    assert finding.message.startswith("hatched_fast was guessed and is not in the wheel")
    assert "audit: {modules: [hatched]}" in finding.message


def test_a_build_without_rust_sees_nothing_of_pyo3_and_nothing_of_this_machine(good: Ran) -> None:
    log = good.log("showing")

    assert "SEEN" in log
    assert "PYO3" not in log
    assert "VIRTUAL_ENV" not in log
    assert "FACTORY_STORE" not in log
