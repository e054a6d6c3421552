"""Compile Python sources of an image with the very interpreter that will read them, so that a read-only root is fast.

    bytecode.py TREE PROGRAM ROOT FOLDER…

TREE holds one suite's unpacked packages, PROGRAM the interpreter's name in its /usr/bin; FOLDERs lie below ROOT, which
becomes `/` in the image. The files are unchecked (PEP 552): neither a copied image's times nor its owner matter.
"""

import subprocess
import sys
from pathlib import Path

MULTIARCH = "x86_64-linux-gnu"


def main() -> None:
    """Run compileall through the suite's own loader."""
    tree, program, root = Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3]).resolve()
    folders = [Path(name).resolve() for name in sys.argv[4:]]
    libraries = [tree / "lib" / MULTIARCH, tree / "usr/lib" / MULTIARCH]
    loader = next(path for folder in libraries for path in sorted(folder.glob("ld-*.so*")) if path.is_file())
    start: list[str | Path] = [loader, "--library-path", ":".join(map(str, libraries)), tree / "usr/bin" / program]
    compile_all: list[str | Path] = [
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        root,
        "-p",
        "/",
    ]
    subprocess.check_call(
        [*start, *compile_all, *folders],
        env={"PYTHONHOME": str(tree / "usr"), "LC_ALL": "C.UTF-8"},
    )


if __name__ == "__main__":
    main()
