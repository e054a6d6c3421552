"""Debian's packages, downloaded and unpacked into a folder: nothing is installed, and no right is needed."""

import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

import pytest

from factory.process import run

_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


def unpacked(*packages: str) -> Path:
    """Return a folder that holds these packages' files, kept for the next session; the test is skipped without them."""
    kept = Path(gettempdir()) / f"wheel-factory-{'-'.join(packages)}"
    if kept.exists():
        return kept
    work = Path(mkdtemp(prefix="wheel-factory-packages-"))
    script = 'apt-get -qq download "$@" && for each in ./*.deb; do dpkg -x "$each" . && rm "$each"; done'
    got = run(["sh", "-ec", script, "unpack", *packages], env=_ENV, cwd=work, timeout_s=120)
    if got.returncode != 0:
        shutil.rmtree(work)
        pytest.skip(f"apt cannot download {', '.join(packages)}: {got.stderr.strip()[-200:]}")
    with suppress(OSError):  # somebody else was faster
        work.rename(kept)
    return kept
