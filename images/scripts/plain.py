"""Turn one suite's unpacked packages into a plain distribution's root filesystem: PACKED TREE.

What their maintainer scripts would have done and a trial needs is done here: a shell, users, temporary folders.
Documentation, translations and package lists are left out. Runs on the host, unprivileged.
"""

import sys
import tarfile
from pathlib import Path

UNWANTED = tuple(f"./{folder}/" for folder in (
    "dev", "proc", "sys", "run", "var/cache", "var/lib", "etc/apt",
    *(f"usr/share/{name}" for name in ("doc", "man", "info", "locale", "lintian", "bug", "pixmaps", "applications")),
))  # fmt: skip
UNWANTED_SUFFIXES = (".a", ".o")
UNWANTED_FOLDERS = ("/gconv/", "/ensurepip/_bundled/", "/lib2to3/tests/", "/idlelib/", "/turtledemo/")
USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
GROUPS = "root:x:0:\nnogroup:x:65534:\n"


def is_wanted(member: tarfile.TarInfo) -> bool:
    """Choose what a trial needs of the packages."""
    return not (
        member.isdev()
        or member.name.startswith(UNWANTED)
        or member.name.endswith(UNWANTED_SUFFIXES)
        or any(folder in member.name for folder in UNWANTED_FOLDERS)
    )


def main() -> None:
    """Unpack, then settle."""
    packed, tree = Path(sys.argv[1]), Path(sys.argv[2])
    with tarfile.open(packed) as packages:
        packages.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)  # absent before Python 3.11.4
        packages.extractall(tree, members=filter(is_wanted, packages))
    for folder in ("dev", "proc", "sys", "run", "root", "tmp", "var/tmp", "etc"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
    for folder in ("tmp", "var/tmp"):
        (tree / folder).chmod(0o1777)
    (tree / "etc/passwd").write_text(USERS)
    (tree / "etc/group").write_text(GROUPS)
    shell = tree / "bin/sh"
    if not shell.exists():
        shell.symlink_to("dash")


if __name__ == "__main__":
    main()
