"""What an offline build or trial tried to get is said, from what real tools print in real containers."""

from collections.abc import Iterator

import pytest

from tests.docker.command import Command, Ran
from tests.docker.projects import make_c_project

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.slow]

PYTHON = "/opt/python/cp313-cp313/bin/python"
CMAKE = """\
cmake_minimum_required(VERSION 3.20)
project(x NONE)
file(DOWNLOAD https://index.invalid/a.tar.gz a.tar.gz STATUS status)
message(FATAL_ERROR "${status}")
"""
CALL_CMAKE = (
    "import subprocess, sys\nif 'bdist_wheel' in sys.argv: subprocess.check_call(['cmake', '-B', '/tmp/b', '.'])"
)
CALL_REQUESTS = "import sys\nif 'bdist_wheel' in sys.argv: import requests; requests.get('https://index.invalid/a')"
SERVED = (
    "import http.server, urllib.request\n"
    "server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
    "server.server_close()\n"
    "urllib.request.urlopen(f'http://127.0.0.1:{server.server_port}/')\n"
)
LINES = {
    "by_urllib": f"{PYTHON} -c \"import urllib.request as u; u.urlopen('https://index.invalid/a')\"",
    "by_shell": "bash -c 'echo >/dev/tcp/index.invalid/80'",
    "refused": f"{PYTHON} served.py",
}


def write_recipes(command: Command) -> Iterator[object]:
    """Write projects that ask the network in as many ways, and a failure that does not."""
    for name, line in LINES.items():
        yield command.recipe(make_c_project(name, files={"served.py": SERVED}), build={"before": [line]})
    yield command.recipe(make_c_project("by_requests", setup=CALL_REQUESTS), build={"requires": ["requests"]})
    cmake = make_c_project("by_cmake", setup=CALL_CMAKE, files={"CMakeLists.txt": CMAKE})
    yield command.recipe(cmake, build={"requires": ["cmake"]})


@pytest.fixture(scope="module")
def ran(workshop: Command) -> Ran:
    """One run of them all."""
    return workshop.build(*map(str, write_recipes(workshop)), "-o", "offline")


@pytest.mark.parametrize(
    ("recipe", "tool", "wanted", "declared"),
    [
        ("by-urllib", "python", "a download", "{before-all: …}"),
        ("by-shell", "bash", "index.invalid", "{before-all: …}"),
        ("by-requests", "python", "index.invalid", "{before-all: …}"),
        ("by-cmake", "cmake", "a download", "{system: …}"),
    ],
)
def test_what_a_build_tried_to_get_is_reported_with_what_declares_it(
    ran: Ran, recipe: str, tool: str, wanted: str, declared: str
) -> None:
    failure = ran.failure(recipe)

    assert failure.message == f"{tool} tried to get {wanted} from the network, and builds are offline"
    assert declared in failure.hint


def test_a_failure_that_has_nothing_to_do_with_the_network_is_its_own(ran: Ran) -> None:
    assert ran.failure("refused").message == "ConnectionRefusedError: [Errno 111] Connection refused"
