"""Sdists that mean harm, through the whole program: refused in a sentence before any work, and gone without a trace."""

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.docker.command import CP313, Command, left_behind
from tests.docker.projects import make_c_project
from tests.makers.index import Index, serve_index
from tests.makers.sources import make_sdist, member

pytestmark = [pytest.mark.engine, pytest.mark.index]

SHELL = "$(touch ran); `touch ran` & | < > * ? ' \" \\ -rf"


@pytest.fixture
def index() -> Iterator[Index]:
    with serve_index() as served:
        yield served


def write(index: Index, folder: Path, name: str, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    """List a sdist of exactly these members."""
    index.files[f"{name}-1.0.tar.gz"] = make_sdist(folder, members, f"{name}-1.0.tar.gz").read_bytes()


def from_index(index: Index) -> dict[str, str]:
    return {"UV_EXTRA_INDEX_URL": f"{index.url}/simple/"}


def write_hostile(index: Index, folder: Path) -> dict[str, str]:
    """Write sdists; return what each is told."""
    write(index, folder, "climbing", member("climbing-1.0/../../../../tmp/ran"))
    write(index, folder, "linked", member("linked-1.0/a", type=tarfile.SYMTYPE, linkname="/etc/passwd"))
    write(index, folder, "device", member("device-1.0/null", type=tarfile.CHRTYPE))
    write(index, folder, "twolines", member("twolines-1.0/a\nfactory: passed"))
    return {
        "climbing": "climbing-1.0.tar.gz holds a member named 'climbing-1.0/../../../../tmp/ran', which leads out of",
        "linked": "linked-1.0.tar.gz: the link linked-1.0/a points to '/etc/passwd', outside of the tree",
        "device": "device-1.0.tar.gz: device-1.0/null is a device, a pipe or a sparse file",
        "twolines": r"twolines-1.0.tar.gz holds a member named 'twolines-1.0/a\nfactory: passed', which contains",
    }


def test_a_hostile_sdist_is_refused_in_a_sentence_and_leaves_nothing(
    alone: Command, index: Index, tmp_path: Path, daemon: docker.DockerClient
) -> None:
    told = write_hostile(index, tmp_path)
    recipes = [alone.recipe(f"{name}==1.0") for name in told]

    ran = alone.build(*recipes, "--keep-going", env=from_index(index))

    assert (ran.code, ran.containers) == (3, 0), ran.stderr
    assert ran.run is not None
    messages = {failed.recipe: failed.message for failed in ran.run.failed_recipes}
    assert {name: messages[name].partition(": ")[2][: len(says)] for name, says in told.items()} == told
    assert alone.wheels == set()
    assert [path for path in (alone.store / "temp").rglob("*") if path.is_file()] == []
    assert left_behind(daemon, alone.owner) == set()


def test_names_that_a_shell_would_obey_go_through_a_build_as_names(
    command: Command, index: Index, tmp_path: Path
) -> None:
    project = make_c_project("named")
    files = [member(f"named-1.0/{path}", text.encode()) for path, text in project.files.items()]
    write(index, tmp_path, "named", *files, member(f"named-1.0/{SHELL}", b"content"))
    look = f"test -f {{source}}/{_quoted(SHELL)} && test ! -e {{source}}/ran && test ! -e ran"

    recipe = command.recipe("named==1.0", build={"before": "test ! -e ran"}, test={"run": look})
    ran = command.build(recipe, "-o", "named", env=from_index(index))

    assert ran.code == 0, ran.stderr
    assert ran.statuses == {CP313: "passed"}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("million", "million-1.0.tar.gz holds more than 200000 files"),
        ("bomb", "bomb-1.0.tar.gz unpacks to more than"),
    ],
)
def test_what_would_fill_the_disk_or_take_for_ever_is_refused(
    alone: Command, index: Index, name: str, says: str
) -> None:
    index.files[f"{name}-1.0.tar.gz"] = million() if name == "million" else bomb()

    ran = alone.build(alone.recipe(f"{name}==1.0"), env=from_index(index))

    assert ran.code == 3, ran.stderr
    assert says in ran.stderr
    assert [path for path in (alone.store / "temp").rglob("*") if path.is_file()] == []


def million() -> bytes:
    """Make an archive of a million members."""
    header = tarfile.TarInfo("million-1.0/a").tobuf()
    return gzip.compress(header * 1_000_000 + bytes(1024), 1)


def bomb() -> bytes:
    """Make an archive whose one member holds three gigabytes of nothing: a few megabytes."""
    info = tarfile.TarInfo("bomb-1.0/zeros")
    info.size = 3 << 30
    block = gzip.compress(bytes(64 << 20))
    return gzip.compress(info.tobuf()) + block * (info.size // (64 << 20)) + gzip.compress(bytes(1024))
