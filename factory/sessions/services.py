"""What the jobs of a run need of the world, put together once by the run."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Self

from factory.confined import Reader
from factory.diagnoses.missing import Missing
from factory.diagnoses.owners import Answer, Ask, listed
from factory.engine.api import Engine, FileEntry
from factory.errors import UsageError
from factory.events.recorder import Recorder
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.owners import OwnersOf, by_lists
from factory.images.ready import ReadyImage
from factory.memory import Material, Memory
from factory.redaction import bare
from factory.sessions.session import OnStopped, Output, Session, nobody
from factory.sessions.shared import SharedContainers
from factory.steps import WORK
from factory.tool_bundle import ToolBundle

CERTIFICATES = WORK / "certificates.pem"
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO")
"""The variables by which OpenSSL, cargo and git find certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Engine, memory, host, recorder and tools of one run; `tools` returns those for a machine of containers.

    `reader` reads files from outside, in processes of their own. `helper` returns the helper image, making it on the
    first call. Programs of ours run there beside a recipe's containers, or instead of in an image that a recipe chose.
    `output` is called with what steps print: all of it or, without `whole_output`, as much as their logs hold.
    `on_stopped` is called with every step that fails, before its container is removed. `keep` says to save the
    workspace of a cell that fails. `owners` says which system packages have what a build lacks. `compile_jobs` says how
    many compile jobs a subject's command may have that begins now; None leaves that to its tools. `shared` are the
    containers that do more than one piece of work.
    """

    engine: Engine
    memory: Memory
    reader: Reader
    host: Host
    recorder: Recorder
    tools: Callable[[str], ToolBundle]
    helper: Callable[[], ReadyImage]
    output: Output = nobody
    whole_output: bool = True
    keep: bool = False
    owners: OwnersOf = by_lists
    on_stopped: OnStopped | None = None
    compile_jobs: Callable[[str], int | None] = lambda _: None
    shared: SharedContainers = field(default_factory=SharedContainers)

    def noting(self, on_use: Callable[[Material], object]) -> Self:
        """Return the same services for one piece of work, which notes the remembered results that it uses."""
        return replace(self, memory=self.memory.noting(on_use))

    def session(self, subject: str, ask: Ask = listed, downloads: Callable[[], str] = lambda: "") -> Session:
        """Make a session; its container starts when the first step has to run.

        `ask` says which system package has what its commands lack, `downloads` what a source's scripts download.
        """
        return Session(
            engine=self.engine,
            subject=subject,
            recorder=self.recorder,
            monitor=lambda: self.helper().reference,
            output=self.output,
            whole_output=self.whole_output,
            secrets=lambda: self.host.secrets,
            ask=ask,
            downloads=downloads,
            on_stopped=self.on_stopped,
            compile_jobs=partial(self.compile_jobs, subject),
        )

    def asking(self, subject: str, image: ImageFacts, installed: Collection[str]) -> Ask:
        """Return what says which package of an image has something, and tells of it: an index may have to be fetched.

        `installed` are the packages that a recipe has added to the image.
        """

        def ask(missing: Missing) -> Answer:
            self.recorder.progress(subject)(f"looking up which package has {missing.words}")
            return self.owners(missing, image, installed)

        return ask


def network_env(host: Host) -> Mapping[str, str]:
    """Return the variables for our tools in a container with network: proxies, and the path of the certificates."""
    if host.certificates is None:
        return host.network_env
    return {**host.network_env, **{name: str(CERTIFICATES) for name in CERTIFICATE_VARIABLES}}


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
