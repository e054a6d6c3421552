"""What the imports of a wheel cost beside those of an older release, which an index of this machine has."""

import pytest

from tests.docker.command import Command, Ran
from tests.docker.projects import C_MODULE, Project, make_c_project
from tests.makers.index import serve_index

pytestmark = [pytest.mark.engine, pytest.mark.index]

TABLE = "static volatile char table[1 << 25];\n"  # 32 MiB that only take address space
USE = "static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(table[42]); }\n"


def release(version: str, code: str) -> Project:
    made = make_c_project("costly", code=code)
    project = made.files["pyproject.toml"].replace('version = "1.0"', f'version = "{version}"')
    return Project("costly", {**made.files, "pyproject.toml": project})


def test_an_import_that_maps_more_than_that_of_the_older_release_is_named_and_an_equal_one_is_not(
    command: Command,
) -> None:
    own = next(line for line in C_MODULE.splitlines(keepends=True) if "answer(" in line)
    larger = C_MODULE.replace(own, TABLE + USE)
    with serve_index() as index:
        env = {"UV_EXTRA_INDEX_URL": f"{index.url}/simple/"}

        def built(version: str, code: str, **audit: object) -> Ran:
            ran = command.build(command.recipe(release(version, code), audit=audit), env=env)
            assert ran.code == 0, ran.stderr
            return ran

        first = built("0.9", C_MODULE)
        ((wheel, content),) = [(name, content) for name, content in command.dist.items() if name.endswith(".whl")]
        index.files[wheel] = content
        equal = built("1.0", C_MODULE, against={})
        worse = built("1.1", larger, against={})

    (cost,) = first.records["costly"].trials[0].costs
    assert (cost.module, cost.old_seconds) == ("costly", None)
    (cost,) = equal.records["costly"].trials[0].costs
    assert cost.old_mapped_bytes is not None
    assert not cost.is_larger
    (cost,) = worse.records["costly"].trials[0].costs
    assert cost.is_larger
    assert "importing costly" in worse.stderr
