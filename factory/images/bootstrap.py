"""Bootstrap an image: its root filesystem is assembled on this machine, outside the engine, and imported once."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from factory import process
from factory.digest import Digest, chunks
from factory.engine.api import Engine
from factory.errors import ImageError
from factory.host import Host, find_uv
from factory.images.assembly import input_digest, script
from factory.images.mirror import apt_mirror
from factory.images.spec import ImageSpec

INPUT_LABEL: Final = "wheel-factory.input"
IDENTITY_LABEL: Final = "wheel-factory.identity"

Progress = Callable[[str], None]

_TIMEOUT_S: Final = 3600
_LAST_LINES: Final = 15


def bootstrap(engine: Engine, spec: ImageSpec, *, host: Host, work: Path, progress: Progress) -> str:
    """Assemble the image in the empty folder `work` and import it; return the engine's id of it.

    The caller owns `work` and removes it.

    Raises:
        ImageError: a tool is missing, or packages or wheels could not be had.
    """
    _require_bootstrapper(host)
    progress(f"resolving and unpacking packages of {spec.suite}")
    _assemble(spec, host=host, work=work)
    rootfs, manifest = work / "rootfs.tar", (work / "manifest").read_bytes()
    progress(f"importing {rootfs.stat().st_size / 1e6:.0f} MB")
    asked = input_digest(spec)
    labels = {INPUT_LABEL: asked.hex, IDENTITY_LABEL: identity(asked, manifest).hex}
    reference = f"wheel-factory/{spec.facts.name}:{asked.short}"
    return engine.import_rootfs(_content(rootfs), reference=reference, labels=labels, env=spec.env)


def identity(asked: Digest, manifest: bytes) -> Digest:
    """Digest what enters the keys: every package and pinned wheel by hash, and how they were put together."""
    return Digest.of(f"{asked.hex}\n".encode() + manifest)


def _require_bootstrapper(host: Host) -> None:
    if shutil.which("mmdebstrap", path=_path(host)) is None:
        raise ImageError("mmdebstrap is not installed", hint="apt-get install mmdebstrap")


def _assemble(spec: ImageSpec, *, host: Host, work: Path) -> None:
    path = work / "assemble.sh"
    path.write_text(script(spec), encoding="utf-8")
    ended = process.run(["sh", path], env=_env(spec, host), cwd=work, timeout_s=_TIMEOUT_S)
    if ended.returncode != 0:
        said = "\n".join((ended.stderr + ended.stdout.decode(errors="replace")).splitlines()[-_LAST_LINES:])
        raise ImageError(
            f"{spec.facts.name} could not be assembled:\n{said}",
            hint="a mirror is chosen with FACTORY_APT_MIRROR; `factory doctor` names what is missing",
        )


def _env(spec: ImageSpec, host: Host) -> Mapping[str, str]:
    index = {"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {}
    extra = {"UV_INDEX": " ".join(host.extra_index_urls)} if host.extra_index_urls else {}
    return {
        **host.tool_env,
        **index,
        **extra,
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # every file is pinned by its hash, whichever index has it
        "PATH": _path(host),
        "MIRROR": apt_mirror(host) or "",
        "PYTHON": sys.executable,
        "UV": find_uv(),
        "FAMILY": str(spec.family_folder),
        "SCRIPTS": str(spec.scripts_folder),
    }


def _path(host: Host) -> str:
    return f"{host.path}:/usr/sbin:/sbin"


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from chunks(stream)
