"""What the end-to-end tests share: the command line, and a store that remembers images, tools and requirements."""

import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from shutil import which
from tempfile import gettempdir

import docker
import pytest

from factory.digest import chunks
from factory.host import Host
from factory.images.interpreters import CompileInterpreter, FetchInterpreterSource, MoveInterpreter
from factory.images.userland import PackUserland
from factory.keys import key
from factory.stages.rust import CompileStd, MakeRust, MakeStd
from factory.store import Store
from factory.store.entry import parse_entry
from tests.docker.command import Command, remove_all

_KEPT = (FetchInterpreterSource, CompileInterpreter, MoveInterpreter, MakeRust, MakeStd, CompileStd, PackUserland)


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory, daemon: docker.DockerClient, host: Host) -> Iterator[Path]:
    """A store that the session's tests share: what one of them has fetched, another has not to fetch.

    It has the interpreters, the Rust and the userlands that this machine's own store has: to make one takes minutes.
    """
    store = tmp_path_factory.mktemp("store")
    with Store.open(host.store) as own, Store.open(store) as shared:
        for stage in _KEPT:
            _copy(stage.NAME, own, shared)
    yield store
    _remove(daemon, store)


def _copy(stage: str, own: Store, shared: Store) -> None:
    """Copy all that a store remembers of a stage, with its files."""
    for path in (own.path / "ledger" / stage).glob("*"):
        entry = parse_entry(path.read_bytes())
        if entry is not None and all(own.has(blob) for blob in entry.blobs):
            for blob in entry.blobs:
                with own.open_blob(blob) as stream:
                    shared.put_stream(chunks(stream), blob.short)
            shared.ledger_put(stage, key(entry.document), entry.document, entry.result, entry.blobs)


@pytest.fixture(scope="session")
def gateway(daemon: docker.DockerClient) -> str:
    """The address of this machine that containers with network reach: the bridge's, by custom its first."""
    (config,) = daemon.networks.get("bridge").attrs["IPAM"]["Config"]
    return str(config.get("Gateway") or next(ip_network(config["Subnet"]).hosts()))


@pytest.fixture
def command(shared_store: Path, tmp_path: Path) -> Command:
    """`factory` with the session's store."""
    return Command(store=shared_store, folder=tmp_path)


@pytest.fixture(scope="module")
def workshop(shared_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The same for a whole module: several recipes in one run take less time than as many runs."""
    return Command(store=shared_store, folder=tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def alone(tmp_path: Path, daemon: docker.DockerClient) -> Iterator[Command]:
    """`factory` with a store that nobody else has used."""
    folder = tmp_path / "here"
    folder.mkdir()
    yield Command(store=tmp_path / "store", folder=folder)
    _remove(daemon, tmp_path / "store")


def _remove(daemon: docker.DockerClient, store: Path) -> None:
    if (store / "owner").exists():
        remove_all(daemon, (store / "owner").read_text(encoding="ascii").strip())


QEMU = tuple(f"qemu-{name}-static" for name in ("x86_64", "aarch64", "arm", "ppc64le", "riscv64", "s390x"))


@pytest.fixture(scope="session")
def qemu() -> Path:
    """The folder of qemu-user's programs: this machine's, else those of Debian's package, unpacked once."""
    if found := which(QEMU[0]):
        return Path(found).parent
    folder = Path(gettempdir()) / "wheel-factory-qemu"
    if not all((folder / name).exists() for name in QEMU):
        _unpack_qemu(folder)
    return folder


def _unpack_qemu(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    get = ["apt-get", "download", "qemu-user-static"]
    got = subprocess.run(get, cwd=folder, capture_output=True, text=True, check=False)
    if got.returncode:
        pytest.skip(f"qemu-user-static is not installed, and cannot be had: {got.stderr}")
    (package,) = folder.glob("*.deb")
    members = " ".join(f"./usr/bin/{name}" for name in QEMU)
    unpack = f"dpkg-deb --fsys-tarfile {package.name} | tar --extract --strip-components=3 {members}; rm {package.name}"
    subprocess.run(["bash", "-ceuo", "pipefail", unpack], cwd=folder, check=True)
