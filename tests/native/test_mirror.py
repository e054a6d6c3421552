"""A Debian mirror that has a bad day, and an image that is made from it by the real bootstrapper."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Literal

import pytest
import requests

from factory.errors import ImageError
from factory.host import Host, read_host
from factory.images.bootstrap import assemble
from factory.images.known import spec_named
from factory.images.mirror import apt_mirror, mirror_fault
from factory.images.spec import ImageSpec
from factory.web.session import open_session
from tests.makers.network import GARBAGE, LOOPBACK, basic, serving

USER, PASSWORD = "debby", "m1rror-w0rd"


class Mirror(BaseHTTPRequestHandler):
    """Answers as the class says."""

    status = 200
    content = b""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == basic(USER, PASSWORD)
        self.send_response(self.status if known else 401)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Relay(BaseHTTPRequestHandler):
    """Hands on what this machine's own mirror has; packages of one name it spoils, as long as `spoils` says how."""

    upstream: str
    session: requests.Session
    spoils: Literal["truncated", "lying", "nothing"] = "nothing"

    def do_GET(self) -> None:
        answer = self.session.get(f"{self.upstream}{self.path}", timeout=60)
        is_spoilt = self.spoils != "nothing" and "/libexpat1_" in self.path
        content = answer.content
        if is_spoilt and self.spoils == "lying":
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if is_spoilt and self.spoils == "truncated" else content)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def mirror() -> Iterator[tuple[type[Mirror], Host]]:
    handler = type("Handler", (Mirror,), {})
    with serving(handler, address=LOOPBACK) as port:
        url = f"http://{USER}:{PASSWORD}@{LOOPBACK}:{port}/debian"
        yield handler, replace(read_host(), apt_mirror=url, proxies={})


@pytest.mark.parametrize(
    ("status", "content", "fault"),
    [
        pytest.param(404, b"", "cannot get the index of trixie: 127.0.0.1 answers 404 Not Found", id="404"),
        pytest.param(200, GARBAGE, "the mirror's dists/trixie/InRelease is not a signed Debian index", id="a page"),
        pytest.param(200, b"-----BEGIN PGP SIGNED MESSAGE-----\n", None, id="a good one"),
    ],
)
def test_what_is_wrong_with_a_mirror_is_said(
    mirror: tuple[type[Mirror], Host], status: int, content: bytes, fault: str | None
) -> None:
    handler, host = mirror
    handler.status, handler.content = status, content

    assert mirror_fault(host, "trixie") == fault


@pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed")
def test_an_image_from_a_mirror_that_is_down_names_the_mirror_and_not_its_password(tmp_path: Path) -> None:
    host = replace(read_host(), apt_mirror=f"http://{USER}:{PASSWORD}@{LOOPBACK}:9/debian", proxies={})
    spec = spec_named("trial-trixie")
    assert isinstance(spec, ImageSpec)

    with pytest.raises(ImageError) as caught:
        assemble(spec, host=host, work=tmp_path, downloads=tmp_path, progress=lambda _: None)

    assert caught.value.message == (
        "trial-trixie could not be assembled: cannot get the index of trixie: 127.0.0.1:9: connection refused"
    )
    assert "FACTORY_APT_MIRROR" in caught.value.hint
    assert PASSWORD not in repr(caught.value)


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed")
@pytest.mark.parametrize(
    ("spoils", "says"),
    [
        pytest.param("truncated", "Error", id="truncated"),
        pytest.param("lying", "Hash Sum mismatch", id="lying about a hash"),
    ],
)
def test_a_package_that_does_not_arrive_whole_is_in_no_image_and_on_a_better_day_it_is_made(
    tmp_path: Path, spoils: Literal["truncated", "lying"], says: str
) -> None:
    """The mirror is this machine's own, behind a relay."""
    spec = spec_named("trial-trixie")
    assert isinstance(spec, ImageSpec)
    with open_session(read_host()) as session:
        upstream = (apt_mirror(read_host()) or "").rstrip("/").removesuffix("/debian")
        handler: type[Relay] = type("Handler", (Relay,), {"upstream": upstream, "session": session, "spoils": spoils})
        with serving(handler, address=LOOPBACK) as port:
            host = replace(read_host(), apt_mirror=f"http://{LOOPBACK}:{port}/debian", proxies={})
            bad, good, downloads = (tmp_path / name for name in ("bad", "good", "downloads"))
            for folder in (bad, good, downloads):
                folder.mkdir()
            with pytest.raises(ImageError) as caught:
                assemble(spec, host=host, work=bad, downloads=downloads, progress=lambda _: None)
            handler.spoils = "nothing"
            assemble(spec, host=host, work=good, downloads=downloads, progress=lambda _: None)

    assert re.fullmatch(
        rf"trial-trixie could not be assembled:\napt did not get libexpat1_\S+_amd64\.deb: .*{says}.*",
        caught.value.message,
    )
    assert not (bad / "rootfs.tar").exists()
    assert (good / "rootfs.tar").stat().st_size > 0
