"""What a run's work needs of the world, put together once at the edge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.backends.base import TOOLS, WORK
from factory.digest import Digest
from factory.engine.api import ContainerSpec, Engine, FileEntry, Mount
from factory.errors import UsageError
from factory.host import Host
from factory.images import ReadyImage
from factory.pipeline.bench import Bench, Output
from factory.pipeline.model import Failure
from factory.pipeline.run import Recorder
from factory.pipeline.stages import Stages
from factory.repair import bytecode_step
from factory.resolve.tools import ToolBundle

CERTIFICATES = WORK / "certificates.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Engine, store, host, evidence and tools of one run. Only `pipeline` knows this value."""

    engine: Engine
    stages: Stages
    host: Host
    recorder: Recorder
    tools: ToolBundle
    output: Output | None = None
    keep: bool = False

    def bench(self, subject: str, *, hidden: frozenset[str] = frozenset()) -> Bench:
        """Make a bench; its container is started by whoever finds that one is needed. `hidden` is kept out of logs."""
        return Bench(
            engine=self.engine,
            subject=subject,
            recorder=self.recorder,
            output=self.output,
            secrets=lambda: self.host.secrets,
            hidden=frozenset(line for secret in hidden for line in secret.splitlines()),
        )


def filled_volume(hands: Hands, kind: str, content: Digest, fill: Callable[[str], Failure | None]) -> str | Failure:
    """Return the name of a cache volume with this content, filling it where it is absent or was never finished.

    Deleting such volumes changes no result: the ledger's entry only says that one which is still there is whole.
    """
    name = f"factory-{kind}-{hands.stages.store.owner[:8]}-{content.short}"
    with hands.stages.volume(kind, content) as entry:
        if entry.is_full and hands.engine.has_volume(name):
            return name
        hands.engine.remove_volume(name)
        hands.engine.ensure_volume(name)
        failure = fill(name)
        if failure is not None:
            hands.engine.remove_volume(name)
            return failure
        entry.set_full()
        return name


def tools_volume(hands: Hands, image: ReadyImage) -> str | Failure:
    """Return the volume that holds the tool bundle, readable by every cell and trial, written by none.

    Filled in a build image, it holds bytecode for the repairer, too; that changes nothing but time.
    """

    def fill(name: str) -> Failure | None:
        with hands.bench("tools") as bench:
            mounts = (Mount(volume=name, path=TOOLS),)
            bench.start(ContainerSpec(image=image.reference, label="tools", env={}, mounts=mounts))
            bench.put(hands.tools.entries(), TOOLS)
            return bench.run_all([bytecode_step(image.facts)] if image.facts.role == "build" else [])

    return filled_volume(hands, "tools", hands.tools.digest, fill)


def network_env(host: Host) -> Mapping[str, str]:
    """Return what a tool of ours needs in a container with network: proxies, and where the certificates lie."""
    if host.certificates is None:
        return host.network_env
    names = ("SSL_CERT_FILE", "CARGO_HTTP_CAINFO", "GIT_SSL_CAINFO")
    return {**host.network_env, **{name: str(CERTIFICATES) for name in names}}


def loopback_hint(named: Sequence[str]) -> str:
    """Say why a container does not reach what this machine reaches."""
    return (
        f"{' and '.join(named)} names this machine's loopback address, which is another one in a container: "
        "let the server listen on an address that containers reach, and name that"
    )


def certificate_files(host: Host) -> tuple[FileEntry, ...]:
    """Return the host's certificate bundle as a file for such a container."""
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
