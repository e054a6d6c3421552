"""The output folder: passed wheels in, refused and replaced ones out, everything else untouched."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest

from factory.digest import Digest
from factory.errors import OutputError
from factory.events.model import CellEnded, Planned, Run
from factory.release import SUMS, release
from tests.makers.runs import make_artifact, make_cell, make_plan, make_record, make_run

NAME = "spam-1.0-cp313-cp313-manylinux_2_31_x86_64.whl"
CONTENT = b"wheel bytes"


def opener(*contents: bytes) -> Callable[[Digest], BinaryIO]:
    kept = {Digest.of(content): content for content in contents}
    return lambda digest: BytesIO(kept[digest])


def listed(folder: Path) -> dict[str, str]:
    """SHA256SUMS as file name → digest, empty where there is no such file."""
    sums = folder / SUMS
    lines = sums.read_text().splitlines() if sums.exists() else []
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def passed_run(content: bytes = CONTENT, name: str = NAME, version: str = "1.0") -> Run:
    record = make_record(wheel=make_artifact(content, name))
    return make_run(Planned(plan=make_plan(record.cell, version=version)), CellEnded(record=record))


def refused_run() -> Run:
    record = make_record("failed")
    return make_run(Planned(plan=make_plan(record.cell)), CellEnded(record=record))


def test_a_wheel_that_passed_is_written_with_its_sum(tmp_path: Path) -> None:
    released = release(passed_run(), tmp_path / "dist", opener(CONTENT))

    assert released.written == (NAME,)
    assert (tmp_path / "dist" / NAME).read_bytes() == CONTENT
    assert (tmp_path / "dist" / SUMS).read_text() == f"{Digest.of(CONTENT).hex}  {NAME}\n"


def test_a_second_release_of_the_same_wheel_writes_nothing(tmp_path: Path) -> None:
    release(passed_run(), tmp_path, opener(CONTENT))
    before = (tmp_path / NAME).stat().st_mtime_ns

    released = release(passed_run(), tmp_path, opener(CONTENT))

    assert (released.written, released.unchanged) == ((), (NAME,))
    assert (tmp_path / NAME).stat().st_mtime_ns == before


def test_a_damaged_wheel_is_written_again(tmp_path: Path) -> None:
    release(passed_run(), tmp_path, opener(CONTENT))
    (tmp_path / NAME).write_bytes(b"wheel bytez")

    released = release(passed_run(), tmp_path, opener(CONTENT))

    assert released.written == (NAME,)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_refused_wheel_of_an_earlier_run_leaves(tmp_path: Path) -> None:
    release(passed_run(), tmp_path, opener(CONTENT))

    released = release(refused_run(), tmp_path, opener())

    assert released.removed == (NAME,)
    assert not (tmp_path / NAME).exists()
    assert listed(tmp_path) == {}


def test_a_recipe_may_be_called_otherwise_than_its_distribution(tmp_path: Path) -> None:
    cell = make_cell(recipe="spam-nightly")
    planned = Planned(plan=make_plan(cell, recipe="spam-nightly", distribution="spam"))
    good = make_record(cell=cell, wheel=make_artifact(CONTENT, NAME))
    release(make_run(planned, CellEnded(record=good)), tmp_path, opener(CONTENT))

    refused = make_run(planned, CellEnded(record=make_record("failed", cell=cell)))

    assert release(refused, tmp_path, opener()).removed == (NAME,)


def test_another_version_of_the_same_cell_is_replaced(tmp_path: Path) -> None:
    newer = NAME.replace("1.0", "1.1")
    release(passed_run(), tmp_path, opener(CONTENT))

    released = release(passed_run(b"newer", newer, "1.1"), tmp_path, opener(b"newer"))

    assert (released.written, released.removed) == ((newer,), (NAME,))


def test_an_older_version_stays_when_the_newer_is_refused(tmp_path: Path) -> None:
    release(passed_run(), tmp_path, opener(CONTENT))
    record = make_record("failed")
    run = make_run(Planned(plan=make_plan(record.cell, version="1.1")), CellEnded(record=record))

    assert release(run, tmp_path, opener()).removed == ()


def test_other_recipes_lines_stay(tmp_path: Path) -> None:
    other = "eggs-2.0-cp313-cp313-manylinux_2_31_x86_64.whl"
    cell = make_cell(recipe="eggs")
    record = make_record(cell=cell, wheel=make_artifact(b"eggs", other))
    release(make_run(Planned(plan=make_plan(cell, recipe="eggs")), CellEnded(record=record)), tmp_path, opener(b"eggs"))

    release(passed_run(), tmp_path, opener(CONTENT))

    assert set(listed(tmp_path)) == {other, NAME}


def test_foreign_files_are_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    released = release(passed_run(), tmp_path, opener(CONTENT))

    assert released.foreign == ("notes.txt",)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_foreign_wheel_of_the_same_cell_is_never_deleted(tmp_path: Path) -> None:
    older = NAME.replace("1.0", "0.9")
    (tmp_path / older).write_bytes(b"somebody else's")

    released = release(passed_run(), tmp_path, opener(CONTENT))

    assert released.foreign == (older,)
    assert (tmp_path / older).exists()


def test_a_file_that_is_not_a_sums_file_stops_the_release(tmp_path: Path) -> None:
    (tmp_path / SUMS).write_text("hello\n")

    with pytest.raises(OutputError, match=r"SHA256SUMS:1 is not a line that sha256sum writes"):
        release(passed_run(), tmp_path, opener(CONTENT))


def test_an_output_that_is_a_file_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("")

    with pytest.raises(OutputError, match="cannot be used") as caught:
        release(passed_run(), tmp_path / "dist", opener(CONTENT))

    assert "-o" in caught.value.hint


def test_what_a_killed_release_left_half_written_is_removed_and_not_called_foreign(tmp_path: Path) -> None:
    (tmp_path / ".factory-x_3abcd9").write_bytes(b"half a wh")

    released = release(passed_run(), tmp_path, opener(CONTENT))

    assert released.foreign == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == [SUMS, NAME]


def test_names_that_only_begin_like_ours_are_foreign(tmp_path: Path) -> None:
    (tmp_path / ".factory-notes").write_text("mine")
    (tmp_path / ".factory-abcdefgh").mkdir()

    released = release(passed_run(), tmp_path, opener(CONTENT))

    assert released.foreign == (".factory-abcdefgh", ".factory-notes")


@pytest.mark.parametrize("plant", ["link", "pipe", "folder"])
def test_a_sums_that_is_no_file_is_refused_and_not_followed(tmp_path: Path, plant: str) -> None:
    (tmp_path / "outside").write_text("root's own")
    dist = tmp_path / "dist"
    dist.mkdir()
    if plant == "link":
        (dist / SUMS).symlink_to(tmp_path / "outside")
    elif plant == "pipe":
        os.mkfifo(dist / SUMS)
    else:
        (dist / SUMS).mkdir()

    with pytest.raises(OutputError, match="SHA256SUMS is not a regular file") as caught:
        release(passed_run(), dist, opener(CONTENT))

    assert "remove" in caught.value.hint
    assert (tmp_path / "outside").read_text() == "root's own"


def test_a_wheel_replaces_a_link_of_its_name_and_leaves_what_it_led_to(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(CONTENT)
    (tmp_path / "outside").chmod(0o600)
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / NAME).symlink_to(tmp_path / "outside")
    (dist / SUMS).write_text(f"{Digest.of(CONTENT).hex}  {NAME}\n")

    released = release(passed_run(), dist, opener(CONTENT))

    assert released.written == (NAME,)
    assert not (dist / NAME).is_symlink()
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_another_process_has_locked_is_waited_for_aloud_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may read the folder can lock it, another user of the machine, too."""
    monkeypatch.setattr("factory.store.locks.TELL_AFTER_S", 0.01)
    monkeypatch.setattr("factory.release._LOCK_TIMEOUT_S", 0.3)
    messages: list[str] = []

    with locked(tmp_path), pytest.raises(OutputError, match="another process has locked") as caught:
        release(passed_run(), tmp_path, opener(CONTENT), on_wait=messages.append)

    assert messages == [f"waiting for the output folder {tmp_path}, which another process has locked"]
    assert "-o" in caught.value.hint


def test_an_interrupted_run_does_not_wait_for_the_folder(tmp_path: Path) -> None:
    cancelled = Event()
    cancelled.set()

    with locked(tmp_path), pytest.raises(OutputError, match="another process has locked"):
        release(passed_run(), tmp_path, opener(CONTENT), cancelled=cancelled)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(handle)
