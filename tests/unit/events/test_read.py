"""The events of runs that have ended, or were killed."""

from pathlib import Path

import pytest

from factory.errors import OutputError
from factory.events.model import Progress, RunEnded, RunStarted
from factory.events.read import events_of, runs
from factory.events.recorder import Recorder

BEGUN = RunStarted(run="r", at="2026-01-01T00:00:00Z", version="0", folder="r", update=True)
SAID = Progress(subject="a", text="b")
ENDED = RunEnded(at="2026-01-01T00:00:01Z", duration_s=1.0, containers=0)


def record(folder: Path) -> Path:
    with Recorder(folder, lambda _: None) as recorder:
        for event in (BEGUN, SAID, ENDED):
            recorder.emit(event)
    return folder


def test_what_a_run_recorded_is_read_back(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")

    assert list(events_of(folder)) == [BEGUN, SAID, ENDED]
    assert list(events_of(folder, (RunEnded,))) == [ENDED]


def test_a_line_that_a_killed_run_has_begun_is_left_out(tmp_path: Path) -> None:
    folder = record(tmp_path / "r")
    whole = (folder / "events.jsonl").read_bytes()
    (folder / "events.jsonl").write_bytes(whole[:-20])

    assert list(events_of(folder)) == [BEGUN, SAID]


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"{}", b'{"kind": "Other", "event": {}}', b'{"kind": "Progress", "event": 1}']
)
def test_what_is_no_event_is_refused_with_its_file(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "events.jsonl").write_bytes(line + b"\n")

    with pytest.raises(OutputError, match=r"events\.jsonl has a line that is not an event"):
        list(events_of(tmp_path))


def test_a_folder_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read: No such file") as caught:
        list(events_of(tmp_path))

    assert ".factory/runs" in caught.value.hint


def test_runs_are_listed_the_newest_first(tmp_path: Path) -> None:
    for name in ("20260101T000000Z-b", "20260102T000000Z-a"):
        record(tmp_path / name)
    (tmp_path / "20260103T000000Z-c").mkdir()

    assert [folder.name for folder in runs(tmp_path)] == ["20260102T000000Z-a", "20260101T000000Z-b"]
    assert runs(tmp_path / "none") == ()
