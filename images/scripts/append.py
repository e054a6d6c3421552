"""Append a folder to a root filesystem's tar as root's files: append.py ROOTFS.tar FOLDER.

Folders that the tar already has are not repeated: engines refuse a layer that names a path twice.
"""

import sys
import tarfile
from pathlib import Path


def owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Take away what this machine's user says about a file."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def main() -> None:
    """Append every path in order."""
    archive, folder = sys.argv[1], Path(sys.argv[2])
    with tarfile.open(archive) as rootfs:
        present = {name.removeprefix("./").rstrip("/") for name in rootfs.getnames()}
    with tarfile.open(archive, "a") as rootfs:
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if name not in present:
                rootfs.add(path, f"./{name}", recursive=False, filter=owned_by_root)
            elif not path.is_dir():
                raise SystemExit(f"both the base and the overlay have {name}")


if __name__ == "__main__":
    main()
