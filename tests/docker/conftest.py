"""What the end-to-end tests share: the command line, and a store that remembers images, tools and requirements."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import docker
import pytest

from tests.docker.command import Command, remove_all


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory, daemon: docker.DockerClient) -> Iterator[Path]:
    """A store that the session's tests share: what one of them has fetched, another has not to fetch."""
    store = tmp_path_factory.mktemp("store")
    yield store
    _remove(daemon, store)


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
