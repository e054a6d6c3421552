"""musl's own loader resolves objects, each with all that it needs.

Arguments: globs of libraries that the user's system has, parted by spaces; paths of objects whose defects are waived,
parted by lines; then the paths of all objects. Ends with 1 where one cannot be resolved that is not waived.
Runs on the trial image's interpreter; never imported by the factory itself.
"""

import re
import subprocess
import sys
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path

LIBRARY = re.compile(r"Error loading shared library ([^:]*): ")
# This loader looks for every symbol, too, and here is no interpreter that would define Python's.
PYTHONS = re.compile(r"Error relocating .*: _?Py\w*: symbol not found")
ERROR = "Error "
LACKING = 127  # what the loader ends with after an error of its own


def lacking(said: str, excluded: Collection[str]) -> "list[str]":
    """Return what an object lacks, by what the loader said; where the user's system is to add libraries, no symbols."""
    libraries = [(match[1], match.string) for line in said.splitlines() if (match := LIBRARY.match(line))]
    absent = [line for name, line in libraries if not any(fnmatchcase(name, glob) for glob in excluded)]
    if libraries:
        return absent
    return [line for line in said.splitlines() if line.startswith(ERROR) and not PYTHONS.fullmatch(line)]


def main() -> None:
    """Let the loader list what each object needs."""
    excluded, tolerated = sys.argv[1].split(), set(sys.argv[2].split("\n"))
    (loader,) = Path("/lib").glob("ld-musl-*.so.1")
    is_bad = False
    for path in sys.argv[3:]:
        asked = [str(loader), "--list", path]
        done = subprocess.run(asked, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = done.stdout.decode(errors="replace")
        print(path, said, sep="\n", flush=True)
        lines = lacking(said, excluded)
        if lines or done.returncode not in (0, LACKING) or (done.returncode and ERROR not in said):
            is_waived = path in tolerated
            is_bad = is_bad or not is_waived
            word = "note: waived:" if is_waived else "error:"
            print(word, "the loader cannot resolve", ": ".join([path, *lines[:1]]), flush=True)
    sys.exit(int(is_bad))


if __name__ == "__main__":
    main()
