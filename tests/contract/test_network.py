"""Indexes behind passwords, proxies and private authorities, asked by each of the hands that ask one."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Timer

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.errors import Interrupted, SourceError
from factory.host import Host
from factory.recipe.model import SdistSource
from factory.resolve import Found, Question, Resolution, Unresolved, download, resolve_requirements
from factory.source.index import fetch_sdist
from factory.store import Store
from factory.tags import Interpreter, PlatformTag
from tests.makers.index import PASSWORD, USER, Fault, Index, serve_index
from tests.makers.network import Authority, make_authority, serve_proxy

SDIST = SdistSource(name=canonicalize_name("first"), version=Version("1.0"), sha256=None)
FILES = {"first-1.0-py3-none-any.whl", "first-1.0.tar.gz"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


def fill(index: Index) -> None:
    index.add("first", "1.0")
    index.files["first-1.0.tar.gz"] = b"never opened"


def resolve(host: Host, store: Store) -> Found | Unresolved:
    question = Question(
        requirements=[Requirement("first")],
        interpreter=Interpreter(13),
        platform=PlatformTag.parse("manylinux_2_31_x86_64"),
    )
    with store.temp_folder() as folder:
        return resolve_requirements(question, host=host, folder=folder)


def everything(host: Host, store: Store, into: Path) -> set[str]:
    """Resolve, download and fetch a sdist; the names of what came."""
    found = resolve(host, store)
    assert isinstance(found, Found), found
    answer = download(found, host, store)
    assert isinstance(answer, Resolution), answer
    return {fetch_sdist(SDIST, host, into).filename, *(file.filename for file in answer.files)}


def test_netrc_opens_an_index_for_resolver_download_and_source_alike(store: Store, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")

    with serve_index(with_password=True) as index:
        fill(index)
        closed = replace(index.host(tmp_path), index_url=f"{index.url}/simple/")
        refused = resolve(closed, store)
        came = everything(replace(closed, netrc=netrc), store, tmp_path)

    assert isinstance(refused, Unresolved)
    assert refused.sentence == "the package index refused access"
    assert came == FILES


def test_a_private_authority_is_trusted_where_it_is_named_and_missed_by_name_where_not(
    store: Store, tmp_path: Path, authority: Authority
) -> None:
    with serve_index(tls=authority.server) as index:
        fill(index)
        host = index.host(tmp_path)
        came = everything(replace(host, certificates=authority.certificate), store, tmp_path)
        untrusted = resolve(host, store)
        with pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+: its certificate is not trusted here") as caught:
            fetch_sdist(SDIST, host, tmp_path)

    assert came == FILES
    assert isinstance(untrusted, Unresolved)
    assert untrusted.kind == "network"
    assert "certificate" in untrusted.sentence
    assert "SSL_CERT_FILE" in untrusted.hint
    assert "SSL_CERT_FILE" in caught.value.hint


@pytest.mark.parametrize("is_tls", [False, True])
def test_a_proxy_with_a_password_is_passed_by_resolver_download_and_source_alike(
    store: Store, tmp_path: Path, authority: Authority, is_tls: bool
) -> None:
    with serve_index(tls=authority.server if is_tls else None) as index, serve_proxy() as proxy:
        fill(index)
        proxies = {"http_proxy": proxy.url(), "https_proxy": proxy.url()}
        host = replace(index.host(tmp_path), proxies=proxies, certificates=authority.certificate)
        came = everything(host, store, tmp_path)

    assert came == FILES
    assert len(proxy.asked) >= 3, "the resolver, the download and the source"


@pytest.mark.parametrize("is_tls", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_proxy_that_turns_us_away_is_named_and_its_password_is_not(
    store: Store, tmp_path: Path, authority: Authority, is_tls: bool
) -> None:
    with serve_index(tls=authority.server if is_tls else None) as index, serve_proxy() as proxy:
        fill(index)
        wrong = {name: proxy.url(password="wr0ng-w0rd") for name in ("http_proxy", "https_proxy")}
        host = replace(index.host(tmp_path), proxies=wrong, certificates=authority.certificate)
        unresolved = resolve(host, store)
        with pytest.raises(SourceError, match="407") as caught:
            fetch_sdist(SDIST, host, tmp_path, sleep=lambda _: None)

    assert isinstance(unresolved, Unresolved)
    assert unresolved.kind == "network"
    assert "proxy" in unresolved.sentence + unresolved.hint
    assert "proxy" in caught.value.hint
    assert "wr0ng-w0rd" not in repr(unresolved) + caught.value.message + caught.value.hint


def test_ctrl_c_ends_a_download_at_once_though_the_server_is_silent(store: Store, tmp_path: Path) -> None:
    cancelled = Event()
    with serve_index() as index:
        filename = index.add("first", "1.0")
        host = index.host(tmp_path)
        found = resolve(host, store)
        assert isinstance(found, Found)
        index.faults[filename] = ["silent"]
        Timer(0.3, cancelled.set).start()
        started = time.monotonic()
        with pytest.raises(Interrupted):
            download(found, host, store, cancelled=cancelled)
        waited_s = time.monotonic() - started

    assert waited_s < 10, "the server is silent for 20 s"


def test_ctrl_c_ends_the_pause_before_another_try(store: Store, tmp_path: Path) -> None:
    cancelled = Event()
    with serve_index() as index:
        filename = index.add("first", "1.0")
        host = index.host(tmp_path)
        found = resolve(host, store)
        assert isinstance(found, Found)
        index.faults[filename] = ["500"] * 9
        Timer(0.3, cancelled.set).start()
        with pytest.raises(Interrupted):
            download(found, host, store, cancelled=cancelled, sleep=lambda _: time.sleep(20))


SLOW = pytest.mark.slow  # the resolver waits before it asks again
PAGE, WHEEL, SOURCE = "first", "first-1.0-py3-none-any.whl", "first-1.0.tar.gz"
CLOSED = "the connection ended before the answer did"


@pytest.mark.parametrize(
    ("name", "fault", "kind", "sentence"),
    [
        (PAGE, "500", "network", "the package index cannot be queried: HTTP status server error (500"),
        pytest.param(
            PAGE,
            "truncated",
            "network",
            "the package index cannot be queried: end of file before message length reached",
            marks=SLOW,
        ),
        (PAGE, "redirect", "network", "the package index did not answer with an index page: "),
        (PAGE, "404", "unsatisfiable", "no configured index has first"),
        (PAGE, "garbage", "unsatisfiable", "no configured index has first for cp313 on manylinux_2_31_x86_64"),
        pytest.param(
            WHEEL, "500", "network", "the package index cannot be queried: HTTP status server error (500", marks=SLOW
        ),
        (WHEEL, "404", "network", "the package index cannot be queried: HTTP status client error (404"),
        (WHEEL, "truncated", "network", f"cannot get {WHEEL}: {CLOSED}"),
        pytest.param(
            WHEEL, "redirect", "refused", "the file that the index serves as first==1.0 is not a wheel", marks=SLOW
        ),
        (WHEEL, "garbage", "refused", "the file that the index serves as first==1.0 is not a wheel"),
    ],
)
def test_an_index_with_a_bad_day_is_reported_in_one_clause_and_serves_on_the_next(
    store: Store, tmp_path: Path, name: str, fault: Fault, kind: str, sentence: str
) -> None:
    def had(host: Host) -> Resolution | Unresolved:
        found = resolve(host, store)
        return found if isinstance(found, Unresolved) else download(found, host, store, sleep=lambda _: None)

    with serve_index() as index:
        fill(index)
        index.faults[name] = [fault] * 99
        answer = had(index.host(tmp_path))
        index.faults.clear()
        again = had(index.host(tmp_path))

    assert isinstance(answer, Unresolved)
    assert (answer.kind, answer.sentence[: len(sentence)]) == (kind, sentence)
    assert "\n" not in answer.sentence
    assert answer.hint
    assert isinstance(again, Resolution)


@pytest.mark.parametrize(
    ("name", "fault", "message"),
    [
        (PAGE, "500", "cannot get the index page of first: 127.0.0.1 answers 500 Internal Server Error"),
        (PAGE, "truncated", f"cannot get the index page of first: {CLOSED}"),
        (PAGE, "garbage", "no configured index has first"),
        (SOURCE, "404", f"cannot get {SOURCE}: 127.0.0.1 answers 404 Not Found"),
        (SOURCE, "truncated", f"cannot get {SOURCE}: {CLOSED}"),
        (SOURCE, "garbage", f"{SOURCE} has sha256:"),
    ],
)
def test_a_source_from_an_index_with_a_bad_day_is_refused_and_comes_on_the_next(
    tmp_path: Path, name: str, fault: Fault, message: str
) -> None:
    with serve_index() as index:
        fill(index)
        index.faults[name] = [fault] * 99
        with pytest.raises(SourceError) as caught:
            fetch_sdist(SDIST, index.host(tmp_path), tmp_path, sleep=lambda _: None)
        index.faults.clear()
        came = fetch_sdist(SDIST, index.host(tmp_path), tmp_path)

    assert caught.value.message.startswith(message)
    assert came.filename == SOURCE


def test_a_loop_of_redirects_is_called_so(tmp_path: Path) -> None:
    with serve_index() as index:
        fill(index)
        index.faults[PAGE] = ["redirect"]
        with pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+ redirects endlessly"):
            fetch_sdist(SDIST, index.host(tmp_path), tmp_path, sleep=lambda _: None)
