"""Regular files that a recipe or a project names, opened so that none of them can block a run.

Opening a named pipe waits for a writer, and a device may never end. The caller limits how much it reads.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_OPENING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # O_NONBLOCK does not wait for a pipe's writer


def open_regular(path: Path, *, follows_links: bool = True) -> BinaryIO:
    """Open a regular file; a path whose last part is a link is refused unless `follows_links`.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    descriptor = os.open(path, _OPENING if follows_links else _OPENING | os.O_NOFOLLOW)
    try:
        _require_regular(os.fstat(descriptor).st_mode, path)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _require_regular(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a device, a pipe or a socket", str(path))
