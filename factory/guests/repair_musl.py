"""auditwheel for a wheel with musl, where images have glibc; the first argument names the wheel's machine.

auditwheel judges a wheel by the policies of the wheel's libc, but takes for `--plat` only those of the libc it finds.
Runs on the image's interpreter with the tool bundle's modules; never imported by the factory itself.
"""

import sys

from auditwheel.architecture import Architecture
from auditwheel.libc import Libc
from auditwheel.main import main


def repair(machine: str) -> None:
    """Run auditwheel as on the wheel's own machine, with musl."""
    Architecture.detect = staticmethod(lambda **_: Architecture(machine))
    Libc.detect = staticmethod(lambda: Libc.MUSL)
    sys.exit(main())


if __name__ == "__main__":
    repair(sys.argv.pop(1))
