"""What the jobs of a run need of the world, put together once by the run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Self

from factory.confined import Reader
from factory.engine.api import Engine, FileEntry
from factory.errors import UsageError
from factory.events.recorder import Recorder
from factory.host import Host
from factory.images import ReadyImage
from factory.memory import Material, Memory
from factory.sessions.session import Output, Session
from factory.steps import WORK
from factory.tool_bundle import ToolBundle
from factory.web.session import bare

CERTIFICATES = WORK / "certificates.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Engine, memory, host, recorder and tools of one run.

    `reader` reads files from outside, in processes of their own. `helper` returns the helper image, making it on the
    first call. Programs of ours run there beside a recipe's containers, or instead of in an image that a recipe chose.
    `output` is called with what steps print, `keep` says to save the workspace of a cell that fails.
    """

    engine: Engine
    memory: Memory
    reader: Reader
    host: Host
    recorder: Recorder
    tools: ToolBundle
    helper: Callable[[], ReadyImage]
    output: Output | None = None
    keep: bool = False

    def noting(self, on_use: Callable[[Material], object]) -> Self:
        """Return the same services for one piece of work, which notes the remembered results that it uses."""
        return replace(self, memory=self.memory.noting(on_use))

    def session(self, subject: str) -> Session:
        """Make a session; its container starts when the first step has to run."""
        return Session(
            engine=self.engine,
            subject=subject,
            recorder=self.recorder,
            monitor=lambda: self.helper().reference,
            output=self.output,
            secrets=lambda: self.host.secrets,
        )


def network_env(host: Host) -> Mapping[str, str]:
    """Return the variables for our tools in a container with network: proxies, and the path of the certificates."""
    if host.certificates is None:
        return host.network_env
    names = ("SSL_CERT_FILE", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO")
    return {**host.network_env, **{name: str(CERTIFICATES) for name in names}}


def without_logins(env: Mapping[str, str]) -> Mapping[str, str]:
    """Return variables without the users and passwords of their URLs, for commands that a recipe can influence."""
    return {name: bare(value) for name, value in env.items()}


def loopback_hint(named: Sequence[str]) -> str:
    """Return the hint for a container that cannot reach what this machine reaches."""
    return (
        f"{' and '.join(named)} names this machine's loopback address, which inside a container is its own: "
        "let the server listen on an address that containers reach, and name that one"
    )


def certificate_files(host: Host) -> tuple[FileEntry, ...]:
    """Return the host's certificates as a file for a container with network."""
    if host.certificates is None:
        return ()
    try:
        content = host.certificates.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the certificates {host.certificates} cannot be read: {error.strerror}",
            hint="name a PEM bundle that you may read in SSL_CERT_FILE",
        ) from error
    return (FileEntry(path=PurePosixPath(CERTIFICATES.name), content=content),)
