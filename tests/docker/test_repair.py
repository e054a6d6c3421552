"""What a recipe tells auditwheel: libraries that stay out of the wheel, and symbols that are stripped."""

import io
import zipfile

import pytest

from factory.elf.read import parse
from tests.docker.command import CP313, Command, Ran
from tests.docker.projects import C_MODULE, Project, make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

LIBYAML = {"system": {"apt": ["libyaml-dev"]}}
LEFT_OUT = {"exclude": ["libyaml-*.so.*"]}
WAIVED = {"waive": [{"rule": "library-missing", "subject": "excluded.*", "reason": "the user's system has libyaml"}]}
UNIMPORTED = {"run": "python -c \"import importlib.util; assert importlib.util.find_spec('excluded')\""}

STUB = [
    "mkdir stub",
    "cc -shared -Wl,-soname,libpython3.13.so.1.0 -o stub/libpython3.13.so -x c /dev/null",
]


def make_yaml_project(name: str) -> Project:
    """A module that needs a system library."""
    code = C_MODULE.replace("PyLong_FromLong(42)", "PyLong_FromLong(yaml_get_version_string() ? 42 : 0)")
    return make_c_project(name, code=f"#include <yaml.h>\n{code}", extension="libraries=['yaml']")


def make_python_project(name: str) -> Project:
    """A module that needs an interpreter's library, which is a stub."""
    return make_c_project(name, extension="extra_link_args=['-Wl,--no-as-needed', 'stub/libpython3.13.so']")


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    symbols = {"env": {"CFLAGS": "-O2 -g"}}
    return workshop.build(
        workshop.recipe(make_yaml_project("excluded"), build=LIBYAML, repair=LEFT_OUT, audit=WAIVED, test=UNIMPORTED),
        workshop.recipe(make_yaml_project("unwaived"), build=LIBYAML, repair=LEFT_OUT),
        workshop.recipe(make_yaml_project("grafted"), build=LIBYAML),
        workshop.recipe(make_python_project("embedding"), build={"before": STUB}),
        workshop.recipe(make_c_project("stripped"), build=symbols, repair={"strip": True}),
        workshop.recipe(make_c_project("whole"), build=symbols),
    )


def module_of(command: Command, name: str) -> tuple[bytes, list[str]]:
    """Return a wheel's one module, and the names of all that the wheel holds."""
    with zipfile.ZipFile(io.BytesIO(command.dist[f"{name}-1.0-{CP313}.whl"])) as wheel:
        (module,) = [each for each in wheel.namelist() if each.startswith(f"{name}.c")]
        return wheel.read(module), wheel.namelist()


def test_no_raw_wheel_ever_lies_beside_the_output(ran: Ran) -> None:
    """A linux_* wheel, as builds leave it, is nothing that a glob over the output may find."""
    wheels = {path.name for path in ran.folder.rglob("*.whl")}

    assert len(wheels) == 4
    assert not [name for name in wheels if "-linux_" in name]


def test_a_library_that_is_left_out_is_missing_unless_a_waiver_says_who_has_it(ran: Ran) -> None:
    assert ran.records["unwaived"].status == "failed"
    assert ran.failure("unwaived").message.startswith("library-missing: needs libyaml-0.so.2")


def test_a_wheel_whose_missing_library_is_waived_goes_out_without_it(workshop: Command, ran: Ran) -> None:
    assert ran.records["excluded"].status == "passed", ran.stderr

    module, names = module_of(workshop, "excluded")

    assert "libyaml-0.so.2" in parse(module).needed
    assert not [name for name in names if "libyaml" in name]


def test_symbols_are_stripped_where_the_recipe_says_so_and_only_there(workshop: Command, ran: Ran) -> None:
    assert ran.records["stripped"].status == ran.records["whole"].status == "passed", ran.stderr

    (stripped, _), (whole, _) = module_of(workshop, "stripped"), module_of(workshop, "whole")

    assert b".debug_info" in whole
    assert b".debug_info" not in stripped
    assert b".symtab" not in stripped
    assert parse(stripped).exports == {"PyInit_stripped"}
    assert parse(whole).exports == {"PyInit_whole"}
    assert "debug-info: stripped" not in ran.stderr, "the wheel that goes out has none"
    assert "debug-info: whole" in ran.stderr


def test_a_libpython_that_auditwheel_would_strip_is_an_error_before_it_can(ran: Ran) -> None:
    record, failure = ran.records["embedding"], ran.failure("embedding")

    assert (record.status, failure.step) == ("failed", "audit of the built wheel")
    assert failure.message.startswith("libpython-linked: needs libpython3.13.so.1.0")
    assert record.repair is None


def test_what_auditwheel_did_is_listed(ran: Ran) -> None:
    record = ran.records["grafted"]
    assert record.repair is not None, ran.stderr

    (graft,) = record.repair.grafts
    (renamed,) = record.repair.renamed
    (searched,) = record.repair.searched

    assert graft.startswith("grafted.libs/libyaml-0-")
    assert (renamed.what, renamed.before, renamed.after) == ("needed", "libyaml-0.so.2", graft.partition("/")[2])
    assert (searched.member, searched.before, searched.after) == (renamed.member, (), ("$ORIGIN/grafted.libs",))
    assert record.repair.rewritten == (renamed.member,)
    assert [name.rpartition("/")[2] for name in record.repair.texts] == ["RECORD", "WHEEL", "auditwheel.cdx.json"]
    assert {tag.platform for tag in record.repair.raw_tags} == {"linux_x86_64"}
    assert f"repaired: {record.cell.address}: grafted {graft} for libyaml-0.so.2 of {renamed.member}" in ran.stderr


def test_a_wheel_from_which_only_symbols_were_stripped_lists_no_graft(ran: Ran) -> None:
    record = ran.records["stripped"]
    repair = record.repair

    assert f"repaired: {record.cell.address}: rewrote stripped.cpython-313-x86_64-linux-gnu.so" in ran.stderr
    assert repair is not None
    assert (repair.grafts, repair.renamed, repair.removed) == ((), (), ())
    assert [name.partition(".")[0] for name in repair.rewritten] == ["stripped"]


def test_what_needs_a_library_that_the_recipe_waives_is_tried_and_noted(ran: Ran) -> None:
    (trial,) = ran.records["excluded"].trials

    assert trial.outcome == "passed", ran.stderr
    assert len(trial.notes) == 2
    assert all("libyaml-0.so.2: cannot open shared object file" in note for note in trial.notes)
    assert all(note.endswith("; a finding on it is waived") for note in trial.notes)
