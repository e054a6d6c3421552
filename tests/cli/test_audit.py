"""`factory audit` and `factory explain`, typed as a user types them."""

import json
import sys
import zipfile
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from tests.cli.program import Program
from tests.makers.objects import make_module
from tests.makers.wheels import MODULE, NAME, make_wheel

SARIF = Path(__file__).parents[1] / "data" / "sarif-schema-2.1.0.json"
OTHER = NAME.replace("demo-", "other-")
BAD = {MODULE: make_module(needed=["libpython3.11.so.1.0"], relro=False)}
WARNED = {MODULE: make_module(relro=False)}


@pytest.fixture
def factory(tmp_path: Path) -> Program:
    return Program(folder=tmp_path)


_PEAK = """\
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.thorough
def test_memory_holds_the_largest_member_once_and_little_else(factory: Program, tmp_path: Path) -> None:
    content = make_module() + bytes(150 << 20)

    def store(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_STORED

    make_wheel(tmp_path, {MODULE: content}, shape={MODULE: store})

    done = factory.shell(sys.executable, "-c", _PEAK, str(factory.program), "audit", NAME)

    assert int(done.stdout) * 1024 <= len(content) + (100 << 20)


def test_a_good_wheel_passes_in_one_line(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path)

    done = factory("audit", NAME)

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == f"{NAME}: passed, deserves manylinux_2_5_x86_64\n"


def test_a_refused_wheel_says_rule_file_promise_and_way_out(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, BAD)

    done = factory("audit", NAME)

    assert done.code == 1
    head, error, mend, *_ = done.stdout.splitlines()
    assert head == f"{NAME}: refused"
    assert error.startswith(f"  error libpython-linked: {MODULE}: needs libpython3.11.so.1.0; ")
    assert mend.startswith("    fix: ")


def test_several_wheels_are_told_of_in_the_order_in_which_they_were_named(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, filename=OTHER)
    make_wheel(tmp_path, BAD)

    done = factory("audit", OTHER, NAME, OTHER)

    assert done.code == 1
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if not line.startswith(" ")] == [
        OTHER,
        NAME,
        OTHER,
    ]


def test_one_that_cannot_be_opened_ends_with_its_name(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path)

    done = factory("audit", NAME, "none.whl")

    assert done.code == 2
    assert done.stderr == (
        "factory: cannot read none.whl: No such file or directory\n  hint: name wheel files, such as dist/*.whl\n"
    )


def test_strict_refuses_for_a_warning(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, WARNED)

    assert factory("audit", NAME).code == 0
    done = factory("audit", "--strict", NAME)

    assert done.code == 1
    assert done.stdout.startswith(f"{NAME}: refused")


def test_select_and_ignore_choose_rules(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, BAD)

    assert factory("audit", "--ignore", "libpython-linked", NAME).code == 0
    selected = factory("audit", "--select", "libpython-linked", NAME)

    assert selected.code == 1
    assert "relro-missing" not in selected.stdout


@pytest.mark.parametrize("arguments", [["audit", "--ignore", "libpython-linkd", NAME], ["explain", "libpython-linkd"]])
def test_a_misspelt_rule_is_named_with_the_nearest(factory: Program, arguments: list[str], tmp_path: Path) -> None:
    make_wheel(tmp_path)

    done = factory(*arguments)

    assert done.code == 2
    assert done.stderr == (
        "factory: 'libpython-linkd' is not a rule of the gate\n  hint: did you mean libpython-linked?\n"
    )


def test_sarif_is_what_its_schema_says(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, BAD)
    make_wheel(tmp_path, filename=OTHER)

    done = factory("audit", "--sarif", NAME, OTHER)

    document = json.loads(done.stdout)
    Draft4Validator(json.loads(SARIF.read_text(encoding="utf-8"))).validate(document)
    (run,) = document["runs"]
    results = [(result["ruleId"], result["level"]) for result in run["results"]]
    assert ("libpython-linked", "error") in results
    assert ("relro-missing", "warning") in results
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_json_lists_every_finding_and_whether_the_wheel_passed(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, BAD)

    document = json.loads(factory("audit", "--json", "--strict", NAME).stdout)

    (audited,) = document["audits"]
    assert (audited["wheel"], audited["passed"]) == (NAME, False)
    assert {finding["rule"] for finding in audited["audit"]["findings"]} == {"libpython-linked", "relro-missing"}


def test_the_same_wheel_gives_the_same_bytes(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, BAD)

    said = {factory("audit", "--json", NAME, PYTHONHASHSEED=str(seed)).stdout for seed in range(2)}

    assert len(said) == 1


def test_a_rule_is_explained_with_its_source(factory: Program) -> None:
    done = factory("explain", "libpython-linked")

    assert done.code == 0
    assert done.stdout.startswith("libpython-linked (error): an object of the wheel needs an interpreter's library\n")
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if line[:1].islower()][1:] == [
        "why",
        "fix",
        "source",
    ]


def test_without_a_rule_all_are_listed(factory: Program) -> None:
    done = factory("explain")

    assert done.code == 0
    assert done.stdout.splitlines()[0].split()[:2] == ["abi3-suffix", "error"]
