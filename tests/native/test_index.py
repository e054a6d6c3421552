"""The package index, asked over real connections to a server of this test."""

import contextlib
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.digest import Digest
from factory.errors import SourceError
from factory.host import Host, read_host
from factory.recipe.model import SdistSource
from factory.source.index import Fetched, fetch_sdist
from factory.source.unpack import unpack
from factory.web.bodies import body as read
from factory.web.session import attempt, open_session
from tests.budgets import within_memory
from tests.makers.sources import make_demo

JSON = "application/vnd.pypi.simple.v1+json"
NAME = "demo-1.0.tar.gz"

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """An index of answers by path; every request is kept."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append((self.path, self.headers["Authorization"]))
                answers = outer.answers.get(self.path) or [status(404)]
                (answers.pop(0) if len(answers) > 1 else answers[0])(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def lists(self, *files: dict[str, object], root: str = "/simple") -> None:
        page = {"meta": {"api-version": "1.1"}, "name": "demo", "files": list(files)}
        self.answers[f"{root}/demo/"] = [body(json.dumps(page).encode(), JSON)]

    def host(self, *, user: str = "") -> Host:
        return replace(read_host({}), index_url=f"{self.url.replace('//', f'//{user}')}/simple/")


def body(content: bytes, kind: str = "application/octet-stream") -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def status(code: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def truncated(content: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:-1])
        handler.close_connection = True

    return answer


def listed(name: str = NAME, url: str = f"/files/{NAME}", **fields: object) -> dict[str, object]:
    return {"filename": name, "url": url, "hashes": {}, **fields}


@pytest.fixture
def server() -> Iterator[Server]:
    index = Server()
    thread = Thread(target=index.http.serve_forever, args=(0.01,))
    thread.start()
    yield index
    index.http.shutdown()
    index.http.server_close()
    thread.join()


@pytest.fixture
def sdist(tmp_path: Path, server: Server) -> Digest:
    """A good sdist, listed with its hash and served."""
    content = make_demo(tmp_path).read_bytes()
    server.lists(listed(hashes={"sha256": hashlib.sha256(content).hexdigest()}))
    server.answers[f"/files/{NAME}"] = [body(content)]
    return Digest.of(content)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def demo(version: str = "1.0", sha256: Digest | None = None) -> SdistSource:
    return SdistSource(name=canonicalize_name("demo"), version=Version(version), sha256=sha256)


def fetch(server: Server, into: Path, ref: SdistSource | None = None, *, user: str = "") -> Fetched:
    return fetch_sdist(ref or demo(), server.host(user=user), into, sleep=lambda _seconds: None)


def test_a_release_is_fetched_whole_and_checked(server: Server, sdist: Digest, into: Path) -> None:
    seen: list[tuple[int, int | None]] = []

    fetched = fetch_sdist(demo(sha256=sdist), server.host(), into, progress=lambda *step: seen.append(step))

    assert (fetched.filename, fetched.digest, fetched.notes) == (NAME, sdist, ())
    assert seen[-1] == (fetched.size_bytes, fetched.size_bytes)
    assert [path.name for path in into.iterdir()] == [NAME]
    assert unpack(fetched.path).paths == ("pyproject.toml",)


def test_an_html_page_serves_as_well(server: Server, sdist: Digest, into: Path) -> None:
    """PEP 503: each link's text must be the file name, its URL may include a hash as a fragment."""
    page = f'<a href="../../files/{NAME}#sha256={sdist.hex}">{NAME}</a>'
    server.answers["/simple/demo/"] = [body(page.encode(), "text/html")]

    assert fetch(server, into).digest == sdist


@pytest.mark.parametrize("owner", ["recipe", "index"])
def test_a_wrong_hash_is_refused_naming_both_and_leaves_no_file(
    server: Server, sdist: Digest, into: Path, owner: str
) -> None:
    lie = Digest.of(b"another file")
    if owner == "index":
        server.lists(listed(hashes={"sha256": lie.hex}))

    with pytest.raises(SourceError, match=f"has {sdist}; the {owner} says {lie}"):
        fetch(server, into, demo(sha256=lie if owner == "recipe" else sdist))

    assert list(into.iterdir()) == []


@pytest.mark.parametrize("trouble", [status(503), status(429), truncated(b"x" * 100)], ids=["503", "429", "truncated"])
def test_what_may_pass_is_tried_again(server: Server, sdist: Digest, into: Path, trouble: Answer) -> None:
    server.answers[f"/files/{NAME}"].insert(0, trouble)

    assert fetch(server, into).digest == sdist


