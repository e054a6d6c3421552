"""The record of a run, on a disk that has no room for it."""

from pathlib import Path

import pytest

from factory.errors import OutputError
from factory.pipeline.model import Progress
from factory.pipeline.run import Recorder

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this machine has no /dev/full")
def test_an_event_that_cannot_be_written_is_refused_once_and_closing_says_no_more(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").symlink_to(FULL)

    with (
        pytest.raises(OutputError, match=r"events\.jsonl cannot be written: No space left on device"),
        Recorder(tmp_path, lambda _: None) as recorder,
    ):
        recorder.emit(Progress(subject="a", text="b"))
