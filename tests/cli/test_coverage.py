"""`factory coverage`, typed as a user types it."""

import json
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.makers.index import serve_index
from tests.makers.wheels import make_wheel

LISTING = Path(__file__).parents[1] / "data" / "listings" / "markupsafe-3.0.3.txt"
WHEEL = "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
METADATA = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.12\n"


@pytest.fixture
def factory(tmp_path: Path) -> Program:
    return Program(folder=tmp_path)


def test_a_list_of_file_names_gives_a_table_with_the_sdist_where_no_wheel_fits(factory: Program) -> None:
    done = factory("coverage", str(LISTING))

    assert (done.code, done.stderr) == (0, "")
    first, head, row, *_, last = done.stdout.splitlines()
    assert first == "markupsafe 3.0.3"
    assert head.split()[:4] == ["machine", "libc", "3.9", "3.10"]
    assert row.split()[5:] == [
        *("cp39", "cp310", "cp311", "cp312", "cp313", "cp314", "sdist", "cp313t", "cp314t", "sdist"),
        "manylinux_2_17",
    ]
    assert last == "of 240 environments 184 get a wheel, 56 get the sdist"


def test_the_requires_python_of_wheels_is_read_from_their_metadata(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, filename=WHEEL, metadata=METADATA)

    (release,) = json.loads(factory("coverage", ".", "--machine", "x86_64", "--json").stdout)["releases"]

    assert {taken["interpreter"] for taken in release["taken"] if taken["kind"] == "excluded"} == {
        *("cp39", "cp310", "cp311")
    }
    assert {taken["filename"] for taken in release["taken"] if taken["kind"] == "wheel"} == {WHEEL}


def test_a_release_of_the_index_is_looked_up(factory: Program) -> None:
    with serve_index() as index:
        index.add("demo", "1.0")
        index.add("demo", "2.0")
        index.requires_python[index.add("demo", "1.5")] = ">=3.14"
        url = f"{index.url}/simple/"
        newest = factory("coverage", "demo", UV_DEFAULT_INDEX=url)
        named = factory("coverage", "demo==1.5", UV_DEFAULT_INDEX=url)
        missing = factory("coverage", "demo==3", UV_DEFAULT_INDEX=url)

    assert newest.stdout.startswith("demo 2.0\n")
    assert named.stdout.endswith("of 160 environments 64 get a wheel, 96 are excluded by Requires-Python\n")
    assert (missing.code, "no configured index has demo 3" in missing.stderr) == (3, True)


def test_a_card_is_written_for_one_release_and_refused_for_two(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, filename=WHEEL)

    good = factory("coverage", WHEEL, "--svg", "card.svg")
    bad = factory("coverage", WHEEL, str(LISTING), "--svg", "card.svg")

    assert good.code == 0
    assert (tmp_path / "card.svg").read_text().startswith("<svg ")
    assert (bad.code, "--svg shows one release, and these are 2: demo 1.0, markupsafe 3.0.3" in bad.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.whl"], "there is no file gone.whl"),
        (["empty"], "no wheel or sdist is in empty"),
        (["list.txt"], "the name of a file cannot be read"),
        (["broken-1.0-py3-none-any.whl"], "has no METADATA that can be read"),
        ([str(LISTING), "--machine", "vax"], "'vax' is not a machine of wheel tags"),
        ([str(LISTING), "--json", "--markdown"], "--json and --markdown cannot be combined"),
    ],
)
def test_what_cannot_be_read_is_said_with_a_way_out(
    factory: Program, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("# files\n\nsetup.exe\n")
    make_wheel(tmp_path, filename="broken-1.0-py3-none-any.whl", metadata=None)

    done = factory("coverage", *arguments)

    assert done.code in (2, 3)
    assert message in done.stderr
    assert "hint: " in done.stderr
