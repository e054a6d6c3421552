"""An index of Debian's that has expired: who holds back a mirror holds back its updates."""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from factory.host import Host
from factory.images.spec import data_folder
from factory.process import Completed, run
from tests.makers.network import LOOPBACK, serving

SCRIPT = data_folder() / "scripts/bootstrap.py"
AGE_DAYS = 30
PACKAGE = f"""\
Package: nothing
Version: 1
Architecture: amd64
Filename: pool/main/n/nothing/nothing_1_amd64.deb
Size: 1
SHA256: {"0" * 64}
""".encode()


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def mirror(tmp_path: Path, host: Host) -> Iterator[str]:
    """A mirror of a suite with one package, whose index is a month old and was good for a week."""
    if shutil.which("mmdebstrap", path=host.path) is None:
        pytest.skip("mmdebstrap is not installed: `apt install mmdebstrap`")
    written = datetime.now(UTC) - timedelta(days=AGE_DAYS)
    listing = tmp_path / "mirror/dists/forky/main/binary-amd64/Packages"
    listing.parent.mkdir(parents=True)
    listing.write_bytes(PACKAGE)
    dates = (("Date", written), ("Valid-Until", written + timedelta(days=7)))
    lines = ["Origin: Debian", "Codename: forky", "Architectures: amd64", "Components: main"]
    lines += [f"{name}: {format_datetime(date, usegmt=True)}" for name, date in dates]
    lines += ["SHA256:", f" {hashlib.sha256(PACKAGE).hexdigest()} {len(PACKAGE)} main/binary-amd64/Packages", ""]
    (tmp_path / "mirror/dists/forky/Release").write_text("\n".join(lines))
    with serving(partial(Quiet, directory=str(tmp_path / "mirror")), address=LOOPBACK) as port:  # type: ignore[arg-type] # it is called like one
        yield f"deb [trusted=yes] http://{LOOPBACK}:{port} forky main"


def bootstrap(host: Host, folder: Path, mirror: str, *options: str, expires: bool = True) -> Completed:
    env = {**host.tool_env, "PATH": f"{host.path}:/usr/sbin:/sbin", "MIRROR": mirror, "no_proxy": LOOPBACK}
    freshness = f'--aptopt=Acquire::Check-Valid-Until "{str(expires).lower()}"'
    command: list[str | Path] = [sys.executable, SCRIPT, "forky", "packed.tar", *options, "--"]
    command += ["--format=tar", "--variant=custom", "--architectures=amd64", freshness]
    return run(command, env=env, cwd=folder, timeout_s=120)


def test_an_expired_index_is_refused_and_named(host: Host, tmp_path: Path, mirror: str) -> None:
    ended = bootstrap(host, tmp_path, mirror)

    assert ended.returncode != 0
    assert "fault: the mirror's index of forky has expired\n" in ended.stderr


@pytest.mark.parametrize(
    ("delay", "code"),
    [
        pytest.param(f"forky:{AGE_DAYS + 1}", 0, id="within-the-delay"),
        pytest.param(f"forky:{AGE_DAYS - 1}", 25, id="beyond-the-delay"),
        pytest.param(f"trixie:{AGE_DAYS + 1}", 25, id="of-another-suite"),
    ],
)
def test_a_suites_delay_bounds_how_old_its_index_may_be(
    host: Host, tmp_path: Path, mirror: str, delay: str, code: int
) -> None:
    ended = bootstrap(host, tmp_path, mirror, f"--delay={delay}")

    assert ended.returncode == code, ended.stderr


def test_a_snapshots_index_may_have_expired(host: Host, tmp_path: Path, mirror: str) -> None:
    ended = bootstrap(host, tmp_path, mirror, expires=False)

    assert ended.returncode == 0, ended.stderr
