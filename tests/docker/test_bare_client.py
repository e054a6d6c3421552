"""The program on a machine that has nothing but Python and an engine that it reaches by TCP.

The machine is a container of a plain Debian: its user has no rights, and there is no git, no mmdebstrap, no compiler,
and no file that the engine can see. What a build needs must come by the engine's own calls.
"""

import io
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.ready import ensure
from factory.process import run
from factory.store import Store
from tests.cli.macos import AS_ON_MACOS
from tests.cli.test_distribution import ROOT, build
from tests.contract.relay import relayed_by_tcp
from tests.docker.command import CP313, PLATFORM, remove_all

pytestmark = [pytest.mark.engine, pytest.mark.index]

CLIENT = "trial-trixie"
PYTHON = "python3.13"
IMAGES = (f"lookalike-{PLATFORM}", "trial-bullseye", CLIENT)
USER = 1000
HOME = "/home"
RUN = "from factory.cli import main; main(prog_name='factory')"
RECIPE = f"""\
factory: 1
name: markupsafe
source: {{sdist: markupsafe==3.0.4}}
interpreters: [cp313]
platforms: [{PLATFORM}]
audit: {{modules: [markupsafe._speedups]}}
test: {{run: python -c "from markupsafe import _speedups"}}
"""
WHEEL = f"markupsafe-3.0.4-{CP313}.whl"


@dataclass(frozen=True, kw_only=True)
class Client:
    """The container, as the user without rights sees it."""

    container: Container
    env: Mapping[str, str]

    def shell(self, *argv: str, **env: str) -> tuple[int, str]:
        """Run something; return its exit code, and what it printed."""
        ended = self.container.exec_run(list(argv), user=str(USER), workdir=HOME, environment={**self.env, **env})
        assert isinstance(ended.output, bytes)
        return int(ended.exit_code or 0), ended.output.decode()

    def factory(self, *arguments: str, before: str = "") -> tuple[int, str]:
        """Run the program, after some code."""
        return self.shell(PYTHON, "-c", before + RUN, *arguments)

    def write(self, path: str, content: bytes) -> None:
        """Write a file by the engine's own call."""
        self.container.put_archive("/", packed([(path.lstrip("/"), content)]))

    def read(self, path: str) -> bytes:
        """Read a file as its user would."""
        code = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
        ended = self.container.exec_run([PYTHON, "-c", code, path], user=str(USER))
        assert ended.exit_code == 0, ended.output
        assert isinstance(ended.output, bytes)
        return ended.output


def packed(files: list[tuple[str, bytes]]) -> bytes:
    """Pack files as they are put into a container, for its user."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o755, USER, USER
            archive.addfile(entry, io.BytesIO(content))
    return tar.getvalue()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, host: Host) -> bytes:
    """The program's wheel and its locked requirements for the client's Python, as a tar of /opt/client."""
    folder = tmp_path_factory.mktemp("client")
    wheel = build(ROOT, "wheel", folder / "wheel")
    uv = Path(sys.executable).with_name("uv")
    index = {"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {}
    argv: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--no-config",
        "--only-binary=:all:",
        "--target",
        folder / "client",
    ]
    target = ["--python-version=3.13", "--python-platform=x86_64-manylinux_2_36"]
    done = run(
        [*argv, *target, "--constraint", ROOT / "requirements/dev.lock", wheel],
        env={**host.tool_env, **index, "HOME": str(folder)},
        cwd=folder,
        timeout_s=300,
    )
    assert done.returncode == 0, done.stderr
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(folder / "client", "opt/client")
    return tar.getvalue()


@pytest.fixture(scope="module")
def client(
    installed: bytes,
    daemon: docker.DockerClient,
    engine: DockerEngine,
    host: Host,
    gateway: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """A machine that reaches the index and the engine, on which all images are that the recipe needs."""
    if not host.docker.get("DOCKER_HOST", "unix://").startswith("unix://"):
        pytest.skip("the relay stands before an engine on a Unix socket only")
    with Store.open(tmp_path_factory.mktemp("store")) as store:
        ready = {name: ensure(name, engine=engine, host=host, store=store, progress=print) for name in IMAGES}
    with relayed_by_tcp(host, gateway) as (_, address):
        container = daemon.containers.create(
            ready[CLIENT].reference,
            ["sleep", "3600"],
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            tmpfs={HOME: f"rw,exec,mode=0700,uid={USER},gid={USER}"},
        )
        try:
            container.put_archive("/", installed)
            container.start()
            yield Client(container=container, env=surroundings(container, host, address))
            _, owner = Client(container=container, env={}).shell("cat", f"{HOME}/.cache/wheel-factory/owner")
        finally:
            container.remove(force=True, v=True)
        remove_all(daemon, owner.strip())


def surroundings(container: Container, host: Host, address: str) -> dict[str, str]:
    """Return the client's whole environment: its engine, and how this machine reaches the index."""
    env = {"HOME": HOME, "DOCKER_HOST": address, "PYTHONPATH": "/opt/client", "LC_ALL": "C.UTF-8", **host.network_env}
    if host.index_url:
        env["UV_DEFAULT_INDEX"] = host.index_url
    if host.certificates is not None:
        container.put_archive("/", packed([("opt/certificates.pem", host.certificates.read_bytes())]))
        env["SSL_CERT_FILE"] = "/opt/certificates.pem"
    return env


def test_the_machine_has_nothing(client: Client) -> None:
    code = "import os, shutil, sys; print(os.getuid(), *map(shutil.which, sys.argv[1:]))"

    said = client.shell(PYTHON, "-c", code, "git", "mmdebstrap", "docker", "cc", "apt-get", "make", "sudo", "perl")

    assert said == (0, f"{USER}{' None' * 8}\n")


def test_doctor_says_what_is_missing_and_that_nothing_of_it_is_needed(client: Client) -> None:
    code, said = client.factory("doctor")

    assert code == 0, said
    lines = said.splitlines()
    for name, mend in (("git", "only for sources from git"), ("mmdebstrap", "images that are not on the engine")):
        assert any(line.split()[:2] == ["missing", name] for line in lines), said
        (sentence,) = [line for line in lines if line.startswith(f"optional {name}: ")]
        assert mend in sentence
    assert not [line for line in lines if line.startswith("to fix")]


@pytest.mark.parametrize("system", [pytest.param("", id="linux"), pytest.param(AS_ON_MACOS, id="macos")])
def test_a_recipe_is_built_and_tried_from_there(client: Client, system: str) -> None:
    client.write("opt/recipe.yaml", RECIPE.encode())

    code, said = client.factory("build", "/opt/recipe.yaml", "--no-cache", "-o", "dist", before=system)

    assert code == 0, said
    content = client.read(f"{HOME}/dist/{WHEEL}")
    assert content[:4] == b"PK\x03\x04"
    assert f"{WHEEL}\n" in client.read(f"{HOME}/dist/SHA256SUMS").decode()
    judged, verdict = client.factory("audit", f"dist/{WHEEL}", before=system)
    assert judged == 0, verdict
    assert "passed" in verdict


def test_what_needs_git_says_so(client: Client) -> None:
    recipe = RECIPE.replace("{sdist: markupsafe==3.0.4}", "{git: https://example.org/markupsafe.git, rev: 3.0.4}")
    client.write("opt/git.yaml", recipe.encode())

    code, said = client.factory("build", "/opt/git.yaml")

    assert code == 3
    assert "git is not installed, and" in said
