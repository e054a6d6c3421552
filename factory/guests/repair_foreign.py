"""auditwheel for a wheel of another machine, named by the first argument; the others are auditwheel's own.

auditwheel judges a wheel by the policies of the wheel's machine, but takes for `--plat` only those of its own machine.
Runs on the image's interpreter with the tool bundle's modules; never imported by the factory itself.
"""

import sys

from auditwheel.architecture import Architecture
from auditwheel.main import main


def repair(machine: str) -> None:
    """Run auditwheel as on the wheel's own machine."""
    Architecture.detect = staticmethod(lambda **_: Architecture(machine))
    sys.exit(main())


if __name__ == "__main__":
    repair(sys.argv.pop(1))
