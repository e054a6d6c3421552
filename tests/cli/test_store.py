"""`factory store` as a process of its own."""

import os
from pathlib import Path

import pytest

from factory.codec import JSON
from factory.keys import document, key
from factory.store import Store
from tests.cli.program import Program

SIZE = 3_000_000
SOURCE = f"sha256:{'5' * 64}"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(folder=tmp_path)


def fill(folder: Path) -> None:
    """Remember a wheel, a verdict on it, and wheels of build requirements that were last used ten years ago."""
    with Store.open(folder / "store") as store:
        wheel = store.put_bytes(b"w" * SIZE, "spam_eggs-1.0-cp313-cp313-manylinux_2_31_x86_64.whl")
        made: dict[str, JSON] = {"filename": wheel.filename, "digest": str(wheel.digest), "size_bytes": SIZE}
        built = document("build", 3, {"source": SOURCE})
        store.ledger_put("build", key(built), built, made, [wheel.digest])
        judged = document("audit", 1, {"wheel": str(wheel.digest)})
        store.ledger_put("audit", key(judged), judged, {})
        needed = store.put_bytes(b"s" * SIZE, "setuptools-84.2.1-py3-none-any.whl")
        resolved = document("resolve", 2, {"requirements": ["setuptools"]})
        store.ledger_put("resolve", key(resolved), resolved, {"files": [needed.filename]}, [needed.digest])
        os.utime(store.path / "ledger" / "resolve" / f"{key(resolved).hex}.json", (1_500_000_000, 1_500_000_000))


def rows(text: str) -> dict[str, list[str]]:
    return {line.split("  ")[0]: line.split() for line in text.splitlines() if "  " in line}


def test_a_store_is_shown_by_stage_and_by_project(program: Program, tmp_path: Path) -> None:
    fill(tmp_path)

    ended = program("store", "show", "--limit", "5MB")

    shown = rows(ended.stdout)
    assert ended.code == 0
    assert ended.stdout.startswith(f"{tmp_path}/store: 6.0 MB in 3 results and 2 blobs\n")
    assert shown["build"][:4] == ["build", "1", "3.0", "MB"]
    assert shown["resolve"] == ["resolve", "1", "3.0", "MB", "2017-07-14", "02:40", "UTC"]
    assert shown["spam-eggs"][:4] == ["spam-eggs", "2", "3.0", "MB"]
    assert shown["(shared by projects)"][3:6] == ["1", "3.0", "MB"]
    assert "`factory store gc` would shrink it to 5.0 MB" in ended.stdout
    assert "the engine's volumes are not looked at" in ended.stderr


def test_gc_removes_what_was_not_used_for_longest(program: Program, tmp_path: Path) -> None:
    fill(tmp_path)

    rehearsed = program("store", "gc", "--limit", "5 MB", "--dry-run")
    swept = program("store", "gc", "--limit", "5 MB")
    again = program("store", "gc", "--limit", "5 MB")

    assert rehearsed.stdout == "would remove 1 result and 1 blob, 3.0 MB; 3.0 MB would stay\n"
    assert swept.stdout == "removed 1 result and 1 blob, 3.0 MB; 3.0 MB stay\n"
    assert again.stdout == "nothing to remove: 3.0 MB are in the store\n"
    assert (rehearsed.code, swept.code, again.code) == (0, 0, 0)


def test_gc_takes_nothing_from_whoever_uses_the_store(program: Program, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store"):
        fill(tmp_path)

        swept = program("store", "gc", "--limit", "1kB")

    assert swept.stdout == "removed 1 result and 0 blobs, 0.0 MB; 6.0 MB stay\n"
    assert "another process has the store open" in swept.stderr


def test_verify_names_what_is_damaged_and_passes_what_is_not(program: Program, tmp_path: Path) -> None:
    fill(tmp_path)
    whole = program("store", "verify")
    blob = next((tmp_path / "store" / "blobs").glob("*/*"))
    blob.chmod(0o644)
    blob.write_bytes(b"other")

    damaged = program("store", "verify")

    assert whole.code == 0
    assert whole.stdout == "2 blobs have their digests, and all results have their blobs\n"
    assert damaged.code == 1
    assert damaged.stdout == f"✗ blob {blob.name[:12]} in the store was changed\n"


def test_a_limit_that_is_no_size_is_refused_with_one_that_is(program: Program) -> None:
    ended = program("store", "gc", "--limit", "much")

    assert ended.code == 2
    assert "--limit: 'much' is not a size" in ended.stderr
    assert "500kB" in ended.stderr
