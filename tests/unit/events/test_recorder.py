"""The record of a run, on a disk that has no room for it."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from factory.errors import OutputError
from factory.events.model import Progress
from factory.events.recorder import Recorder


def test_an_event_that_cannot_be_written_is_refused_once_and_closing_says_no_more(tmp_path: Path) -> None:
    with small_disk(), pytest.raises(OutputError, match=r"events\.jsonl cannot be written: File too large"):
        emit_many(tmp_path / "run")


def emit_many(folder: Path) -> None:
    with Recorder(folder, lambda _: None) as recorder:
        for _ in range(10):
            recorder.emit(Progress(subject="a", text="b" * 1000))


@contextmanager
def small_disk() -> Iterator[None]:
    """Let no file grow beyond some bytes, as a disk without room does."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_logs_of_a_subject_are_numbered_on_where_its_work_is_done_once_more(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run", lambda _: None) as recorder:
        paths = [recorder.log("spam/cp313@load", "load", text) for text in ("first", "second")]

    assert paths == ["logs/spam/cp313/@load/01-load.log", "logs/spam/cp313/@load/02-load.log"]
    assert [(tmp_path / "run" / path).read_text() for path in paths] == ["first", "second"]


def test_a_run_does_not_write_into_the_folder_of_another(tmp_path: Path) -> None:
    with Recorder(tmp_path / "run", lambda _: None):
        pass

    with pytest.raises(OutputError, match="cannot be written: File exists"):
        Recorder(tmp_path / "run", lambda _: None)


@pytest.mark.parametrize("part", [".factory", ".factory/runs"])
def test_a_folder_of_evidence_that_others_may_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(part).mkdir(parents=True)
    Path(part).chmod(0o1777)

    with pytest.raises(OutputError, match=f"^other users may write to {part}: its mode is 1777$") as caught:
        Recorder(Path(".factory/runs/r1"), lambda _: None)

    assert f"chmod -R go-w {part}" in caught.value.hint
