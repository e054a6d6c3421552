"""The program on a machine that has nothing but Python and an engine that it reaches by TCP.

The machine is a container of a plain Debian: its user has no rights, and there is no git, no mmdebstrap, no compiler,
and no file that the engine can see. What a build needs must come by the engine's own calls.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import docker
import pytest
from docker.models.containers import Container

from factory.engine.docker import DockerEngine
from factory.host import Host
from factory.images.ready import ensure
from factory.store import Store
from tests.cli.macos import AS_ON_MACOS
from tests.cli.test_distribution import ROOT
from tests.contract.relay import relayed_by_tcp
from tests.docker.client import USER, packed, program_files, surroundings
from tests.docker.command import CP313, PLATFORM, remove_all

pytestmark = [pytest.mark.engine, pytest.mark.index]

CLIENT = "trial-trixie"
PYTHON = "python3.13"
IMAGES = (f"lookalike-{PLATFORM}", "trial-bullseye", CLIENT)
HOME = "/home"
RUN = "from factory.cli import main; main(prog_name='factory')"
TEMPLATE = "/opt/client/factory/data/images/trial/assemble.sh.j2"
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

    def shell(self, *argv: str, folder: str = HOME) -> tuple[int, str]:
        """Run something; return its exit code, and what it printed."""
        ended = self.container.exec_run(list(argv), user=str(USER), workdir=folder, environment=dict(self.env))
        assert isinstance(ended.output, bytes)
        return int(ended.exit_code or 0), ended.output.decode()

    def factory(self, *arguments: str, before: str = "", folder: str = HOME) -> tuple[int, str]:
        """Run the program, after some code."""
        return self.shell(PYTHON, "-c", before + RUN, *arguments, folder=folder)

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


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, host: Host) -> bytes:
    return program_files("3.13", tmp_path_factory.mktemp("client"), host)


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
            yield Client(container=container, env={"HOME": HOME, **surroundings(container, host, address)})
            _, owner = Client(container=container, env={}).shell("cat", f"{HOME}/.cache/wheel-factory/owner")
        finally:
            container.remove(force=True, v=True)
        remove_all(daemon, owner.strip())


def test_the_machine_has_nothing(client: Client) -> None:
    code = "import os, shutil, sys; print(os.getuid(), *map(shutil.which, sys.argv[1:]))"

    said = client.shell(PYTHON, "-c", code, "git", "mmdebstrap", "docker", "cc", "apt-get", "make", "sudo", "perl")

    assert said == (0, f"{USER}{' None' * 8}\n")


def test_doctor_says_what_is_missing_and_that_nothing_of_it_is_needed(client: Client) -> None:
    code, said = client.factory("doctor")

    assert code == 0, said
    lines = said.splitlines()
    for name, mend in (("git", "only for sources from git"), ("mmdebstrap", "what is on the engine is used as it is")):
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


def test_the_five_commands_of_the_guide_make_a_first_wheel(client: Client) -> None:
    """The first of them installs the program, as the fixture did."""
    page = (ROOT / "docs/how-to/first-wheel.md").read_text(encoding="utf-8")
    install, *commands = [shlex.split(line, comments=True) for line in re.findall(r"^\$ (.*)$", page, re.MULTILINE)]
    folder = f"{HOME}/first"
    client.shell("mkdir", folder)

    ended = [client.factory(*arguments, folder=folder) for _, *arguments in commands]

    assert install == ["uv", "tool", "install", "."]
    assert [program for program, *_ in commands] == ["factory"] * 4
    assert [code for code, _ in ended] == [0] * 4, ended
    assert client.read(f"{folder}/dist/{WHEEL}")[:4] == b"PK\x03\x04"


def test_what_needs_git_says_so(client: Client) -> None:
    recipe = RECIPE.replace("{sdist: markupsafe==3.0.4}", "{git: https://example.org/markupsafe.git, rev: 3.0.4}")
    client.write("opt/git.yaml", recipe.encode())

    code, said = client.factory("build", "/opt/git.yaml")

    assert code == 3
    assert "git is not installed, and" in said


def test_without_an_image_to_try_on_the_wheel_is_tried_on_the_image_that_built_it(client: Client) -> None:
    """Last, because it changes the program: its trial images are others than those on the engine."""
    client.write("opt/recipe.yaml", RECIPE.encode())
    client.container.exec_run(["sh", "-c", f"echo '# another image' >>{TEMPLATE}"], user="0")

    planned, plan = client.factory("plan", "/opt/recipe.yaml")
    code, said = client.factory("build", "/opt/recipe.yaml", "--no-cache")
    pinned, sentence = client.factory("build", "/opt/recipe.yaml", "--no-cache", "--families", "lookalike")

    assert (planned, code) == (0, 0), plan + said
    assert "cp313 (build image)" in plan
    one_line = " ".join(sentence.split())
    assert pinned != 0
    assert "could not be assembled: mmdebstrap, which unpacks Debian's packages, is not installed" in one_line
    for way in ("apt-get install mmdebstrap", "reach a registry", "saved on another machine", "container of Debian"):
        assert way in one_line
