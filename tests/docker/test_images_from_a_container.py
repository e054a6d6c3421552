"""Images are made where there is no mmdebstrap: by the program in a container of Debian that reaches the engine."""

from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.mirror import apt_mirror
from factory.images.ready import ensure
from factory.store import Store
from tests.contract.relay import relayed_by_tcp
from tests.docker.client import program_files, surroundings

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

DEBIAN = "program-bookworm"  # in the place of a registry's image: it has apt, and Python 3.11
TEMPLATE = "/opt/client/factory/data/images/trial/assemble.sh.j2"
RUN = "from factory.cli import main; main(prog_name='factory')"


@pytest.fixture
def debian(
    daemon: docker.DockerClient,
    engine: DockerEngine,
    host: Host,
    gateway: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Container, dict[str, str]]]:
    if not host.docker.get("DOCKER_HOST", "unix://").startswith("unix://"):
        pytest.skip("the relay stands before an engine on a Unix socket only")
    mirror = apt_mirror(host)
    if mirror is None:
        pytest.skip("this machine names no mirror of Debian: set FACTORY_APT_MIRROR")
    with Store.open(tmp_path_factory.mktemp("store")) as store:
        image = ensure(DEBIAN, engine=engine, host=host, store=store, progress=print).reference
    with relayed_by_tcp(host, gateway) as (_, address):
        container = daemon.containers.create(image, ["sleep", "3600"])
        try:
            container.put_archive("/", program_files("3.11", tmp_path_factory.mktemp("client"), host))
            container.start()
            yield container, {**surroundings(container, host, address), "FACTORY_APT_MIRROR": mirror}
        finally:
            container.remove(force=True, v=True)


def ran(container: Container, env: dict[str, str], *argv: str) -> str:
    ended = container.exec_run(list(argv), environment=env)
    assert isinstance(ended.output, bytes)
    assert ended.exit_code == 0, ended.output.decode()
    return ended.output.decode()


def test_an_image_is_made_by_a_container_that_has_apt(
    debian: tuple[Container, dict[str, str]], daemon: docker.DockerClient
) -> None:
    container, env = debian
    ran(container, env, "sh", "-ec", 'echo "deb $FACTORY_APT_MIRROR bookworm main" >/etc/apt/sources.list')
    before = {tag for image in daemon.images.list() for tag in image.tags}

    ran(container, env, "sh", "-ec", "apt-get update && apt-get install --yes --no-install-recommends mmdebstrap")
    ran(container, env, "sh", "-ec", f"echo '# another image than the one that others use' >>{TEMPLATE}")
    said = ran(container, env, "python3.11", "-c", RUN, "image", "build", "trial-trixie")

    new = {tag for image in daemon.images.list() for tag in image.tags} - before
    (made,) = [tag for tag in new if tag.startswith("wheel-factory/trial-trixie:")]
    try:
        assert "importing" in said
        printed = daemon.containers.run(made, ["python3.13", "-c", "print(6 * 7)"], network_mode="none", remove=True)
        assert printed == b"42\n"
    finally:
        daemon.images.remove(made)
