"""Recipes that need nearly every field at once, built to the end; and the same without one field each, which fail."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from tests.docker.command import PLATFORM, Command, Ran
from tests.docker.fields import without
from tests.docker.projects import pyproject
from tests.makers.index import serve_index
from tests.native.repositories import commit, git, make_repository

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

SECRET = "the-callers-own-token"
CALLER = {"TOKEN": SECRET, "FACTORY_PASS_ENV": "TOKEN"}
DIGEST = sha256(SECRET.encode()).hexdigest()

SETUP = """\
import hashlib, os, setuptools
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

token = os.environ["TOKEN"]
print("the token is", token)
facts = {
    "TOKEN": hashlib.sha256(token.encode()).hexdigest(),
    "FLAVOUR": os.environ["FLAVOUR"],
    "SETUPTOOLS": setuptools.__version__,
}

class Floored(build_ext):
    def finalize_options(self):
        floor = self.get_finalized_command("bdist_wheel").py_limited_api
        for extension in self.distribution.ext_modules if floor else ():
            extension.py_limited_api = True
            extension.define_macros.append(("Py_LIMITED_API", "0x03%02x0000" % int(floor[3:])))
        super().finalize_options()

macros = [(name, '"%s"' % value) for name, value in facts.items()]
setup(ext_modules=[Extension("mended", ["mended.c"], define_macros=macros)], cmdclass={"build_ext": Floored})
"""
CODE = """\
#include <Python.h>
#include "made.h"
static int fill(PyObject *module) {
    return PyModule_AddIntConstant(module, "answer", ANSWER) || PyModule_AddIntConstant(module, "made", MADE)
        || PyModule_AddStringConstant(module, "token", TOKEN)
        || PyModule_AddStringConstant(module, "flavour", FLAVOUR)
        || PyModule_AddStringConstant(module, "setuptools", SETUPTOOLS) ? -1 : 0;
}
static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "mended", .m_slots = slots};
PyMODINIT_FUNC PyInit_mended(void) { return PyModuleDef_Init(&definition); }
"""
WRONG, RIGHT = "#define ANSWER 41\n", "#define ANSWER 42\n"
PATCH = """\
--- a/c/answer.h
+++ b/c/answer.h
@@ -1,2 +1,2 @@
-#define ANSWER 41
+#define ANSWER 42
 /* That was it. */
"""
BEFORE_ALL = """\
mkdir -p /opt/maker
cat >/opt/maker/make-header <<'END'
#!/bin/sh
cat answer.h
echo "#define MADE 7"
END
chmod 755 /opt/maker/make-header
"""


def asks(flavour: str) -> dict[str, str]:
    """Return a trial that holds every fact of the module against what the recipe asked for."""
    facts = "m.answer, m.made, m.token, m.flavour, m.setuptools.split('.')[0]"
    wanted = f"42, 7, '{DIGEST}', '{flavour}', '79'"
    return {"run": f'python -c "import mended as m; assert ({facts}) == ({wanted}), ({facts})"'}


FIELDS: dict[str, object] = {
    "factory": 1,
    "interpreters": ["cp313"],
    "platforms": [PLATFORM],
    "abi3": ["cp39", "cp313"],
    "build": {
        "floor": {"option": "--py-limited-api={floor}"},
        "before-all": BEFORE_ALL,
        "path": ["/opt/maker"],
        "before": "make-header >made.h",
        "env": {"FLAVOUR": "plain"},
        "pass-env": ["TOKEN"],
        "constraints": ["setuptools<80"],
    },
    "test": asks("plain"),
    "overrides": [
        {"select": "cp313-abi3-*", "build": {"env": {"FLAVOUR": "newer"}}},
        {"select": "cp313-abi3-*", "test": asks("newer")},
    ],
}
WITHOUT = {
    "source.rev": "that is another answer",
    "source.patches": "AssertionError: (41, ",
    "build.before-all": "make-header: not found",
    "build.path": "make-header: not found",
    "build.before": "made.h: No such file or directory",
    "build.pass-env": "KeyError: 'TOKEN'",
    "build.constraints": "AssertionError: (42, ",
    "overrides.0": "'plain'",
}
"""What is said of the recipe without a field; without `rev`'s tag, the branch that has gone on is built."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """A project below a folder of a repository: a tag, and a branch that has gone on; and as an archive."""

    repository: Path
    archive: bytes


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    root = tmp_path_factory.mktemp("git") / "mended"
    (root / "c").mkdir(parents=True)
    files = {
        "c/pyproject.toml": pyproject("mended", ["setuptools"], "setuptools.build_meta"),
        "c/setup.py": SETUP,
        "c/mended.c": CODE,
        "c/answer.h": f"{WRONG}/* That was it. */\n",
    }
    make_repository(root, files)
    git(root, "tag", "v1.0")
    commit(root, {"c/answer.h": f"{RIGHT}/* This is it. */\n"})
    git(root, "archive", "--prefix=mended-1.1/", "--output=../mended.tar.gz", "HEAD")
    commit(root, {"c/mended.c": "#error that is another answer\n"})
    return Sources(repository=root, archive=(root.parent / "mended.tar.gz").read_bytes())


