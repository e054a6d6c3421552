"""The userland of another machine: what a trial image's suite has for it, packed once, for an emulator to run."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from factory.digest import Digest
from factory.host import Host
from factory.images.assembly import userland_script
from factory.images.bootstrap import assembly_env
from factory.images.interpreters import Packed, packed
from factory.images.shell import DOWNLOADS, Progress, run_script
from factory.images.spec import ImageSpec
from factory.memory import KEY, Flag, Memory, Stage

_HELPERS: Final = ("bootstrap.py", "downloads.py", "plain.py", "unprivileged.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackUserland(Stage[Packed]):
    """A userland, packed of a suite's packages by a script and our helpers."""

    NAME, VERSION, REDONE_BY = "userland", 1, frozenset[Flag]({"update"})

    script: str
    made_of: Digest = field(metadata={KEY: "made of"})


def packed_userland(spec: ImageSpec, machine: str, *, host: Host, memory: Memory, progress: Progress) -> Packed:
    """Return the userland of an image's suite for a machine: a tar, unless the store remembers it.

    Nothing of it runs here.

    Raises:
        ImageError: packages cannot be downloaded.
        Interrupted: the run was ended meanwhile.
    """
    script = userland_script(spec, machine)
    parts = (spec.scripts_folder / name for name in _HELPERS)
    made_of = Digest.of_chunks(hashlib.sha256(part.read_bytes()).digest() for part in parts)

    def make(work: Path) -> None:
        progress(f"unpacking {spec.suite} for {machine}")
        run_script(
            script,
            failing=f"{spec.suite} for {machine} could not be unpacked",
            suite=spec.suite,
            host=host,
            work=work,
            downloads=memory.store.lasting_folder(DOWNLOADS),
            env=assembly_env(spec.family_folder, host),
            progress=progress,
        )

    return packed(memory, PackUserland(script=script, made_of=made_of), "made", make)
