"""The scripts that make images, as they are for a machine: they are written for the first one.

What differs is the names of its folder of libraries, of its loader and of Debian's architecture. They are replaced
here, and not in the scripts, since the names of all images that people have are made from the scripts' bytes.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from factory.images.assembly import DEBIAN_ARCHITECTURES
from factory.machines import MACHINES, USUAL_MACHINE

SCRIPTS: Final = "scripts"

_LOADERS: Mapping[str, str] = MappingProxyType(
    {USUAL_MACHINE: "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}
)


def scripts_for(machine: str, images: Path, work: Path) -> Path:
    """Return the folder of the scripts for a machine: that of the images' data, or one that is made in `work`.

    As there, what other folders of the data hold lies beside it.
    """
    if machine == USUAL_MACHINE:
        return images / SCRIPTS
    copy = work / "images"
    copy.mkdir()
    for folder in images.iterdir():
        if folder.name != SCRIPTS:
            (copy / folder.name).symlink_to(folder)
    (copy / SCRIPTS).mkdir()
    for script in (images / SCRIPTS).glob("*.py"):
        (copy / SCRIPTS / script.name).write_text(written_for(machine, script.read_text(encoding="utf-8")), "utf-8")
    return copy / SCRIPTS


def written_for(machine: str, script: str) -> str:
    """Return a script with the names of another machine in place of the first one's."""
    for first, other in zip(_names(USUAL_MACHINE), _names(machine), strict=True):
        script = script.replace(first, other)
    return script


def _names(machine: str) -> tuple[str, ...]:
    return MACHINES[machine].multiarch, _LOADERS[machine], f"--architectures={DEBIAN_ARCHITECTURES[machine]}"
