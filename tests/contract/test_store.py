"""What every user of the store relies on."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.digest import Digest
from factory.errors import StoreError
from factory.keys import document, key
from factory.store import Store, locks, opening
from tests.disks import mounted

HAMMER = """
import os, sys
from pathlib import Path
from factory.keys import document, key
from factory.store import Store, locks, opening

store = Store.open(Path(sys.argv[1]))
print("open", flush=True)
while True:
    content = os.urandom(300_000)
    blob = store.put_bytes(content, "blob")
    asked = document("hammer", 1, {"blob": str(blob.digest)})
    store.ledger_put("hammer", key(asked), asked, {"size": len(content)}, [blob.digest])
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def remember(store: Store, content: bytes, stage: str = "build") -> Digest:
    blob = store.put_bytes(content, "a.whl")
    asked = document(stage, 1, {"content": content.decode()})
    store.ledger_put(stage, key(asked), asked, {"filename": blob.filename}, [blob.digest])
    return key(asked)


def test_older_results_are_reported_once_and_only_where_there_are_any(store: Store) -> None:
    remember(store, b"old", stage="build")
    remember(store, b"as ever", stage="load")

    told = [store.note_versions({"build": 2, "load": 1, "trial": 3}) for _ in range(2)]

    assert told == [("build",), ()]
    assert store.note_versions({"build": 2, "load": 2, "trial": 3}) == ("load",)


@pytest.mark.parametrize("torn", ["", "[1]", "{", '{"build": "x"}'])
def test_torn_notes_of_versions_are_written_anew(store: Store, torn: str) -> None:
    remember(store, b"new", stage="build")
    (store.path / "versions").write_text(torn)

    assert store.note_versions({"build": 1}) == ()
    assert json.loads((store.path / "versions").read_text()) == {"build": 1}


def blob_path(store: Store, content: bytes) -> Path:
    digest = Digest.of(content)
    return store.path / "blobs" / digest.hex[:2] / digest.hex


def test_what_was_put_is_read_back(store: Store, tmp_path: Path) -> None:
    (tmp_path / "b.whl").write_bytes(b"file")

    of_bytes = store.put_bytes(b"bytes", "a.whl")
    of_file = store.put_file(tmp_path / "b.whl")
    of_stream = store.put_stream(iter([b"str", b"eam"]), "c.whl")

    assert [store.read(kept.digest) for kept in (of_bytes, of_file, of_stream)] == [b"bytes", b"file", b"stream"]
    assert [kept.filename for kept in (of_bytes, of_file, of_stream)] == ["a.whl", "b.whl", "c.whl"]
    assert [kept.size_bytes for kept in (of_bytes, of_file, of_stream)] == [5, 4, 6]


def test_a_stream_that_fails_leaves_nothing_and_its_error_is_its_own(store: Store) -> None:
    def stream() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError(errno.ECONNRESET, "reset by peer")

    with pytest.raises(ConnectionResetError):
        store.put_stream(stream(), "a.whl")

    assert not [path for path in store.path.rglob("new-*") if path.is_file()]


def test_a_lent_path_bears_the_filename_and_goes_with_the_block(store: Store) -> None:
    kept = store.put_bytes(b"wheel", "a-1-py3-none-any.whl")

    with store.lend(kept) as path:
        seen = path.name, path.read_bytes()

    assert seen == ("a-1-py3-none-any.whl", b"wheel")
    assert not path.exists()
    assert store.read(kept.digest) == b"wheel"


def test_a_changed_blob_is_not_read(store: Store) -> None:
    kept = store.put_bytes(b"right", "a.whl")
    path = blob_path(store, b"right")
    path.chmod(0o644)
    path.write_bytes(b"wrong")

    with pytest.raises(StoreError, match="was changed"):
        store.read(kept.digest)


def test_putting_a_changed_blob_again_mends_it(store: Store) -> None:
    kept = store.put_bytes(b"right", "a.whl")
    path = blob_path(store, b"right")
    path.chmod(0o644)
    path.write_bytes(b"wrong")

    store.put_bytes(b"right", "a.whl")

    assert store.read(kept.digest) == b"right"


def test_a_result_is_remembered_by_stage_and_key(store: Store) -> None:
    asked = remember(store, b"wheel")

    assert store.ledger_get("build", asked) == {"filename": "a.whl"}
    assert store.ledger_get("repair", asked) is None
    assert store.ledger_get("build", Digest.of(b"other")) is None


