"""`factory compare`, typed as a user types it."""

import json
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.comparison.counterpart import counterpart
from factory.host import read_host
from factory.source.offered import fetch_offered, offered_releases
from factory.web.session import open_session
from tests.cli.program import Program
from tests.makers.index import Index, serve_index
from tests.makers.wheels import make_wheel

HOST = read_host()
INDEX = {"UV_DEFAULT_INDEX": HOST.index_url} if HOST.index_url else {}
NEW = "demo-1.1-cp313-cp313-manylinux_2_28_x86_64.whl"
OLD = "demo-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"
OLDER = "demo-0.9-cp313-cp313-manylinux_2_17_x86_64.whl"


@pytest.fixture
def factory(tmp_path: Path) -> Program:
    return Program(folder=tmp_path)


def fetch(name: str, version: str, folder: Path, platform: str) -> None:
    """Download a published wheel for CPython 3.13."""
    folder.mkdir(exist_ok=True)
    with open_session(HOST) as session:
        files = offered_releases(canonicalize_name(name), HOST, session)[Version(version)]
        wheels = {file.listed.filename: file.listed for file in files}
        chosen = counterpart(f"{name}-{version}-cp313-cp313-{platform}.whl", wheels)
        assert chosen is not None
        fetch_offered(wheels[chosen], folder, session)


def offer(index: Index, folder: Path, filename: str, *files: str) -> None:
    """List a wheel that holds these files."""
    folder.mkdir(exist_ok=True)
    index.files[filename] = make_wheel(folder, dict.fromkeys(files, b""), filename=filename).read_bytes()


def test_the_newest_older_release_is_fetched_and_what_is_lost_is_said(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, {"demo.py": b""}, filename=NEW)
    with serve_index() as index:
        offer(index, tmp_path / "old", OLDER, "demo.py")
        offer(index, tmp_path / "old", OLD, "demo.py", "demo.pyi", "demo.csv")
        offer(index, tmp_path / "old", OLD.replace("313", "312"), "demo.py")
        offer(index, tmp_path / "old", NEW.replace("1.1", "2.0"), "demo.py")
        url = f"{index.url}/simple/"
        done = factory("compare", NEW, UV_DEFAULT_INDEX=url)
        asked = list(index.asked)
        strict = factory("compare", NEW, "--strict", UV_DEFAULT_INDEX=url)

    name, against, *lines = done.stdout.splitlines()
    assert (done.code, strict.code) == (0, 1)
    assert name == NEW
    assert against.startswith(f"  against {OLD}: ")
    assert lines == [
        "  lost: 1 stub: demo",
        "  lost: 1 data file: demo.csv",
        "  narrowed: the oldest platform from manylinux_2_17_x86_64 to manylinux_2_28_x86_64",
        "demo 1.1: no wheel any more on x86_64, glibc 2.28 to 2.41, for 3.12",
    ]
    assert [name for name in asked if name.endswith(".whl")] == [OLD]


def test_the_same_release_as_it_is_published_and_a_version_can_be_named(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, {"demo.py": b""}, filename=NEW)
    with serve_index() as index:
        offer(index, tmp_path / "old", NEW, "demo.py")
        offer(index, tmp_path / "old", OLDER, "gone.py")
        url = f"{index.url}/simple/"
        same = factory("compare", ".", "--with", "same", "--strict", UV_DEFAULT_INDEX=url)
        older = factory("compare", ".", "--with", "0.9", "--json", UV_DEFAULT_INDEX=url)
        unknown = factory("compare", ".", "--with", "3", UV_DEFAULT_INDEX=url)

    assert (same.code, "nothing that is compared differs" in same.stdout) == (0, True)
    (release,) = json.loads(older.stdout)["releases"]
    assert release["comparisons"][0]["differences"][0] == {
        "change": "lost",
        "message": "1 module",
        "subjects": ["gone"],
    }
    assert (unknown.code, "no configured index has demo 3" in unknown.stderr) == (3, True)


def test_wheels_here_are_compared_without_an_index(factory: Program, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    make_wheel(tmp_path / "old", {"demo.py": b"", "demo.pyi": b""}, filename=OLD)
    make_wheel(tmp_path, {"demo.py": b""}, filename=NEW)

    done = factory("compare", NEW, "--with", "old", UV_DEFAULT_INDEX="http://127.0.0.1:1/")

    assert "lost: 1 stub: demo" in done.stdout


def test_a_project_without_an_older_release_has_nothing_to_compare_with(factory: Program, tmp_path: Path) -> None:
    make_wheel(tmp_path, {"demo.py": b""}, filename=NEW)
    with serve_index() as index:
        offer(index, tmp_path / "new", NEW, "demo.py")
        done = factory("compare", NEW, "--strict", UV_DEFAULT_INDEX=f"{index.url}/simple/")

    assert (done.code, done.stdout) == (0, f"{NEW}: nothing to compare with\n")


def test_wheels_of_another_project_are_nothing_to_compare_with_and_strict_says_so_by_its_code(
    factory: Program, tmp_path: Path
) -> None:
    make_wheel(tmp_path, {"demo.py": b""}, filename=NEW)
    make_wheel(tmp_path, {"other.py": b""}, filename="other-1.0-py3-none-any.whl")

    done = [factory("compare", NEW, "--with", "other-1.0-py3-none-any.whl", *strict) for strict in ([], ["--strict"])]

    assert [each.code for each in done] == [0, 1]
    assert {each.stdout for each in done} == {f"{NEW}: nothing to compare with\n"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([OLD, "--with", "broken-1.0-py3-none-any.whl"], f"{OLD} cannot be read whole"),
        (["gone.whl"], "no wheel is at gone.whl"),
        (["demo.whl"], "demo.whl is not a wheel: its name does not end in python-abi-platform"),
        ([NEW, "--with", "gone/"], "--with gone/ is neither wheels here nor a version"),
        ([NEW, "--with", "broken-1.0-py3-none-any.whl"], "nothing to compare with"),
        ([NEW, "--with", OLD], f"{OLD} cannot be read whole"),
    ],
)
def test_what_cannot_be_compared_is_said(factory: Program, tmp_path: Path, arguments: list[str], message: str) -> None:
    make_wheel(tmp_path, {"demo.py": b""}, filename=NEW)
    make_wheel(tmp_path, {"broken.py": b""}, filename="broken-1.0-py3-none-any.whl")
    (tmp_path / "demo.whl").write_bytes(b"")
    (tmp_path / OLD).write_bytes(b"no zip")

    done = factory("compare", *arguments)

    assert message in done.stdout + done.stderr


@pytest.mark.index
@pytest.mark.slow
def test_mlx_0_32_0_lost_its_stubs_and_tokenizers_0_23_3_moved_them(factory: Program, tmp_path: Path) -> None:
    """Real wheels: what the tests of `factory.comparison` make small."""
    folder = tmp_path / "new"
    fetch("mlx", "0.32.0", folder, "manylinux_2_35_x86_64")
    fetch("tokenizers", "0.23.3", folder, "manylinux_2_17_x86_64")

    mlx, tokenizers = (factory("compare", wheel, **INDEX).stdout for wheel in sorted(folder.iterdir()))

    assert (
        "lost: 8 stubs, though py.typed promises types: mlx.core, mlx.core.cuda, mlx.core.distributed, mlx.core.fast"
        in mlx
    )
    assert "against tokenizers-0.23.2-" in tokenizers
    assert "nothing that is compared differs" in tokenizers
