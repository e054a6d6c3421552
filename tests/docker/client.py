"""The program in a container: its files for another Python, and how it reaches an index and an engine from there."""

import io
import sys
import tarfile
from pathlib import Path

from docker.models.containers import Container

from factory.host import Host
from factory.process import run
from tests.cli.test_distribution import ROOT, build

USER = 1000


def packed(files: list[tuple[str, bytes]]) -> bytes:
    """Pack files as they are put into a container, for its user."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid = len(content), 0o755, USER, USER
            archive.addfile(entry, io.BytesIO(content))
    return tar.getvalue()


def program_files(python: str, folder: Path, host: Host) -> bytes:
    """Pack the program's wheel and its locked requirements for a version of Python, as a tar of /opt/client."""
    wheel = build(ROOT, "wheel", folder / "wheel")
    uv = Path(sys.executable).with_name("uv")
    index = {"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {}
    install = ("pip", "install", "--quiet", "--no-config", "--only-binary=:all:", "--target", folder / "client")
    target = (f"--python-version={python}", "--python-platform=x86_64-manylinux_2_36")
    done = run(
        [uv, *install, *target, "--constraint", ROOT / "requirements/run.lock", wheel],
        env={**host.tool_env, **index, "HOME": str(folder)},
        cwd=folder,
        timeout_s=300,
    )
    assert done.returncode == 0, done.stderr
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.add(folder / "client", "opt/client")
    return tar.getvalue()


def surroundings(container: Container, host: Host, address: str) -> dict[str, str]:
    """Return the environment of a container: its engine, and how this machine reaches the index."""
    env = {"DOCKER_HOST": address, "PYTHONPATH": "/opt/client", "LC_ALL": "C.UTF-8", **host.network_env}
    if host.index_url:
        env["UV_DEFAULT_INDEX"] = host.index_url
    if host.certificates is not None:
        container.put_archive("/", packed([("opt/certificates.pem", host.certificates.read_bytes())]))
        env["SSL_CERT_FILE"] = "/opt/certificates.pem"
    return env
