"""Private indexes and registries behind a proxy and a private authority: they serve, and their secrets stay there."""

import base64
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import docker
import pytest

from factory.host import Host
from tests.docker.command import CP313, Command, Ran
from tests.docker.projects import RUST_MODULE, make_rust_project
from tests.makers.index import PASSWORD, USER, serve_index
from tests.makers.network import (
    PROXY_PASSWORD,
    PROXY_USER,
    TOKEN,
    make_authority,
    serve_proxy,
    serve_registry,
)

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

NETRC_PASSWORD = "n3trc-w0rd"
SECRETS = (PASSWORD, PROXY_PASSWORD, TOKEN, NETRC_PASSWORD)


def spellings(secret: str, user: str) -> set[bytes]:
    """Every form in which a secret may travel."""
    basic = base64.b64encode(f"{user}:{secret}".encode())
    return {secret.encode(), quote(secret, safe="").encode(), base64.b64encode(secret.encode()), basic}


FORMS = {form for secret in SECRETS for user in (USER, PROXY_USER) for form in spellings(secret, user)}


@dataclass
class Witness:
    """All that the engine says of the containers and commands that it was asked for."""

    said: list[bytes] = field(default_factory=list)
    images: set[str] = field(default_factory=set)
    commands: int = 0


@contextmanager
def watching(daemon: docker.DockerClient) -> Iterator[Witness]:
    """Inspect every container and every command as soon as it is made."""
    witness = Witness()
    events = daemon.events(decode=True, filters={"type": "container"})

    def listen() -> None:
        for event in events:
            witness.said.append(json.dumps(event).encode())
            with suppress(docker.errors.NotFound):
                if event["Action"] in ("create", "start"):
                    found = daemon.api.inspect_container(event["id"])
                    witness.images.add(found["Image"])
                    witness.said.append(json.dumps(found).encode())
                if event["Action"].startswith("exec_create"):
                    witness.commands += 1
                    found = daemon.api.exec_inspect(event["Actor"]["Attributes"]["execID"])
                    witness.said.append(json.dumps(found).encode())

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield witness
    finally:
        events.close()
        thread.join(10)


def volumes_of(daemon: docker.DockerClient, owner: str, image: str) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a store's cache volumes; a volume is read by way of a container that never starts."""
    for volume in daemon.volumes.list(filters={"label": f"wheel-factory.owner={owner}"}):
        yield volume.name, json.dumps(volume.attrs).encode()
        reader = daemon.containers.create(image, ["never"], volumes={volume.name: {"bind": "/v", "mode": "ro"}})
        try:
            content = b"".join(reader.get_archive("/v")[0])
        finally:
            reader.remove(v=False)
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isfile() else None
                yield f"{volume.name}/{member.name}", stream.read() if stream else member.name.encode()


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        yield str(path), path.read_bytes() if path.is_file() else path.name.encode()


@dataclass(frozen=True)
class Private:
    """A run in a private network, and what its servers and the engine saw."""

    ran: Ran
    witness: Witness
    through_proxy: tuple[str, ...]
    registry: str
    authorizations: frozenset[str | None]


