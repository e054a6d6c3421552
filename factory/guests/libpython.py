"""Runs a shell line where the loader finds libpython; argument: the line.

Runs on the interpreter that the line's programs link. Never imported by the factory itself.
"""

import os
import sys
import sysconfig
from pathlib import Path


def libpython() -> Path:
    """Return this interpreter's shared library: in LIBDIR or, as in Debian, in its multiarch folder there."""
    name, libdir, multiarch = (sysconfig.get_config_var(key) for key in ("INSTSONAME", "LIBDIR", "MULTIARCH"))
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        raise SystemExit(f"error: {sys.executable} has no shared libpython")
    places = [Path(libdir, multiarch or "", name), Path(libdir, name)]
    library = next((path for path in places if path.exists()), None)
    if library is not None:
        return library
    raise SystemExit(f"error: {name} is not in {libdir}, the LIBDIR of {sys.executable}")


def main() -> None:
    """Say which library it is, and become the shell."""
    library = libpython()
    print(f"libpython is {library}", flush=True)
    others = filter(None, [os.environ.get("LD_LIBRARY_PATH")])
    os.environ["LD_LIBRARY_PATH"] = ":".join([str(library.parent), *others])
    os.execvp("sh", ["sh", "-ec", sys.argv[1]])  # noqa: S606, S607 -- the line is one of the recipe's


if __name__ == "__main__":
    main()