@pytest.mark.usefixtures("sdist")
def test_what_does_not_pass_ends_after_four_tries(server: Server, into: Path) -> None:
    server.answers[f"/files/{NAME}"] = [status(502)]

    with pytest.raises(SourceError, match=f"cannot get {NAME}: 127.0.0.1 answers 502"):
        fetch(server, into)

    assert [path for path, _ in server.requests].count(f"/files/{NAME}") == 4


def test_a_server_that_is_away_is_named(into: Path) -> None:
    index = Server()
    index.http.server_close()

    with pytest.raises(SourceError, match=r"cannot get the index page of demo: .*127\.0\.0\.1"):
        fetch(index, into)


@pytest.mark.usefixtures("sdist")
def test_credentials_of_the_index_url_are_used_and_never_shown(server: Server, into: Path) -> None:
    fetch(server, into, user="me:s%40cret@")

    assert {given for _, given in server.requests} == {"Basic bWU6c0BjcmV0"}

    server.answers["/simple/demo/"] = [status(403)]
    with pytest.raises(SourceError) as caught:
        fetch(server, into, user="me:s%40cret@")
    assert "cret" not in str(caught.value) + caught.value.hint
    assert "netrc" in caught.value.hint


@pytest.mark.usefixtures("sdist")
def test_netrc_gives_credentials(server: Server, into: Path, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password word")

    fetch_sdist(demo(), replace(server.host(), netrc=netrc), into)

    assert {given for _, given in server.requests} == {"Basic bWU6d29yZA=="}


def test_credentials_do_not_follow_a_link_to_another_server(server: Server, into: Path, tmp_path: Path) -> None:
    other = Server()
    thread = Thread(target=other.http.serve_forever, args=(0.01,))
    thread.start()
    other.answers[f"/{NAME}"] = [body(make_demo(tmp_path).read_bytes())]
    server.lists(listed(url=f"{other.url}/{NAME}"))

    fetch(server, into, user="me:word@")
    other.http.shutdown()
    other.http.server_close()
    thread.join()

    assert other.requests == [(f"/{NAME}", None)]


def test_a_proxy_is_used_but_where_it_is_not_wanted(server: Server, sdist: Digest, into: Path) -> None:
    through = {"http_proxy": server.url}
    host = replace(server.host(), index_url="http://index.invalid/simple/")
    server.answers["http://index.invalid/simple/demo/"] = server.answers["/simple/demo/"]
    server.answers[f"http://index.invalid/files/{NAME}"] = server.answers[f"/files/{NAME}"]

    fetched = fetch_sdist(demo(), replace(host, proxies=through), into)

    assert fetched.digest == sdist
    with pytest.raises(SourceError, match=r"index\.invalid"):
        fetch_sdist(demo(), replace(host, proxies={**through, "no_proxy": ".invalid"}), into, sleep=lambda _s: None)


@pytest.mark.usefixtures("sdist")
def test_an_extra_index_comes_first(server: Server, into: Path, tmp_path: Path) -> None:
    """A release that an extra index lists is never taken from the public one (dependency confusion)."""
    own = make_demo(tmp_path, {"setup.py": b"own"}).read_bytes()
    server.lists(listed(url="/own"), root="/extra")
    server.answers["/own"] = [body(own)]

    fetched = fetch_sdist(demo(), replace(server.host(), extra_index_urls=(f"{server.url}/extra",)), into)

    assert fetched.digest == Digest.of(own)


@pytest.mark.usefixtures("sdist")
def test_a_yanked_release_serves_a_pin_and_is_noted(server: Server, into: Path) -> None:
    """PEP 592: installers may use a yanked file for a specifier that pins an exact version with ==."""
    server.lists(listed(yanked="broken on s390x"))

    fetched = fetch(server, into)

    assert fetched.notes == (f"{NAME} is yanked: broken on s390x", f"the index gives no sha256 for {NAME}")


def test_a_missing_version_names_its_neighbours(server: Server, into: Path) -> None:
    server.lists(*(listed(f"demo-{version}.tar.gz") for version in ("0.1", "0.8", "0.9", "1.0", "2.0", "3", "4", "5")))

    with pytest.raises(SourceError, match=r"no configured index has demo 1\.5") as caught:
        fetch(server, into, demo("1.5"))

    assert caught.value.hint == "near versions: 0.8, 0.9, 1.0, 2.0, 3, 4"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        pytest.param([], "no configured index has demo", id="unknown-project"),
        pytest.param([listed("demo-1.0-py3-none-any.whl")], "demo 1.0 has wheels, but no sdist", id="wheels-only"),
        pytest.param([listed("demo-1.0.tar.bz2")], "demo 1.0 has wheels, but no sdist", id="old-format"),
    ],
)
def test_a_release_without_an_sdist_says_what_there_is(
    server: Server, into: Path, files: list[dict[str, object]], says: str
) -> None:
    server.lists(*files)

    with pytest.raises(SourceError, match=says):
        fetch(server, into)


