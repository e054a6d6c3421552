"""Which servers hear a user and a password: those that the machine names, and no other, whoever asks them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event

import pytest
from packaging.requirements import Requirement

from factory.confined import confined
from factory.digest import Digest
from factory.errors import SourceError
from factory.host import Host, read_host
from factory.memory import Memory
from factory.origins import Origin, is_metadata
from factory.recipe.model import UrlSource
from factory.resolve import Found, Question, Unresolved, download, resolve_requirements
from factory.sessions.sources import SourceServices
from factory.stages.source import tree_of
from factory.store import Store
from factory.tags import Interpreter, PlatformTag
from factory.web.session import open_session
from tests.makers.index import PASSWORD, USER, make_wheel_bytes, serve_index
from tests.makers.network import LOOPBACK, Authority, basic, make_authority, serving
from tests.makers.plans import make_recipe

LOGIN = basic(USER, PASSWORD)
WHEEL = "first-1.0-py3-none-any.whl"


@dataclass
class Ear:
    """A server that remembers what each request told it."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    heard: list[str | None] = field(default_factory=list)
    leads_to: str = ""

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


@contextmanager
def listening(*, tls: Authority | None = None) -> Iterator[Ear]:
    ear = Ear()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ear.heard.append(self.headers["Authorization"])
            body = ear.files.get(self.path)
            self.send_response(HTTPStatus.FOUND if ear.leads_to else HTTPStatus.OK if body else HTTPStatus.NOT_FOUND)
            if ear.leads_to:
                self.send_header("Location", ear.leads_to)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with serving(Handler, address=LOOPBACK, tls=None if tls is None else tls.server) as ear.port:
        yield ear


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


def with_netrc(folder: Path, env: dict[str, str] | None = None, *, machine: str = LOOPBACK) -> Host:
    netrc = folder / "a-netrc"
    netrc.write_text(f"machine {machine} login {USER} password {PASSWORD}\n")
    return read_host({"HOME": str(folder), "PATH": "/usr/bin:/bin", "NETRC": str(netrc), **(env or {})})


def get(host: Host, url: str) -> int:
    with open_session(host) as session:
        return session.get(url, timeout=10).status_code


@pytest.mark.parametrize(
    "configured",
    [
        pytest.param(lambda ear: {"UV_DEFAULT_INDEX": f"{ear.url}/simple/"}, id="index"),
        pytest.param(lambda ear: {"UV_EXTRA_INDEX_URL": f"{ear.url}/simple/"}, id="extra index"),
        pytest.param(lambda ear: {"FACTORY_APT_MIRROR": f"{ear.url}/debian"}, id="mirror"),
        pytest.param(lambda ear: {"RUSTUP_DIST_SERVER": f"{ear.url}/rust"}, id="Rust's server"),
    ],
)
def test_netrc_serves_a_server_that_the_machine_names_and_its_neighbour_on_another_port_hears_nothing(
    tmp_path: Path, configured: Callable[[Ear], dict[str, str]]
) -> None:
    with listening() as named, listening() as neighbour:
        host = with_netrc(tmp_path, configured(named))
        get(host, f"{named.url}/x")
        get(host, f"{neighbour.url}/x")

    assert named.heard == [LOGIN]
    assert neighbour.heard == [None]


def test_a_recipes_url_is_fetched_without_netrc_and_what_it_answered_is_not_described(
    tmp_path: Path, store: Store
) -> None:
    """The digest of a page that only this machine reaches would tell what is in it."""
    secret = b"what only this machine may read"
    with listening() as inside:
        inside.files["/x.tar.gz"] = secret
        recipe = make_recipe(source=UrlSource(url=f"{inside.url}/x.tar.gz", sha256=Digest("0" * 64)))
        memory = Memory(store=store, cancelled=Event())
        with pytest.raises(SourceError) as caught:
            tree_of(recipe, SourceServices(memory=memory, host=with_netrc(tmp_path), reader=confined))

    assert inside.heard == [None]
    assert Digest.of(secret).hex not in caught.value.message + caught.value.hint
    assert caught.value.message == f"x.tar.gz is not the file whose sha256 the recipe gives, {'0' * 64}"


