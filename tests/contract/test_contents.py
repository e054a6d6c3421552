"""The index of a suite's files is read from a mirror, checked by its digest, and fetched once."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from factory.errors import SourceError
from factory.host import Host
from factory.images.contents import Contents
from factory.store import Store
from tests.makers.network import LOOPBACK, serving

LINES = """\
usr/bin/curl-config                         libdevel/libcurl4-gnutls-dev,libdevel/libcurl4-openssl-dev
usr/include/mariadb/mysql.h                 libdevel/libmariadb-dev
usr/include/x86_64-linux-gnu/ffi.h          libdevel/libffi-dev
usr/share/a name with spaces                misc/spaces
"""
RELEASE = "Origin: Debian\nSHA256:\n {digest} {size} main/Contents-amd64.gz\n"


class Counting(SimpleHTTPRequestHandler):
    """Serves a folder, and counts what is asked for."""

    asked: list[str] = []  # noqa: RUF012 -- the server makes an object of the class for each request

    def log_message(self, *_: object) -> None:
        """Count instead of printing."""
        self.asked.append(self.path)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror/dists/bullseye"
    (folder / "main").mkdir(parents=True)
    content = gzip.compress(LINES.encode())
    (folder / "main/Contents-amd64.gz").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (folder / "InRelease").write_text(RELEASE.format(digest=digest, size=len(content)))
    return folder


@pytest.fixture
def contents(tmp_path: Path, suite: Path, host: Host) -> Iterator[Contents]:
    Counting.asked.clear()
    served = partial(Counting, directory=str(suite.parents[1]))
    with serving(served, address=LOOPBACK) as port, Store.open(tmp_path / "store") as store:  # type: ignore[arg-type] # it is called like one
        here = replace(host, apt_mirror=f"http://{LOOPBACK}:{port}", proxies={})
        yield Contents(suite="bullseye", held=frozenset(), arch="x86_64", host=here, store=store)


def test_paths_and_names_are_found_and_the_index_is_fetched_once(contents: Contents) -> None:
    paths = ["usr/include/x86_64-linux-gnu/ffi.h", "usr/bin/curl-config", "*/mysql.h", "usr/include/absent.h"]

    first = contents.find(paths, ["libffi-dev", "absent"])
    again = contents.find(paths, ["libffi-dev", "absent"])

    assert (
        first
        == again
        == {
            "usr/include/x86_64-linux-gnu/ffi.h": ("libffi-dev",),
            "usr/bin/curl-config": ("libcurl4-gnutls-dev", "libcurl4-openssl-dev"),
            "*/mysql.h": ("libmariadb-dev",),
            "libffi-dev": ("libffi-dev",),
        }
    )
    assert sum("Contents" in path for path in Counting.asked) == 1


def test_an_index_that_the_release_file_does_not_list_is_refused(contents: Contents, suite: Path) -> None:
    (suite / "main/Contents-amd64.gz").write_bytes(gzip.compress(b"usr/include/ffi.h  libdevel/evil\n"))

    with pytest.raises(SourceError, match="are not those that its release file lists"):
        contents.find(["usr/include/ffi.h"], [])


def test_an_index_that_is_no_gzip_is_told(contents: Contents, suite: Path) -> None:
    (suite / "main/Contents-amd64.gz").write_bytes(b"plain")
    (suite / "InRelease").write_text(RELEASE.format(digest=hashlib.sha256(b"plain").hexdigest(), size=5))

    with pytest.raises(SourceError, match="are not valid gzip"):
        contents.find(["usr/include/ffi.h"], [])


def test_a_mirror_without_the_index_is_told(contents: Contents, suite: Path) -> None:
    (suite / "InRelease").write_text("Origin: Debian\n")

    with pytest.raises(SourceError, match="lists no main/Contents-amd64"):
        contents.find(["usr/include/ffi.h"], [])
