"""How a store is made smaller, and checked."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.digest import Digest
from factory.errors import StoreError
from factory.keys import document, key
from factory.store import Store
from tests.contract.test_store import blob_path

SIZE = 10_000
YEAR_S = 365 * 24 * 3600
SWEEPER = """
import sys
from pathlib import Path
from factory.store import Store

with Store.open(Path(sys.argv[1])) as store:
    print("open", flush=True)
    sys.stdin.readline()
    store.sweep(int(sys.argv[2]))
"""
USER = """
import sys
from pathlib import Path
from factory.digest import Digest
from factory.keys import document, key
from factory.store import Store

with Store.open(Path(sys.argv[1])) as store:
    print("open", flush=True)
    sys.stdin.readline()
    documents = [document("build", 1, {"name": str(number)}) for number in range(200)]
    remembered = [store.ledger_get("build", key(asked)) for asked in documents]
    for blob in filter(None, remembered):
        store.read(Digest(blob))
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def remember(store: Store, name: str, *contents: str, age_s: int) -> Digest:
    """Remember a result of some blobs, which was last used long ago."""
    blobs = [store.put_bytes(content.encode() * SIZE, content).digest for content in contents]
    asked = document("build", 1, {"name": name})
    store.ledger_put("build", key(asked), asked, name, blobs)
    age(store.path / "ledger" / "build" / f"{key(asked).hex}.json", age_s)
    for content in contents:
        age(blob_path(store, content.encode() * SIZE), age_s)
    return key(asked)


def age(path: Path, age_s: int) -> None:
    then = time.time() - age_s
    os.utime(path, (then, then))


def here(store: Store) -> list[str]:
    return sorted(str(result.entry.result) for result in store.results() if result.entry is not None)


def blobs_here(store: Store) -> set[Digest]:
    return {blob.digest for blob in store.blobs()}


def test_what_was_not_used_for_longest_goes_first(store: Store) -> None:
    for number, name in enumerate(("new", "old", "older", "oldest")):
        remember(store, name, name[0] + str(number), age_s=YEAR_S * (1 + number))

    swept = store.sweep(2 * 2 * SIZE + 2000)

    assert here(store) == ["new", "old"]
    assert len(blobs_here(store)) == swept.blobs == swept.results == 2
    assert swept.left_bytes <= 2 * 2 * SIZE + 2000


def test_reading_a_result_is_a_use_of_it(store: Store) -> None:
    first = remember(store, "first", "a", age_s=2 * YEAR_S)
    remember(store, "second", "b", age_s=YEAR_S)

    assert store.ledger_get("build", first) == "first"
    store.sweep(SIZE + 1000)

    assert here(store) == ["first"]


def test_a_look_at_a_result_is_no_use_of_it(store: Store) -> None:
    first = remember(store, "first", "a", age_s=2 * YEAR_S)
    remember(store, "second", "b", age_s=YEAR_S)

    seen = store.peek("build", first)
    assert seen is not None
    assert seen.document == document("build", 1, {"name": "first"})
    store.sweep(SIZE + 1000)

    assert here(store) == ["second"]


def test_what_a_result_that_stays_needs_is_not_removed(store: Store) -> None:
    remember(store, "old", "shared", "alone", age_s=2 * YEAR_S)
    young = remember(store, "young", "shared", age_s=YEAR_S)
    age(blob_path(store, b"shared" * SIZE), 3 * YEAR_S)

    store.sweep(6 * SIZE + 1000)

    assert store.ledger_get("build", young) == "young"
    assert blobs_here(store) == {Digest.of(b"shared" * SIZE)}


def test_blobs_that_no_result_names_go_by_when_they_were_last_asked_for(store: Store) -> None:
    for content, age_s in (("a", 3 * YEAR_S), ("b", 2 * YEAR_S), ("c", YEAR_S)):
        store.put_bytes(content.encode() * SIZE, content)
        age(blob_path(store, content.encode() * SIZE), age_s)

    assert store.has(Digest.of(b"a" * SIZE))
    store.sweep(2 * SIZE)

    assert blobs_here(store) == {Digest.of(b"a" * SIZE), Digest.of(b"c" * SIZE)}


def test_a_store_within_its_limit_stays_as_it_is(store: Store) -> None:
    remember(store, "old", "a", age_s=YEAR_S)

    swept = store.sweep(10 * SIZE)

    assert (swept.results, swept.blobs, swept.freed_bytes) == (0, 0, 0)
    assert here(store) == ["old"]


def test_a_rehearsal_removes_nothing_and_says_what_would_go(store: Store) -> None:
    remember(store, "old", "a", age_s=YEAR_S)

    rehearsed = store.sweep(1, dry=True)
    kept = here(store)

    assert kept == ["old"]
    assert store.sweep(1) == rehearsed
    assert here(store) == []
    assert not blobs_here(store)


