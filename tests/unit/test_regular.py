"""A file that a recipe names is opened only if it is a regular one, and nobody waits for another process."""

import os
import socket
from pathlib import Path

import pytest

from factory.regular import open_regular


def test_a_regular_file_is_read_through_a_link_unless_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")

    with open_regular(tmp_path / "link") as stream:
        assert stream.read() == b"content"
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        open_regular(tmp_path / "link", follows_links=False)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = sorted(Path("/proc/self/fd").iterdir())

    with pytest.raises(OSError, match="it is a device, a pipe or a socket"):
        open_regular(tmp_path / "pipe")

    assert sorted(Path("/proc/self/fd").iterdir()) == before, "nothing is left open"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_a_device_is_refused(path: str) -> None:
    with pytest.raises(OSError, match="it is a device, a pipe or a socket"):
        open_regular(Path(path))


def test_a_folder_and_a_socket_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        open_regular(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="No such device or address"):
            open_regular(tmp_path / "socket")
