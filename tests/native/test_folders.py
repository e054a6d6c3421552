"""Another user of this machine, who plants folders and links where the factory writes."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from time import sleep

import pytest

from factory.errors import FactoryError, OutputError, StoreError
from factory.events.model import CellEnded, Planned, Progress
from factory.events.recorder import Recorder
from factory.folders import Folder, Refusal
from factory.host import read_host
from factory.release import release
from factory.store import Store
from factory.store.locks import shared_lock
from tests.makers.runs import make_artifact, make_plan, make_record, make_run

NOBODY = 65534
REFUSAL = Refusal(error=OutputError, elsewhere="run elsewhere")
KEPT = b"root's own\n"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder: one that belongs to nobody, who may rename whatever lies there."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name) / "shared"
        folder.mkdir()
        os.chown(folder, NOBODY, NOBODY)
        Path(name).chmod(0o755)
        monkeypatch.chdir(folder)
        yield folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of root's, in which files have the names that the factory writes."""
    folder = tmp_path / "outside"
    for name in ("events.jsonl", "logs/spam/01-build.log", "kept/spam/made", "runs/r1/events.jsonl", "format"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(KEPT)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def forked_as_nobody(work: Callable[[], None]) -> int:
    """Do something as the other user, in a process of its own."""
    if child := os.fork():
        return child
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        work()
    finally:
        os._exit(0)


def as_nobody(work: Callable[[], None]) -> None:
    os.waitpid(forked_as_nobody(work), 0)


@contextmanager
def swapped(name: str, outside: Path) -> Iterator[None]:
    """Have another user rename a folder and lay a link in its place, over and over; once before the block."""
    reading, writing = os.pipe()

    def swap() -> None:
        while True:
            with suppress(OSError):
                Path(name).rename("moved")
                Path(name).symlink_to(outside)
                os.write(writing, b".")
                sleep(0.002)
                Path(name).unlink()
                Path("moved").rename(name)
                sleep(0.002)

    child = forked_as_nobody(swap)
    os.read(reading, 1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("planted", [".factory", ".factory/runs"])
def test_evidence_is_not_written_into_a_folder_of_another_users(shared: Path, planted: str) -> None:
    if planted != ".factory":
        (shared / ".factory").mkdir(mode=0o700)
        (shared / planted).mkdir(mode=0o700)
        os.chown(shared / planted, NOBODY, NOBODY)
    else:
        as_nobody(lambda: (shared / planted).mkdir(mode=0o755))

    with pytest.raises(OutputError, match=f"^{planted} belongs to the user with uid {NOBODY}; .* uid 0$") as caught:
        Recorder(Path(".factory/runs/r1"), lambda _: None)

    assert f"chown -hR 0 {planted}" in caught.value.hint
    assert not list((shared / planted).iterdir())


def test_a_link_that_another_user_laid_is_not_followed(shared: Path, outside: Path) -> None:
    as_nobody(lambda: (shared / ".factory").symlink_to(outside))
    before = contents(outside)

    with pytest.raises(OutputError, match="belongs to the user"):
        Recorder(Path(".factory/runs/r1"), lambda _: None)

    assert contents(outside) == before


def test_a_link_of_ones_own_is_followed(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o700)
    (shared / ".factory").symlink_to(tmp_path / "disk")

    with Recorder(Path(".factory/runs/r1"), lambda _: None):
        pass

    assert (tmp_path / "disk/runs/r1/events.jsonl").exists()


def test_whoever_swaps_the_folder_of_evidence_leads_nothing_elsewhere(shared: Path, outside: Path) -> None:
    before = contents(outside)

    with Recorder(Path(".factory/runs/r1"), lambda _: None) as recorder, swapped(".factory", outside):
        for number in range(300):
            recorder.emit(Progress(subject="spam", text=str(number)))
            recorder.log("spam", "build", "the package's own words")
            recorder.write(Path("kept/spam/made"), [b"the package's own bytes"])

    assert contents(outside) == before
    assert len(list(shared.rglob("*-build.log"))) == 300


def test_a_file_is_never_written_through_a_link_that_lies_there(shared: Path, outside: Path) -> None:
    before = contents(outside)

    with Folder.open(shared.parent / "ours", REFUSAL) as folder:
        (folder.path / "log").symlink_to(outside / "format")
        folder.write(Path("log"), [b"new"])

    assert (shared.parent / "ours/log").read_bytes() == b"new"
    assert contents(outside) == before


@pytest.mark.parametrize("path", [Path("/etc/a"), Path("../a"), Path("a/../../b"), Path()])
def test_only_what_lies_below_a_folder_is_written(shared: Path, path: Path) -> None:
    with Folder.open(shared.parent / "ours", REFUSAL) as folder, pytest.raises(ValueError, match="below a folder"):
        folder.write(path, [b""])


def test_a_closed_folder_writes_nothing(shared: Path) -> None:
    folder = Folder.open(shared.parent / "ours", REFUSAL)
    folder.close()

    with pytest.raises(OSError, match="Bad file descriptor"):
        folder.write(Path("a"), [b""])


@pytest.mark.parametrize("part", ["", "format", "owner", "blobs", "ledger", "locks", "temp", "ledger/build"])
def test_a_store_of_which_somebody_else_owns_a_part_is_refused(tmp_path: Path, part: str) -> None:
    Store.open(tmp_path / "store").close()
    (tmp_path / "store/ledger/build").mkdir()
    os.chown(tmp_path / "store" / part, NOBODY, NOBODY)

    with pytest.raises(StoreError, match=f"belongs to the user with uid {NOBODY}") as caught:
        Store.open(tmp_path / "store")

    assert "FACTORY_STORE" in caught.value.hint
    assert "chown" in caught.value.hint


@pytest.mark.parametrize("part", ["", "format", "owner", "blobs", "ledger", "locks", "temp", "ledger/build"])
def test_a_store_of_which_others_may_write_a_part_is_refused(tmp_path: Path, part: str) -> None:
    Store.open(tmp_path / "store").close()
    (tmp_path / "store/ledger/build").mkdir(mode=0o700)
    (tmp_path / "store" / part).chmod(0o777)

    with pytest.raises(StoreError, match=r"other users may write to .*: its mode is 0777") as caught:
        Store.open(tmp_path / "store")

    assert "chmod -R go-w" in caught.value.hint


def test_a_store_that_all_may_read_is_used(tmp_path: Path) -> None:
    """Older versions made them so."""
    Store.open(tmp_path / "store").close()
    for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)

    Store.open(tmp_path / "store").close()


def test_a_folder_of_the_store_is_no_link(tmp_path: Path, outside: Path) -> None:
    Store.open(tmp_path / "store").close()
    (tmp_path / "store/ledger").rmdir()
    (tmp_path / "store/ledger").symlink_to(outside)

    with pytest.raises(StoreError, match="ledger is a symbolic link"):
        Store.open(tmp_path / "store")


def test_a_store_is_made_for_its_user_alone_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(tmp_path / "store") as store:
            store.put_bytes(b"a", "a.whl")
    finally:
        os.umask(before)

    assert [path for path in (tmp_path / "store").rglob("*") if path.stat().st_mode & 0o022] == []
    Store.open(tmp_path / "store").close()


def test_whoever_swaps_the_store_leads_nothing_elsewhere(shared: Path, outside: Path) -> None:
    before = contents(outside)
    moved: list[FactoryError] = []

    with Store.open(shared / "store") as store, swapped("store", outside):
        for number in range(200):
            store.put_bytes(str(number).encode(), "a")
            try:
                with store.temp_folder():
                    pass
            except StoreError as error:
                moved.append(error)

    assert contents(outside) == before
    assert [path for path in outside.rglob("*") if path.name in ("temp", "blobs")] == []
    assert any("was replaced by another folder" in error.message for error in moved)


def test_locks_do_not_lie_where_another_user_can_take_them(shared: Path) -> None:
    host = read_host({"XDG_CACHE_HOME": str(shared), "DOCKER_HOST": "unix:///nonexistent.sock"})
    as_nobody(lambda: host.locks.mkdir(mode=0o777))

    with pytest.raises(StoreError, match="belongs to the user") as caught, shared_lock(host.locks, "image.lock"):
        pass

    assert "XDG_CACHE_HOME" in caught.value.hint


def test_a_mode_is_given_to_what_was_written_and_not_to_what_has_its_name(shared: Path, outside: Path) -> None:
    """The owner of the output folder lays a link of the temporary file's name as soon as he sees it."""
    wheel = make_artifact(b"wheel", "spam-1.0-cp313-cp313-manylinux_2_31_x86_64.whl")
    record = make_record(wheel=wheel)
    run = make_run(Planned(plan=make_plan(record.cell)), CellEnded(record=record))
    secret = outside / "format"
    secret.chmod(0o600)
    (shared / "dist").mkdir()
    os.chown(shared / "dist", NOBODY, NOBODY)

    def pieces(_: object) -> BytesIO:
        return BytesIO(b"wheel")

    with planting(shared / "dist", secret):
        for _ in range(100):
            with suppress(OutputError):
                release(run, shared / "dist", pieces)
            (shared / "dist" / wheel.filename).unlink(missing_ok=True)

    assert secret.read_bytes() == KEPT
    assert secret.stat().st_mode & 0o777 == 0o600


@contextmanager
def planting(folder: Path, target: Path) -> Iterator[None]:
    """Have another user put a link in the place of every temporary file that appears in his folder."""

    def plant() -> None:
        while True:
            for path in folder.glob(".factory-*"):
                with suppress(OSError):
                    path.unlink()
                    path.symlink_to(target)

    child = forked_as_nobody(plant)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
