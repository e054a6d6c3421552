"""Makes Python's headers for another machine: the image's own, and behind pyconfig.h what differs there.

Arguments: the folder to make, and the file that says it. Runs on the image's interpreters, from 3.9 on; never imported
by the factory itself.
"""

import sys
import sysconfig
from pathlib import Path

CONFIGURATION = "pyconfig.h"


def make(folder: Path, own: Path, machine: Path) -> None:
    """Link to every header but one, which includes the image's and then the machine's.

    Compilers look beside Python.h first, where it lies as a link.
    """
    folder.mkdir(parents=True)
    for header in own.iterdir():
        if header.name != CONFIGURATION:
            (folder / header.name).symlink_to(header)
    (folder / CONFIGURATION).write_text(f'#include "{own / CONFIGURATION}"\n#include "{machine}"\n', encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sysconfig.get_path("include")), Path(sys.argv[2]))