def test_a_result_outlives_the_process(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        asked = remember(store, b"wheel")
        owner = store.owner

    with Store.open(tmp_path) as store:
        assert store.ledger_get("build", asked) == {"filename": "a.whl"}
        assert store.owner == owner


@pytest.mark.parametrize("harm", ["gone", "changed", "torn entry"])
def test_a_damaged_result_counts_as_absent_and_is_reported(tmp_path: Path, harm: str) -> None:
    told: list[str] = []
    with Store.open(tmp_path, on_damage=told.append) as store:
        asked = remember(store, b"wheel")
        blob = blob_path(store, b"wheel")
        match harm:
            case "gone":
                blob.unlink()
            case "changed":
                blob.chmod(0o644)
                blob.write_bytes(b"wheel with a virus")
            case _:
                (tmp_path / "ledger" / "build" / f"{asked.hex}.json").write_bytes(b'{"docu')

        assert store.ledger_get("build", asked) is None

    assert len(told) == 1
    assert told[0].startswith(f"build {asked.short} is made again: ")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="brackets without end"),
        pytest.param(b"[]", id="no mapping"),
        pytest.param(b'{"document": {}, "result": 1}', id="a field less"),
        pytest.param(b'{"document": {}, "result": 1, "blobs": null}', id="blobs of another kind"),
        pytest.param(b'{"document": {}, "result": 1, "blobs": [7]}', id="a blob of another kind"),
        pytest.param(b'{"document": {}, "result": 1, "blobs": ["sha256:00"]}', id="a digest in another form"),
        pytest.param(b'{"document": [], "result": 1, "blobs": []}', id="a document of another kind"),
    ],
)
def test_an_entry_of_another_shape_counts_as_absent_and_is_reported(tmp_path: Path, content: bytes) -> None:
    told: list[str] = []
    with Store.open(tmp_path, on_damage=told.append) as store:
        asked = remember(store, b"wheel")
        path = tmp_path / "ledger" / "build" / f"{asked.hex}.json"
        path.write_bytes(content)

        assert store.ledger_get("build", asked) is None
        assert told == [f"build {asked.short} is made again: {path} is damaged"]


def test_an_entry_cannot_name_a_blob_that_is_not_there(store: Store) -> None:
    asked = document("build", 1, {})

    with pytest.raises(StoreError, match="is not in the store"):
        store.ledger_put("build", key(asked), asked, None, [Digest.of(b"never put")])


def test_an_entry_is_kept_under_the_key_of_its_own_document(store: Store) -> None:
    with pytest.raises(ValueError, match="is not the key of this build document"):
        store.ledger_put("build", Digest.of(b"other"), document("build", 1, {}), None)


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreError, match=r"cannot use the store .*: file exists") as caught:
        Store.open(tmp_path / "file")
    with pytest.raises(StoreError, match="not a directory"):
        Store.open(tmp_path / "file" / "below")

    assert "FACTORY_STORE" in caught.value.hint