def from_git(command: Command, sources: Sources) -> dict[str, object]:
    """Return the source as a recipe names it, its patch beside the recipe."""
    (command.folder / "mend.patch").write_text(PATCH)
    url = f"file://{sources.repository}"
    return {"git": url, "rev": "v1.0", "subdir": "c", "patches": ["mend.patch"]}


def inside(command: Command, sources: Sources) -> tuple[str, str]:
    """Return the flag that lets recipes in the command's folder read the repository."""
    return "--root", os.path.commonpath((command.folder, sources.repository))


def write(command: Command, name: str, fields: dict[str, object]) -> Path:
    path = command.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"name": name, **fields}, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(workshop: Command, sources: Sources) -> Ran:
    every = {"interpreters": ["cp39", "cp313", "cp313t"], "source": from_git(workshop, sources)}
    recipe = write(workshop, "mended", {**FIELDS, **every})
    return workshop.build(recipe, *inside(workshop, sources), env=CALLER)


@pytest.fixture(scope="module")
def lacking(workshop: Command, sources: Sources) -> Ran:
    """One run of as many recipes as there are fields to leave out."""
    recipes = write_lacking(workshop, sources)
    return workshop.build(*recipes, "-o", "lacking", *inside(workshop, sources), env=CALLER)


def write_lacking(command: Command, sources: Sources) -> Iterator[Path]:
    source = from_git(command, sources)
    for path in WITHOUT:
        fields = {**FIELDS, "abi3": ["cp313"], "source": source}
        if path == "source.rev":
            left = {**fields, "source": {**source, "rev": "main", "patches": []}}
        else:
            left = without(fields, path)
        yield write(command, path.replace(".", "-"), left)


def test_a_commit_is_patched_prepared_and_built_for_every_floor(workshop: Command, whole: Ran) -> None:
    assert whole.code == 0, whole.stderr
    assert workshop.wheels == {
        f"mended-1.0-cp39-abi3-{PLATFORM}.whl",
        f"mended-1.0-cp313-abi3-{PLATFORM}.whl",
        f"mended-1.0-cp313-cp313t-{PLATFORM}.whl",
    }
    assert {address: len(record.trials) for address, record in whole.records.items()} == {
        "mended": 1,
        f"mended/cp39-abi3-{PLATFORM}": 2,
        f"mended/cp313-abi3-{PLATFORM}": 1,
        f"mended/cp313-cp313t-{PLATFORM}": 1,
    }


def test_the_callers_variable_is_in_no_log(whole: Ran) -> None:
    assert whole.run is not None
    logs = [path.read_text() for path in (whole.folder / whole.run.folder / "logs").rglob("*.log")]

    assert any("the token is ***" in log for log in logs)
    assert not [log for log in logs if SECRET in log]
    assert SECRET not in whole.stderr


@pytest.mark.parametrize("path", WITHOUT)
def test_without_the_field_it_fails(lacking: Ran, path: str) -> None:
    record = lacking.records[path.replace(".", "-")]

    assert not record.passed, lacking.stderr
    assert WITHOUT[path] in lacking.failure(path.replace(".", "-")).message


def test_an_archive_is_built_by_its_url_and_digest(workshop: Command, sources: Sources) -> None:
    with serve_index() as index:
        index.files["mended.tar.gz"] = sources.archive
        digest = sha256(sources.archive).hexdigest()
        source = {"url": f"{index.url}/files/mended.tar.gz", "sha256": digest, "subdir": "c"}
        recipe = write(workshop, "archived", {**FIELDS, "source": source})

        ran = workshop.build(recipe, "-o", "archived", env=CALLER)
        asked = list(index.asked)
        again = workshop.build(recipe, "-o", "archived", env=CALLER)

    assert ran.code == 0, ran.stderr
    assert set(ran.statuses.values()) == {"passed"}
    assert (again.code, again.containers, index.asked) == (0, 0, asked)
    assert asked == ["mended.tar.gz"]
