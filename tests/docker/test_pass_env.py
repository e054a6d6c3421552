"""Values of the caller's environment that a package tries to carry out, and the names that the caller allows."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory import codec
from factory.digest import Digest
from factory.store import Store
from tests.docker.command import Command, Ran
from tests.docker.projects import C_MODULE, SHOW, Project, make_c_project, pyproject
from tests.makers.index import make_wheel_bytes

pytestmark = [pytest.mark.engine, pytest.mark.index]

TOKEN = "pass-env-secret-4417"
BAKED = """\
import base64, codecs, os
token = os.environ["TOKEN"]
written = {
    "raw": token,
    "base64": base64.b64encode(b"u:" + token.encode()).decode(),
    "hex": token.encode().hex(),
    "coded": codecs.encode(token, "rot13"),
}
define_macros = [("TOKEN", '"%s"' % written["MODE"])]
"""
CODE = C_MODULE.replace("return PyModule_Create(&definition);", "return made();").replace(
    "PyMODINIT_FUNC",
    "static PyObject *made(void) { PyObject *m = PyModule_Create(&definition);"
    ' PyModule_AddStringConstant(m, "token", TOKEN); return m; }\nPyMODINIT_FUNC',
)
ASKS = """\
import os
from setuptools.build_meta import *

def get_requires_for_build_wheel(config_settings=None):
    return [os.environ["TOKEN"]]
"""


def make_baking_project(mode: str) -> Project:
    return make_c_project(mode, code=CODE, setup=BAKED.replace("MODE", mode), extension="define_macros=define_macros")


def make_asking_project() -> Project:
    own = {"backend.py": ASKS, "pyproject.toml": pyproject("asks", ["setuptools"], "backend", 'backend-path = ["."]')}
    return make_c_project("asks", files=own)


def recipes(command: Command) -> Iterator[Path]:
    asked = {"pass-env": ["TOKEN"]}
    for mode in ("raw", "base64", "hex"):
        yield command.recipe(make_baking_project(mode), build=asked)
    said = """import codecs, coded; print('trial:', codecs.decode(coded.token, 'rot13')); raise SystemExit(1)"""
    yield command.recipe(make_baking_project("coded"), build=asked, test={"run": f'python -c "{said}"'})
    yield command.recipe(make_c_project("fails", setup="import os\nraise SystemExit(os.environ['TOKEN'])"), build=asked)
    yield command.recipe(make_asking_project(), build=asked)
    yield command.recipe(make_c_project("plain", setup=SHOW), build=asked)


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    """Every recipe in one run, with everything that a run can write."""
    env = {"TOKEN": TOKEN, "GITHUB_STEP_SUMMARY": str(workshop.folder / "summary.md")}
    reports = ("--junit", "junit.xml", "--allow-env", "TOKEN", "-v")
    return workshop.build(*recipes(workshop), *reports, env=env)


@pytest.mark.parametrize("mode", ["raw", "base64", "hex"])
def test_a_wheel_that_holds_a_value_fails_its_cell_and_names_the_variable(ran: Ran, mode: str) -> None:
    failure = ran.failure(mode)

    assert failure.step == "build"
    assert failure.message.startswith(f"the wheel holds the value of TOKEN in {mode}.cpython-313-")
    assert "build.env" in failure.hint


def test_a_trial_that_prints_a_value_which_the_wheel_holds_in_a_code_of_its_own_shows_stars(ran: Ran) -> None:
    (trial,) = ran.records["coded"].trials

    assert trial.outcome == "failed"
    assert "trial: ***" in ran.log("coded", "test")


def test_a_requirement_that_would_carry_a_value_to_the_index_is_refused(ran: Ran) -> None:
    assert ran.failure("asks").message == "the backend asked for what holds the value of TOKEN"


def test_a_build_that_only_reads_its_variable_passes(ran: Ran) -> None:
    assert ran.records["plain"].passed, ran.stderr
    assert "('TOKEN', '***')" in ran.log("plain")


def test_no_value_is_on_the_board_in_a_report_or_in_the_runs_folder(ran: Ran, workshop: Command) -> None:
    assert ran.run is not None
    written = [path for path in workshop.folder.rglob("*") if path.is_file() and "-source" not in str(path)]
    texts = {str(path): path.read_bytes() for path in written}

    assert {"summary.md", "junit.xml", "run.json", "events.jsonl"} <= {path.name for path in written}
    assert [path for path, content in texts.items() if TOKEN.encode() in content] == []
    assert TOKEN not in ran.stdout + ran.stderr
    assert "***" in ran.stderr


def test_no_value_stays_in_the_store(ran: Ran, workshop: Command) -> None:
    assert ran.code == 1
    assert [path for path in workshop.store.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()] == []


def test_a_wheel_that_the_store_remembers_is_searched_before_it_is_used(ran: Ran, workshop: Command) -> None:
    """The store stands for an older one: what is remembered there was never searched."""
    allowed = {"TOKEN": TOKEN, "FACTORY_PASS_ENV": "OTHER, TOKEN"}
    good = workshop.build("plain.yaml", "-o", "again", env=allowed)
    remembered = [path for path in (workshop.store / "ledger/build").iterdir() if '"plain-1.0-' in path.read_text()]
    path = max(remembered, key=lambda path: path.stat().st_mtime_ns)  # other tests may have built a `plain`, too
    entry = json.loads(path.read_text())
    with Store.open(workshop.store) as store:
        leaking = store.put_bytes(make_wheel_bytes("plain", "1.0", TOKEN), entry["result"]["filename"])
        result, key = codec.dump(leaking), Digest(path.stem)
        store.ledger_put("build", key, entry["document"], result, [leaking.digest])

    bad = workshop.build("plain.yaml", "-o", "again", env=allowed)

    assert (ran.records["plain"].passed, good.code, good.containers) == (True, 0, 0), good.stderr
    assert bad.failure("plain").message == "the wheel holds the value of TOKEN in plain-1.0.dist-info/WHEEL"
    assert (bad.code, bad.containers) == (1, 0)


def test_a_name_that_is_not_allowed_is_refused_before_any_work_with_the_line_to_type(alone: Command) -> None:
    recipe = alone.recipe(make_c_project("plain"), build={"pass-env": ["TOKEN", "KEY"]})

    built = alone.build(recipe, "--allow-env", "KEY", env={"TOKEN": TOKEN, "KEY": "value"})
    planned = alone("plan", recipe)

    assert (built.code, planned.code) == (3, 3)
    assert "build.pass-env asks for environment variables that are not allowed: TOKEN" in built.stderr
    assert f"factory build {recipe} --allow-env KEY --allow-env TOKEN" in built.stderr.replace("\n", " ")
    assert "FACTORY_PASS_ENV=KEY,TOKEN" in built.stderr
    assert f"factory plan {recipe} --allow-env KEY --allow-env TOKEN" in planned.stderr.replace("\n", " ")
    assert not alone.dist
    assert TOKEN not in built.stderr