def test_what_another_process_has_used_or_put_since_it_opened_the_store_stays_beyond_the_limit(store: Store) -> None:
    used = remember(store, "used", "a", age_s=2 * YEAR_S)
    remember(store, "unused", "b", age_s=YEAR_S)
    with Store.open(store.path) as other:
        assert other.ledger_get("build", used) == "used"
        put = other.put_bytes(b"not yet named", "c")

        swept = store.sweep(1)

        asked = document("build", 1, {"name": "named"})
        other.ledger_put("build", key(asked), asked, "named", [put.digest])
        assert other.read(put.digest) == b"not yet named"
        assert other.ledger_get("build", used) == "used"
    assert swept.is_shared
    assert here(store) == ["named", "used"]


def test_a_blob_that_is_put_again_is_held_although_only_an_old_result_names_it(store: Store) -> None:
    remember(store, "old", "a", age_s=YEAR_S)
    with Store.open(store.path) as other:
        put = other.put_bytes(b"a" * SIZE, "a")

        store.sweep(1)

        assert other.has(put.digest)


def test_a_damaged_result_is_removed_and_does_not_stop_the_sweep(store: Store) -> None:
    asked = remember(store, "torn", "a", age_s=YEAR_S)
    (store.path / "ledger" / "build" / f"{asked.hex}.json").write_bytes(b'{"docu')
    remember(store, "whole", "b", age_s=YEAR_S)

    swept = store.sweep(SIZE + 1000)

    assert here(store) == ["whole"]
    assert swept.results == 1
    assert not list(store.faults())


def start(program: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a process, and wait until it has opened the store."""
    argv = [sys.executable, "-c", program, *map(str, arguments)]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    return child


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def remember_many(store: Store, count: int) -> None:
    """Remember results of one blob each, which were last used long ago; each result is its blob's digest."""
    for number in range(count):
        content = b"%d" % number
        blob = store.put_bytes(content, "blob")
        asked = document("build", 1, {"name": str(number)})
        store.ledger_put("build", key(asked), asked, blob.digest.hex, [blob.digest])
        age(store.path / "ledger" / "build" / f"{key(asked).hex}.json", YEAR_S)
        age(blob_path(store, content), YEAR_S)


def test_a_kill_in_a_sweep_leaves_only_results_that_hold(tmp_path: Path) -> None:
    left = []
    for attempt in range(10):
        with Store.open(tmp_path) as store:
            remember_many(store, 100)
        sweeper = start(SWEEPER, tmp_path, "1")
        go(sweeper)
        time.sleep(0.002 * attempt)
        sweeper.send_signal(signal.SIGKILL)
        sweeper.communicate()

        with Store.open(tmp_path) as store:
            left.append(len(list(store.results())))
            assert not list(store.faults())
    assert left[0] == 100  # so that some kills come early enough


@pytest.mark.parametrize("attempt", range(3))
def test_whoever_uses_what_a_sweep_removes_finds_all_of_it_or_nothing(tmp_path: Path, attempt: int) -> None:
    with Store.open(tmp_path) as store:
        remember_many(store, 200)
    children = [start(USER, tmp_path), *(start(SWEEPER, tmp_path, "1") for _ in range(2))]

    for child in children:
        go(child)
        time.sleep(0.002 * attempt)
    outputs = [child.communicate(timeout=60) for child in children]

    assert [child.returncode for child in children] == [0, 0, 0], outputs
    with Store.open(tmp_path) as store:
        assert not list(store.faults())


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        ("gone", "needs blob {blob}, which is not in the store"),
        ("changed", "blob {blob} in the store was changed"),
        ("torn entry", "build {asked} is damaged, or not this user's alone"),
        ("changed document", "build {asked} is damaged, or not this user's alone"),
        ("others may write", "blob {blob} in the store is not this user's alone"),
    ],
)
def test_everything_that_is_damaged_is_found(store: Store, harm: str, fault: str) -> None:
    asked = remember(store, "whole", "a", age_s=0)
    blob, entry = blob_path(store, b"a" * SIZE), store.path / "ledger" / "build" / f"{asked.hex}.json"
    assert not list(store.faults())
    match harm:
        case "gone":
            blob.unlink()
        case "changed":
            blob.chmod(0o644)
            blob.write_bytes(b"b" * SIZE)
        case "torn entry":
            entry.write_bytes(b'{"docu')
        case "changed document":
            entry.write_text(entry.read_text().replace("whole", "whale"))
        case _:
            blob.chmod(0o666)

    found = list(store.faults())

    assert len(found) == 1
    assert found[0].endswith(fault.format(blob=blob.name[:12], asked=asked.short))


def test_a_store_without_its_format_is_not_swept(store: Store) -> None:
    (store.path / "format").unlink()

    with pytest.raises(StoreError, match="cannot sweep"):
        store.sweep(1)
