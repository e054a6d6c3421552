"""Bootstraps an image: its root filesystem is assembled on this machine, outside the engine, then imported."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from factory.clock import today
from factory.digest import Digest, chunks
from factory.engine.api import Engine
from factory.host import Host, find_uv
from factory.images.age import MADE_LABEL
from factory.images.assembly import input_digest, script
from factory.images.foreign import require_running_here
from factory.images.scripts import SCRIPTS, scripts_for
from factory.images.shell import Progress, run_script
from factory.images.spec import ImageSpec

INPUT_LABEL: Final = "wheel-factory.input"
IDENTITY_LABEL: Final = "wheel-factory.identity"


def assemble(spec: ImageSpec, *, host: Host, work: Path, downloads: Path, progress: Progress) -> None:
    """Assemble the image's root filesystem in the folder `work`, which the caller owns and removes.

    `downloads` are packages that other images of the same run downloaded.

    Raises:
        ImageError: a tool is missing, packages or wheels could not be downloaded, or programs for the image's machine
            do not run here.
    """
    machine = spec.facts.platform.arch
    require_running_here(spec.facts.name, machine)
    progress(f"resolving and unpacking packages of {spec.suite}")
    run_script(
        script(spec),
        failing=f"{spec.facts.name} could not be assembled",
        suite=spec.suite,
        host=host,
        work=work,
        downloads=downloads,
        env=assembly_env(spec.family_folder, host, scripts_for(machine, spec.family_folder.parent, work)),
        progress=progress,
    )


def import_assembled(engine: Engine, spec: ImageSpec, *, work: Path, progress: Progress) -> str:
    """Import what was assembled in `work`; return the engine's id of the image."""
    rootfs, manifest = work / "rootfs.tar", (work / "manifest").read_bytes()
    progress(f"importing {rootfs.stat().st_size / 1e6:.0f} MB")
    asked = input_digest(spec)
    labels = {INPUT_LABEL: asked.hex, IDENTITY_LABEL: identity(asked, manifest).hex, MADE_LABEL: str(today())}
    return engine.import_rootfs(_content(rootfs), reference=reference_of(spec), labels=labels, env=spec.env)


def reference_of(spec: ImageSpec) -> str:
    """Name an image by its input, so that another input gives another name."""
    return f"wheel-factory/{spec.facts.name}:{input_digest(spec).short}"


def identity(asked: Digest, manifest: bytes) -> Digest:
    """Digest what enters the keys: our input, and the hash of every package and pinned wheel."""
    return Digest.of(f"{asked.hex}\n".encode() + manifest)


def assembly_env(family: Path, host: Host, scripts: Path | None = None) -> Mapping[str, str]:
    """Return the variables that assembly scripts get besides those of every script: index, uv, folders of files.

    `scripts` are those for another machine than the first.
    """
    index = {"UV_DEFAULT_INDEX": host.index_url} if host.index_url else {}
    extra = {"UV_INDEX": " ".join(host.extra_index_urls)} if host.extra_index_urls else {}
    return {
        **index,
        **extra,
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # every file is pinned by its hash, whatever index it comes from
        "UV": find_uv(),
        "FAMILY": str(family),
        "SCRIPTS": str(scripts or family.parent / SCRIPTS),
    }


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from chunks(stream)
