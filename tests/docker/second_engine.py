"""A second engine, for which the names of the real registries lead to loopback.

Its hosts file lies in a mount namespace of its own, and it trusts an authority of the test's: nothing else on this
machine sees either, and the engine has no setting that an ordinary one lacks.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import docker
import pytest

from tests.docker.official import ROOT
from tests.makers.network import Authority

ADDRESS = "127.0.42.1"
_NO_ENGINE = 4
_SCRIPT = """
mount --bind "$0" /etc/hosts
exec sh tests/fresh/engine.sh sh -c 'echo "$DOCKER_HOST"; read -r _ || true'
"""


def registries(daemon: docker.DockerClient) -> tuple[str, ...]:
    """Name the registry of the official images, and that of names without one, which an engine knows by its index."""
    index = urlsplit(daemon.info()["IndexServerAddress"]).hostname or ""
    return "quay.io", f"registry-1.{index.removeprefix('index.')}"


@contextmanager
def second_engine(folder: Path, authority: Authority, names: Iterable[str]) -> Iterator[str]:
    """Start the engine, with nothing in it; yield its DOCKER_HOST. The names lead to `ADDRESS`."""
    if os.geteuid() != 0 or not shutil.which("dockerd") or not shutil.which("unshare"):
        pytest.skip("a second engine with a hosts file of its own needs root, dockerd and unshare")
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{ADDRESS} {' '.join(names)}\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "SSL_CERT_FILE": str(authority.certificate)}
    line = ["unshare", "--mount", "sh", "-ec", _SCRIPT, str(hosts)]
    with subprocess.Popen(line, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        assert engine.stdin is not None
        address = engine.stdout.readline().strip()
        try:
            assert address, "the second engine did not start"
            yield address
        finally:
            engine.stdin.close()