@pytest.fixture(scope="module")
def private(
    workshop: Command, daemon: docker.DockerClient, host: Host, gateway: str, tmp_path_factory: pytest.TempPathFactory
) -> Private:
    """Build a project in Rust: a requirement from a private index, a crate from a private registry, all by a proxy.

    The authority that signs for index and registry is a private one; the netrc is there, and nobody needs it.
    """
    home = tmp_path_factory.mktemp("home")
    authority = make_authority(tmp_path_factory.mktemp("authority"), gateway)
    bundle = home / "bundle.pem"
    bundle.write_bytes(
        (host.certificates.read_bytes() if host.certificates else b"") + authority.certificate.read_bytes()
    )
    (home / "netrc").write_text(f"machine elsewhere.invalid login me password {NETRC_PASSWORD}\n")
    with (
        serve_index(with_password=True, tls=authority.server) as index,
        serve_registry(address=gateway, token=TOKEN, tls=authority.server) as registry,
        serve_proxy(address=gateway) as proxy,
        watching(daemon) as witness,
    ):
        index.add("privately", "1.0")
        registry.add("tiny")
        (home / "config.toml").write_text(f'[registries.corp]\nindex = "{registry.index}"\n')
        project = make_rust_project(
            "guarded",
            cargo='[dependencies]\ntiny = {version = "1", registry = "corp"}\n',
            lock=registry.lock("guarded", "tiny"),
            setup="import privately",
            files={"lib.rs": RUST_MODULE.replace("NAME", "guarded") + "pub use tiny::ANSWER;\n"},
        )
        ran = workshop.build(
            workshop.recipe(project, build={"requires": ["privately"]}),
            "-v",
            "-o",
            "private",
            env={
                "UV_EXTRA_INDEX_URL": f"{index.url_with_password}/simple/",
                "SSL_CERT_FILE": str(bundle),
                "http_proxy": proxy.url(gateway),
                "https_proxy": proxy.url(gateway),
                "no_proxy": "",
                "NETRC": str(home / "netrc"),
                "CARGO_HOME": str(home),
                "CARGO_REGISTRIES_CORP_TOKEN": TOKEN,
            },
        )
        return Private(
            ran=ran,
            witness=witness,
            through_proxy=tuple(proxy.asked),
            registry=urlsplit(registry.url).netloc,
            authorizations=frozenset(registry.authorizations),
        )


def test_a_private_index_and_registry_serve_through_a_proxy(private: Private) -> None:
    assert private.ran.code == 0, private.ran.stderr
    assert (private.ran.folder / f"private/guarded-1.0-{CP313}.whl").exists()
    assert TOKEN in private.authorizations
    assert private.registry in private.through_proxy, "the container that fetches crates went by the proxy"


def test_no_secret_is_in_anything_that_is_kept_printed_or_given_to_the_engine(
    private: Private, workshop: Command, daemon: docker.DockerClient, image: str
) -> None:
    places = {
        **dict(files_of(workshop.store)),
        **dict(files_of(private.ran.folder / ".factory")),
        **dict(files_of(private.ran.folder / "private")),
        **dict(volumes_of(daemon, workshop.owner, image)),
        **{f"engine {number}": said for number, said in enumerate(private.witness.said)},
        **{f"image {each}": json.dumps(daemon.images.get(each).attrs).encode() for each in private.witness.images},
        "json": (private.ran.folder / "run.json").read_bytes(),
        "stdout": private.ran.stdout.encode(),
        "stderr": private.ran.stderr.encode(),
    }

    assert private.witness.commands > 0
    assert any("cargo" in place or "registry" in place for place in places), "the crates' volume was read"
    assert [place for place, content in places.items() if any(form in content for form in FORMS)] == []


def test_what_is_kept_is_found_where_it_is(private: Private, workshop: Command, daemon: docker.DockerClient) -> None:
    """A search that cannot find proves nothing."""
    (volume, *_) = daemon.volumes.list(filters={"label": f"wheel-factory.owner={workshop.owner}"})

    assert any(b"privately" in content for _, content in files_of(private.ran.folder / ".factory"))
    assert any(workshop.owner.encode() in said for said in private.witness.said)
    assert workshop.owner in json.dumps(volume.attrs)


def test_credentials_in_a_users_own_registry_are_refused_before_a_build_could_read_them(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "cargo").mkdir()
    url = f"sparse+https://{USER}:{PASSWORD}@registry.invalid/index/"
    (tmp_path / "cargo/config.toml").write_text(f'[registries.corp]\nindex = "{url}"\n')
    cfg_if = '[dependencies]\ncfg-if = "1"\n'
    recipe = command.recipe(make_rust_project("told", cargo=cfg_if, lock=""), build={"locked": False})

    ended = command.build(recipe, env={"CARGO_HOME": str(tmp_path / "cargo")})

    assert ended.code == 3, ended.stderr
    assert "has a user or a password in a URL of [registries.corp]" in ended.stderr
    assert PASSWORD not in ended.stderr
