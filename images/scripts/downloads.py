"""Packages that another bootstrap of the same run has downloaded, which are not downloaded again.

A folder holds them, each under its SHA-256. When apt has read a suite's indexes, which are signed, and before it
downloads, it runs `TAKE`: of the files that it would download, those that the folder holds are copied to where apt
looks for them, and their bytes are compared with the index's hash. What apt downloads is added to the folder.
"""

import fcntl
import hashlib
import os
import shlex
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE, THERE = "HERE", "DOWNLOADS"
"""Variables of the bootstrap: its own folder, and that of the downloads, as the bootstrap finds them."""

TAKE = r"""
[ -d "$DOWNLOADS" ] || exit 0
eval "$(apt-config shell archives Dir::Cache::archives/d)"
mkdir --parents "$archives"
apt-get --print-uris --yes -oDebug::NoLocking=1 -oAcquire::ForceHash=SHA256 install @PACKAGES@ 2>/dev/null |
    sed --quiet "s/^'[^' ]*' \([^ /]*\.deb\) [0-9]* SHA256:\([0-9a-f]\{64\}\)$/\1 \2/p" |
    while read -r name digest; do
        [ -f "$DOWNLOADS/$digest" ] || continue
        cp "$DOWNLOADS/$digest" "$archives$name"
        echo "$digest  $archives$name" | sha256sum --check --status || rm "$archives$name"
    done
"""
ARRIVED = "arrived"
HAVE_ALL = "have-all"
POLL_S = 0.1

# A quoted value of apt.conf(5) has no quotes of its own; without IFS the shell splits no variable. The configuration is
# that of the apt that bootstraps: what mmdebstrap's own --aptopt sets is left in the image.
HOOK = r"""APT::Update::Post-Invoke-Success:: \"IFS=; sh \$HERE/take\";"""
KEEP = 'ln --force "$1"/var/cache/apt/archives/*.deb "$HERE/arrived" 2>/dev/null || true'
OPTIONS = (
    f'--setup-hook=echo "{HOOK}" >>"$MMDEBSTRAP_APT_CONFIG"',
    f'--extract-hook={KEEP}; touch "$HERE/{HAVE_ALL}"',
    f"--customize-hook={KEEP}",
)


@contextmanager
def shared(here: Path, downloads: Path | None, suite: str, packages: list[str]) -> Iterator[tuple[str, ...]]:
    """Share downloads with other bootstraps for as long as the block; yields mmdebstrap's options for it.

    Of bootstraps of one suite one downloads at a time, since the next needs most of the same packages.
    """
    if downloads is None:
        yield ()
        return
    (here / ARRIVED).mkdir()
    (here / "take").write_text(TAKE.replace("@PACKAGES@", shlex.join(packages)))
    # Held open, because what packages run may put a link in its place.
    arrived = os.open(here / ARRIVED, os.O_RDONLY | os.O_DIRECTORY)
    with (downloads / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_over = threading.Event()
        giving = threading.Thread(target=give_soon, args=(here, arrived, downloads, is_over, lock.fileno()))
        giving.start()
        try:
            yield OPTIONS
        finally:
            is_over.set()
            giving.join()
            os.close(arrived)


def give_soon(here: Path, arrived: int, downloads: Path, is_over: threading.Event, lock: int) -> None:
    """Give what arrived when all of it is there, so that the suite's next bootstrap begins, and once more at the end."""
    while not is_over.wait(POLL_S) and not os.path.lexists(here / HAVE_ALL):
        pass
    give(arrived, downloads)
    fcntl.flock(lock, fcntl.LOCK_UN)
    is_over.wait()
    give(arrived, downloads)


def give(arrived: int, downloads: Path) -> None:
    """Move the regular files of an open folder to the downloads, each in one step, and named by its own hash."""
    for name in sorted(os.listdir(arrived)):
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=arrived)
        except OSError:
            continue  # a link, or a socket
        with os.fdopen(handle, "rb") as content:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                continue
            with tempfile.NamedTemporaryFile(dir=downloads, delete=False) as copy:
                shutil.copyfileobj(content, copy)
        with Path(copy.name).open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        Path(copy.name).chmod(0o644)  # read by identities that own nothing here
        Path(copy.name).replace(downloads / digest)
        os.unlink(name, dir_fd=arrived)
