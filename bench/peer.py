"""The peer: cibuildwheel from the index, in an environment of its own, on an image of ours."""

import sys
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path

from uv import find_uv_bin

from bench.sample import Sample, timed
from bench.subject import Subject
from factory import process
from factory.host import Host
from factory.sessions.services import CERTIFICATE_VARIABLES

FRONTENDS = ("build", "build[uv]")
_CERTIFICATES = "/certificates.pem"
_INSTALL_TIMEOUT_S = 300


def install(folder: Path, host: Host) -> Path:
    """Install the newest cibuildwheel whose requirements the index here can satisfy; return the environment."""
    uv, env = find_uv_bin(), {**host.tool_env, **_index(host)}
    python = folder / "bin/python"
    for argv in (
        (uv, "venv", "--no-config", "--quiet", "--python", sys.executable, folder),
        (uv, "pip", "install", "--no-config", "--quiet", "--python", python, "cibuildwheel"),
    ):
        ended = process.run(argv, env=env, cwd=folder.parent, timeout_s=_INSTALL_TIMEOUT_S)
        if ended.returncode != 0:
            raise SystemExit(f"cibuildwheel cannot be installed:\n{ended.stderr}")
    return folder


def version(environment: Path) -> str:
    """Say which release was installed."""
    (site,) = environment.glob("lib/python3*/site-packages")
    (found,) = distributions(name="cibuildwheel", path=[str(site)])
    return found.version


def build(environment: Path, frontend: str, image: str, subject: Subject, host: Host, folder: Path) -> Sample:
    """Build, repair and test with one frontend; the container has network, as cibuildwheel needs it."""
    output = folder / "wheelhouse"
    program = environment / "bin/cibuildwheel"
    return timed(
        (program, "--platform", "linux", "--output-dir", output, "."),
        env={
            **host.tool_env,
            **host.docker,
            **_index(host),
            **_settings(frontend, image, subject, host),
            "HOME": str(environment),
        },
        cwd=subject.source,
        output=output,
    )


def _settings(frontend: str, image: str, subject: Subject, host: Host) -> Mapping[str, str]:
    """Say everything by variables: they win over what the project's own pyproject.toml says.

    The audit of abi3 wheels is off: cibuildwheel does it on the host, with what it downloads for it.
    """
    return {
        "CIBW_ARCHS": "x86_64",
        "CIBW_MANYLINUX_X86_64_IMAGE": image,
        "CIBW_BUILD": " ".join(f"{interpreter}-*" for interpreter in subject.interpreters),
        "CIBW_SKIP": "*-musllinux_*",
        "CIBW_BUILD_FRONTEND": frontend,
        "CIBW_TEST_COMMAND": subject.test,
        "CIBW_TEST_REQUIRES": " ".join(map(str, subject.recipe.test.requires)),
        "CIBW_AUDIT_COMMAND": "",
        "CIBW_CONTAINER_ENGINE": _engine(host),
        "CIBW_ENVIRONMENT_PASS_LINUX": " ".join([*_index(host), *host.network_env]),
    }


def _engine(host: Host) -> str:
    """Name the engine, and hand the host's bundle in, as `factory` does for its own containers with network."""
    if host.certificates is None:
        return "docker"
    names = " ".join(f"--env={name}={_CERTIFICATES}" for name in (*CERTIFICATE_VARIABLES, "PIP_CERT"))
    return f"docker; create_args: --volume={host.certificates}:{_CERTIFICATES}:ro {names}"


def _index(host: Host) -> Mapping[str, str]:
    if host.index_url is None:
        return {}
    extra = " ".join(host.extra_index_urls)
    named = {"PIP_INDEX_URL": host.index_url, "UV_DEFAULT_INDEX": host.index_url}
    return {**named, "PIP_EXTRA_INDEX_URL": extra, "UV_INDEX": extra} if extra else named