def test_credentials_follow_no_redirect_to_another_port_or_from_https_to_http(
    tmp_path: Path, authority: Authority
) -> None:
    with listening() as elsewhere, listening() as plain, listening(tls=authority) as secure:
        plain.leads_to = secure.leads_to = f"{elsewhere.url}/x"
        for url in (plain.url, f"https://{LOOPBACK}:{secure.port}"):
            env = {"UV_DEFAULT_INDEX": f"{url.replace('//', f'//{USER}:{PASSWORD}@')}/simple/"}
            host = replace(read_host({"HOME": str(tmp_path), **env}), certificates=authority.certificate)
            get(host, f"{url}/x")

    assert (plain.heard, secure.heard) == ([LOGIN], [LOGIN])
    assert elsewhere.heard == [None, None]


def test_credentials_of_https_are_not_sent_to_the_same_host_and_port_by_http() -> None:
    host = read_host({"UV_DEFAULT_INDEX": "https://me:word@index.example:8443/simple/"})

    assert Origin("http", "index.example", 8443) not in host.credentials
    assert host.credentials[Origin("https", "index.example", 8443)] == ("me", "word")


def resolve(host: Host, store: Store) -> Found | Unresolved:
    question = Question(
        requirements=[Requirement("first")],
        interpreter=Interpreter(13),
        platform=PlatformTag.parse("manylinux_2_31_x86_64"),
    )
    with store.temp_folder() as folder:
        return resolve_requirements(question, host=host, folder=folder)


@pytest.mark.parametrize("is_in_url", [False, True], ids=["netrc", "URL"])
def test_a_file_that_an_index_lists_on_another_server_is_asked_for_without_credentials(
    tmp_path: Path, store: Store, is_in_url: bool
) -> None:
    """By the resolver, which reads a wheel's metadata there, and by the download."""
    wheel = make_wheel_bytes("first", "1.0", "py3-none-any")
    with listening() as files, listening() as index:
        files.files[f"/{WHEEL}"] = wheel
        link = f'<a href="{files.url}/{WHEEL}#sha256={Digest.of(wheel).hex}">{WHEEL}</a>'
        index.files["/simple/first/"] = f"<!DOCTYPE html><html><body>{link}</body></html>".encode()
        login = f"{USER}:{PASSWORD}@" if is_in_url else ""
        env = {"UV_DEFAULT_INDEX": f"http://{login}{LOOPBACK}:{index.port}/simple/"}
        host = with_netrc(tmp_path, env)
        found = resolve(host, store)
        assert isinstance(found, Found), found
        download(found, host, store)

    assert LOGIN in index.heard
    assert len(files.heard) >= 2
    assert set(files.heard) == {None}


def test_uv_reads_no_netrc_of_this_users_home(tmp_path: Path, store: Store) -> None:
    """Without NETRC uv would look into the home folder that the system's list of users has."""
    with serve_index(with_password=True) as index:
        index.add("first", "1.0")
        host = with_netrc(tmp_path, {"UV_DEFAULT_INDEX": f"{index.url}/simple/"}, machine="elsewhere.example")
        answer = resolve(host, store)

    assert isinstance(answer, Unresolved)
    assert answer.sentence == "the package index refused access"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("169.254.169.254", True),
        ("169.254.0.1", True),
        ("::ffff:169.254.169.254", True),
        ("fe80::1%eth0", True),
        ("fd00:ec2::254", True),
        ("100.100.100.200", True),
        ("224.0.0.1", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("192.0.2.1", False),
        ("index.example", False),
        ("", False),
    ],
)
def test_addresses_of_metadata_and_of_the_own_link_are_told_from_others(address: str, expected: bool) -> None:
    assert is_metadata(address) is expected


def test_an_address_of_metadata_is_refused_at_once_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^refused to connect to 169\.254\.169\.254: link-local"):
        get(read_host({"HOME": str(tmp_path)}), "http://169.254.169.254/latest/")


def test_a_forbidden_server_is_told_by_its_address_though_it_has_a_name_and_hears_nothing(tmp_path: Path) -> None:
    """Loopback stands for the forbidden address: a test has no other."""
    host = read_host({"HOME": str(tmp_path)})
    with (
        listening() as ear,
        open_session(host, is_forbidden=lambda address: address == LOOPBACK) as session,
        pytest.raises(SourceError, match="addresses are blocked"),
    ):
        session.get(f"http://localhost:{ear.port}/x", timeout=10)

    assert ear.heard == []


def test_a_forbidden_server_is_not_reached_by_a_redirect(tmp_path: Path) -> None:
    host = read_host({"HOME": str(tmp_path)})
    with listening() as ear, open_session(host) as session:
        ear.leads_to = "http://[::ffff:169.254.169.254]/latest/"
        with pytest.raises(SourceError, match="addresses are blocked"):
            session.get(f"{ear.url}/x", timeout=10)

    assert ear.heard == [None]