def test_a_folder_with_other_things_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")

    with pytest.raises(StoreError, match=r"is not a store: it holds thesis\.tex"):
        Store.open(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    (tmp_path / "format").write_text("2\n")

    with pytest.raises(StoreError, match="has format '2'; this factory reads format '1'"):
        Store.open(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    if os.getuid() == 0:
        with mounted(tmp_path, "ro,size=1m"), pytest.raises(StoreError, match="read-only"):
            Store.open(tmp_path)
        return
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="permission denied"):
        Store.open(tmp_path)


def test_a_full_disk_says_so_and_the_store_stays_usable(tmp_path: Path) -> None:
    with mounted(tmp_path, "size=1m"), Store.open(tmp_path) as store:
        asked = remember(store, b"small")

        with pytest.raises(StoreError, match="no space left on device") as caught:
            store.put_bytes(os.urandom(2 << 20), "big.whl")

        assert "free space" in caught.value.hint
        assert store.ledger_get("build", asked) == {"filename": "a.whl"}
        assert store.ledger_get("build", remember(store, b"another small one")) == {"filename": "a.whl"}


def test_a_kill_at_any_moment_leaves_only_entries_that_hold(tmp_path: Path) -> None:
    for attempt in range(20):
        child = subprocess.Popen([sys.executable, "-c", HAMMER, tmp_path], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.003 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()

    told: list[str] = []
    with Store.open(tmp_path, on_damage=told.append) as store:
        entries = sorted((tmp_path / "ledger" / "hammer").glob("*.json"))
        results = [store.ledger_get("hammer", Digest(path.stem)) for path in entries]
        left = [path for path in (tmp_path / "temp").iterdir() if path.name[:16] != store._session.path.stem]

    assert entries
    assert results == [{"size": 300_000}] * len(entries)
    assert not told
    assert not left


@pytest.mark.parametrize("delay_s", [0.06, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25])
def test_a_kill_while_the_store_is_made_leaves_one_that_opens(tmp_path: Path, delay_s: float) -> None:
    child = subprocess.Popen([sys.executable, "-c", HAMMER, tmp_path / "store"], stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        child.communicate(timeout=delay_s)
    child.kill()
    child.communicate()

    with Store.open(tmp_path / "store") as store:
        asked = remember(store, b"wheel")

        assert store.ledger_get("build", asked) == {"filename": "a.whl"}
        assert store.owner


def test_two_processes_share_a_store(tmp_path: Path) -> None:
    writer = """
import sys
from pathlib import Path
from factory.keys import document, key
from factory.store import Store, locks, opening

with Store.open(Path(sys.argv[1])) as store:
    for number in range(50):
        blob = store.put_bytes(b"%d" % number, "blob")
        asked = document("shared", 1, {"number": number})
        store.ledger_put("shared", key(asked), asked, number, [blob.digest])
    print(store.owner)
"""
    children = [
        subprocess.Popen([sys.executable, "-c", writer, tmp_path], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    owners = {child.communicate()[0] for child in children}

    with Store.open(tmp_path) as store:
        found = [store.ledger_get("shared", key(document("shared", 1, {"number": number}))) for number in range(50)]
    assert [child.returncode for child in children] == [0, 0]
    assert len(owners) == 1
    assert found == list(range(50))


def test_a_run_is_running_as_long_as_its_process_holds_the_lock(store: Store) -> None:
    assert not store.is_running("r1")
    with store.run_lock("r1"):
        assert store.is_running("r1")
        assert not store.is_running("r2")
    assert not store.is_running("r1")


def test_a_killed_run_is_not_running(store: Store) -> None:
    holder = """
import sys, time
from pathlib import Path
from factory.store import Store, locks, opening

with Store.open(Path(sys.argv[1])) as store, store.run_lock("r1"), store.temp_folder() as folder:
    print(folder, flush=True)
    time.sleep(600)
"""
    child = subprocess.Popen([sys.executable, "-c", holder, store.path], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    folder = Path(child.stdout.readline().strip())

    before = store.is_running("r1"), folder.is_dir()
    Store.open(store.path).close()
    after_open = store.is_running("r1"), folder.is_dir()
    child.kill()
    child.communicate()
    after_kill = store.is_running("r1")
    Store.open(store.path).close()

    assert before == (True, True)
    assert after_open == (True, True)
    assert not after_kill
    assert not folder.exists()


def test_a_key_is_made_once_at_a_time(store: Store) -> None:
    asked = Digest.of(b"key")
    cancelled = threading.Event()
    cancelled.set()

    with (
        store.once("build", asked) as first,
        store.once("build", asked, cancelled=cancelled) as second,
        store.once("build", Digest.of(b"other key")) as other,
    ):
        pass
    with store.once("build", asked, cancelled=cancelled) as third:
        pass

    assert (first, second, other, third) == (True, False, True, True)


def test_whoever_waits_for_a_key_says_so_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "TELL_AFTER_S", 0.01)
    asked = Digest.of(b"key")
    cancelled = threading.Event()
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        threading.Timer(0.5, cancelled.set).start()

    with (
        Store.open(tmp_path / "store") as other,
        other.once("build", asked) as held,
        store.once("build", asked, cancelled=cancelled, on_wait=tell) as mine,
    ):
        assert (held, mine) == (True, False)

    assert told == [f"waiting for build {asked.short}, which another run or job is making"]


def test_whoever_waits_for_the_lock_of_a_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "TELL_AFTER_S", 0.01)
    monkeypatch.setattr(opening, "_LOCK_TIMEOUT_S", 0.5)
    told: list[str] = []

    with (
        Store.open(tmp_path / "store") as one,
        Store.open(tmp_path / "store", on_wait=told.append) as other,
        one.run_lock("r1"),
        pytest.raises(StoreError, match=r"locks/run-r1\.lock is held by another process"),
        other.run_lock("r1"),
    ):
        pass

    assert told == [f"waiting for {tmp_path}/store/locks/run-r1.lock, which another run holds"]


def test_a_temporary_folder_goes_with_its_block_and_with_its_store(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        with store.temp_folder() as folder:
            (folder / "file").write_text("x")
        gone = not folder.exists()

    assert gone
    assert list((tmp_path / "temp").iterdir()) == []


def test_a_lasting_folder_is_the_same_for_its_name_and_goes_with_its_store(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        (store.lasting_folder("downloads") / "file").write_text("x")
        held = (store.lasting_folder("downloads") / "file").read_text()

    assert held == "x"
    assert list((tmp_path / "temp").iterdir()) == []


def test_results_are_written_as_json_that_other_tools_can_read(store: Store) -> None:
    asked = remember(store, b"wheel")

    entry = json.loads((store.path / "ledger" / "build" / f"{asked.hex}.json").read_text())

    assert entry["blobs"] == [Digest.of(b"wheel").hex]
    assert entry["document"]["stage"] == "build"
