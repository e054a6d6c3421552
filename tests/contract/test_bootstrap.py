"""A mirror whose index lists a file that it does not have: another version is taken, or the file is named."""

import re
import sys
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from factory.host import Host
from factory.images.mirror import apt_mirror
from factory.images.spec import data_folder
from factory.process import Completed, run

pytestmark = [pytest.mark.slow, pytest.mark.index]

SHA256_LENGTH = 64
SCRIPT = data_folder() / "scripts/bootstrap.py"
MANIFEST = '--extract-hook=cd "$1/var/cache/apt/archives" && sha256sum *.deb >"$1/manifest"'


@contextmanager
def mirror_without(host: Host, lost: str, asked: list[str] | None = None) -> Iterator[str]:
    """Serve the host's own mirror on loopback, but for paths that hold `lost`; add its files' names to `asked`."""
    served = [] if asked is None else asked
    upstream = apt_mirror(host) or pytest.skip("this machine names no Debian mirror: set FACTORY_APT_MIRROR")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's name
            if lost in self.path:
                self.send_error(404)
                return
            served.append(self.path.rpartition("/")[2])
            try:
                with urlopen(f"{upstream.rstrip('/')}{self.path}") as answer:
                    self.send_response(200)
                    self.send_header("Content-Length", answer.headers["Content-Length"])
                    self.end_headers()
                    copyfileobj(answer, self.wfile)
            except HTTPError as error:
                self.send_error(error.code)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def bootstrap(host: Host, folder: Path, mirror: str, *fallbacks: str, downloads: Path | None = None) -> Completed:
    """Unpack forky's base-files, of which every suite has a version of its own."""
    shared = {} if downloads is None else {"DOWNLOADS": str(downloads)}
    env = {**shared, **host.tool_env, "PATH": f"{host.path}:/usr/sbin:/sbin", "MIRROR": mirror, "no_proxy": "127.0.0.1"}
    options = ["--format=tar", "--variant=extract", "--include=base-files", MANIFEST]
    options += ['--aptopt=Acquire::Check-Valid-Until "false"']
    command: list[str | Path] = [
        sys.executable,
        SCRIPT,
        "forky",
        "packed.tar",
        *(f"--fallback=forky:{each}" for each in fallbacks),
        "--",
    ]
    return run([*command, *options], env=env, cwd=folder, timeout_s=300)


def taken(folder: Path) -> dict[str, str]:
    """What the manifest says: package and version."""
    with tarfile.open(folder / "packed.tar") as packed:
        manifest = packed.extractfile("./manifest")
        assert manifest is not None
        names = [line.split()[1].split("_") for line in manifest.read().decode().splitlines()]
    return {name: version for name, version, _ in names}


def test_another_suites_version_is_taken_of_what_the_mirror_lists_and_does_not_have(host: Host, tmp_path: Path) -> None:
    with mirror_without(host, "/base-files_14") as mirror:
        ended = bootstrap(host, tmp_path, mirror, "trixie")

    assert ended.returncode == 0, ended.stderr
    assert taken(tmp_path)["base-files"].startswith("13."), "trixie's"
    assert "note: forky lists base-files 14" in ended.stderr
    assert "and the mirror has no such file: taken from trixie" in ended.stderr


def test_what_no_suite_can_give_is_named_with_its_version(host: Host, tmp_path: Path) -> None:
    with mirror_without(host, "/base-files_") as mirror:
        ended = bootstrap(host, tmp_path, mirror, "trixie")

    assert ended.returncode != 0
    assert re.search(
        r"forky lists base-files 1[34]\S+, base-files 1[34]\S+, and the mirror has no such file", ended.stderr
    )
    assert "nor was another version of it to be had from trixie" in ended.stderr


def test_what_one_bootstrap_downloaded_the_next_one_takes_from_there(host: Host, tmp_path: Path) -> None:
    downloads, first, second = (folder_in(tmp_path, name) for name in ("downloads", "first", "second"))
    asked: list[str] = []
    with mirror_without(host, "nothing", asked) as mirror:
        ended = [bootstrap(host, folder, mirror, downloads=downloads) for folder in (first, second)]

    assert [each.returncode for each in ended] == [0, 0], ended[-1].stderr
    assert len([name for name in asked if name.startswith("base-files_")]) == 1
    assert taken(first) == taken(second)
    assert "base-files" in taken(second)
    with tarfile.open(first / "packed.tar") as packed, tarfile.open(second / "packed.tar") as again:
        assert packed.getnames() == again.getnames()
        settings = packed.extractfile("./etc/apt/apt.conf.d/99mmdebstrap")
        assert settings is not None
        assert b"Post-Invoke" not in settings.read(), "apt in the image shares nothing"


def test_two_bootstraps_at_once_download_once(host: Host, tmp_path: Path) -> None:
    downloads, first, second = (folder_in(tmp_path, name) for name in ("downloads", "first", "second"))
    asked: list[str] = []
    with mirror_without(host, "nothing", asked) as mirror, ThreadPoolExecutor() as pool:
        ended = list(pool.map(lambda folder: bootstrap(host, folder, mirror, downloads=downloads), (first, second)))

    assert [each.returncode for each in ended] == [0, 0], ended[-1].stderr
    assert len([name for name in asked if name.startswith("base-files_")]) == 1
    assert taken(first) == taken(second)


def test_a_download_that_was_changed_is_not_taken(host: Host, tmp_path: Path) -> None:
    downloads, first, second = (folder_in(tmp_path, name) for name in ("downloads", "first", "second"))
    asked: list[str] = []
    with mirror_without(host, "nothing", asked) as mirror:
        before = bootstrap(host, first, mirror, downloads=downloads)
        kept = [path for path in downloads.iterdir() if len(path.name) == SHA256_LENGTH]
        for path in kept:
            path.write_bytes(b"changed")
        ended = bootstrap(host, second, mirror, downloads=downloads)

    assert (before.returncode, ended.returncode) == (0, 0), ended.stderr
    assert len([name for name in asked if name.startswith("base-files_")]) == 2
    assert taken(first) == taken(second)
    assert [sha256(path.read_bytes()).hexdigest() for path in kept] == [path.name for path in kept]


def folder_in(parent: Path, name: str) -> Path:
    """Make a folder."""
    (parent / name).mkdir()
    return parent / name