@pytest.mark.parametrize(
    "answer",
    [body(b"<html>", "image/png"), body(b"{", JSON), body(b'{"meta": {"api-version": "9.0"}}', JSON)],
    ids=["picture", "broken-json", "api-of-the-future"],
)
def test_what_is_no_index_page_is_called_so(server: Server, into: Path, answer: Answer) -> None:
    server.answers["/simple/demo/"] = [answer]

    with pytest.raises(SourceError, match=r"127\.0\.0\.1 answers for demo with something other than an index page"):
        fetch(server, into)


def test_a_listed_name_is_no_path(server: Server, into: Path) -> None:
    server.lists(listed("../demo-1.0.tar.gz"), listed("a/demo-1.0.tar.gz"))

    with pytest.raises(SourceError):
        fetch(server, into)

    assert list(into.parent.glob("*.tar.gz")) == []


def packed(content: bytes, encoding: str, kind: str = JSON) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Encoding", encoding)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def redirected(content: bytes, to: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        with contextlib.suppress(OSError):  # nobody reads it
            handler.wfile.write(content)

    return answer


def dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(100):
            handler.wfile.write(b" ")
            sleep(0.1)


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """300 MB of blanks in 300 kB."""
    return gzip.compress(b" " * 300_000_000, 1)


def test_a_packed_page_is_unpacked(server: Server, sdist: Digest, into: Path) -> None:
    page = f'<a href="/files/{NAME}#sha256={sdist.hex}">{NAME}</a>'
    server.answers["/simple/demo/"] = [packed(gzip.compress(page.encode()), "gzip", "text/html")]

    assert fetch(server, into).digest == sdist


def test_a_page_that_unpacks_to_gigabytes_is_refused_while_it_unpacks(server: Server, into: Path, bomb: bytes) -> None:
    server.answers["/simple/demo/"] = [packed(bomb, "gzip")]

    with (
        within_memory(60 << 20),
        pytest.raises(SourceError, match="the index page of demo is larger than 33554432 bytes"),
    ):
        fetch(server, into)


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (b"\x1f\x8b", "br", "is compressed as 'br'; only gzip"),
        (b"x", "gzip, gzip", "is compressed as 'gzip, gzip'"),
        (b"no gzip", "gzip", "is declared as gzip but is not valid gzip"),
        (gzip.compress(b"{}") * 2, "gzip", "has data after the end of its gzip stream"),
        (gzip.compress(b"{}")[:-4], "gzip", "ended in the middle of a gzip stream"),
    ],
    ids=["another packer", "packed twice", "not packed", "two streams", "cut"],
)
def test_a_page_that_is_packed_otherwise_is_refused(
    server: Server, into: Path, content: bytes, encoding: str, says: str
) -> None:
    server.answers["/simple/demo/"] = [packed(content, encoding)]

    with pytest.raises(SourceError, match=says):
        fetch(server, into)


def test_a_redirection_to_what_is_no_url_is_the_indexs_fault(server: Server, into: Path) -> None:
    server.answers["/simple/demo/"] = [redirected(b"", "http://[::zzz")]

    with pytest.raises(SourceError, match="cannot get the index page of demo"):
        fetch(server, into)


def test_what_a_redirection_holds_itself_is_not_read(server: Server, sdist: Digest, into: Path, bomb: bytes) -> None:
    server.answers["/moved/"] = server.answers["/simple/demo/"]
    server.answers["/simple/demo/"] = [redirected(bomb, "/moved/")]

    with within_memory(60 << 20):
        assert fetch(server, into).digest == sdist


@pytest.mark.usefixtures("sdist")
def test_a_file_that_is_announced_too_large_is_not_begun(
    server: Server, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("factory.source.index.LIMIT_BYTES", 50)

    with pytest.raises(SourceError, match=f"{NAME} is larger than 50 bytes"):
        fetch(server, into)

    assert not any(path.stat().st_size for path in into.iterdir())


def test_a_page_that_nests_too_deep_is_no_index_page(server: Server, into: Path) -> None:
    server.answers["/simple/demo/"] = [body(b"[" * 100_000, JSON)]

    with pytest.raises(SourceError, match="with something other than an index page"):
        fetch(server, into)


def test_a_server_that_sends_a_byte_now_and_then_is_left(server: Server) -> None:
    server.answers["/drip"] = [dripping]
    started = monotonic()

    with (
        open_session(server.host()) as session,
        pytest.raises(SourceError, match="cannot get x: it had not arrived after 1 s"),
    ):
        attempt("x", lambda: b"".join(read(session, f"{server.url}/drip", "x", most_bytes=5000)), deadline_s=1)

    assert monotonic() - started < 8
