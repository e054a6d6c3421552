"""Prepared images: what a recipe adds to a build image, by the package manager of the image's own distribution.

The host's mirror, proxies and certificates reach these commands through their environment and files in the workspace,
which also holds lists, archives and logs. None of it is part of the root filesystem, so nothing has to be removed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from factory import codec
from factory.digest import Digest
from factory.engine.api import Engine, FileEntry
from factory.guests import program
from factory.images.mirror import is_snapshot
from factory.keys import key
from factory.plan.model import Preparation
from factory.steps import SYSTEM_PATH, WORK, Step, StepName

BASE_LABEL: Final = "wheel-factory.base"
HOLDS_LABEL: Final = "wheel-factory.holds"
MANIFEST: Final = WORK / "manifest"

_VERSION: Final = 1  # rises when the commands change what they make of the same recipe
_TIMEOUT_S: Final = 3600
_APT_CONF: Final = WORK / "apt.conf"
_APT: Final = """\
Dir::State::lists "/work/apt/lists";
Dir::Cache "/work/apt/cache";
Dir::Log "/work/apt/log";
Acquire::Retries "3";
APT::Cmd::Pattern-Only "true";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
DPkg::Options { "--force-unsafe-io"; "--force-confdef"; "--force-confold"; };
Dpkg::Use-Pty "false";
"""
_APT_OF_A_SNAPSHOT: Final = 'Acquire::Check-Valid-Until "false";\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedHere:
    """A prepared image that the engine has: its id, the image it was made from, and what was added."""

    id: str
    base: str
    holds: str


def prepared_here(engine: Engine) -> tuple[PreparedHere, ...]:
    """List the prepared images that the engine has, whichever store they belong to."""
    images = engine.images({"wheel-factory.kind": "prepared"})
    prepared = [
        PreparedHere(id=image, base=labels.get(BASE_LABEL, ""), holds=labels.get(HOLDS_LABEL, ""))
        for image, labels in images.items()
    ]
    return tuple(sorted(prepared, key=lambda image: (image.base, image.holds, image.id)))


def input_digest(base: Digest, preparation: Preparation) -> Digest:
    """Digest what a prepared image is made from, without packages' versions, to find the image without network."""
    return key({"version": _VERSION, "base": str(base), "preparation": codec.dump(preparation)})


def identity(asked: Digest, manifest: bytes, making: str) -> Digest:
    """Digest what enters the keys: the packages that are installed now, with their hashes, and what else was done.

    A manifest does not list what a recipe's own commands brought: `making` then names this one build of the image, and
    is empty otherwise.
    """
    return Digest.of(f"{asked.hex}\n{making}\n".encode() + manifest)


def configuration(mirror: str) -> Iterator[FileEntry]:
    """Yield the files that the commands read in the workspace, besides certificates."""
    content = _APT + (_APT_OF_A_SNAPSHOT if is_snapshot(mirror) else "")
    yield FileEntry(path=PurePosixPath(_APT_CONF.name), content=content.encode())


def steps(preparation: Preparation, *, network: Mapping[str, str], mirror: str) -> Iterator[Step]:
    """Yield the commands that prepare an image, as root; `mirror` is for an image without package sources of its own.

    `network` holds the proxies and the path of the certificates.
    """
    env = {
        **network,
        "PATH": SYSTEM_PATH,
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        "APT_CONFIG": str(_APT_CONF),
    }
    if (certificates := network.get("SSL_CERT_FILE")) is not None:
        env["CURL_CA_BUNDLE"] = certificates
    if preparation.manager == "apt":
        yield _step("package-sources", _sh(_program("sources_apt")), {**env, "MIRROR": mirror})
    for line in preparation.before_all:
        yield _step("before-all", ("sh", "-ec", line), env)
    if preparation.manager is not None and preparation.packages:
        yield _step("packages", _sh(_program(f"install_{preparation.manager}"), *preparation.packages), env)
    installed = _program(f"installed_{preparation.manager}") if preparation.manager else "true"
    yield _step("package-list", _sh(f"{{ {installed}\n}} | {{ {_program('keep_manifest')}\n}}"), env)


def _program(name: str) -> str:
    return program(f"prepare/{name}.sh").strip()


def _sh(script: str, *arguments: str) -> tuple[str, ...]:
    return ("sh", "-eu", "-c", script, "prepare", *arguments)


def _step(name: StepName, argv: tuple[str, ...], env: Mapping[str, str]) -> Step:
    return Step(name=name, argv=argv, env=env, phase="prepare", timeout_s=_TIMEOUT_S)
