"""The loader of another machine's glibc resolves objects, each with all that it needs, under an emulator.

Arguments: globs of libraries that the user's system has, parted by spaces; paths of objects whose defects are waived,
parted by lines; then the paths of all objects. Ends with 1 where one cannot be resolved that is not waived.
Runs on the trial image's own interpreter; never imported by the factory itself.
"""

import os
import subprocess
import sys
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path

USERLAND = Path("/userland")
EMULATOR = USERLAND / "emulator"
LOADERS = ("lib/ld-linux*.so.?", "lib*/ld64.so.?")  # the second are those of POWER and of s390x
NOT_FOUND = "not found"


def lacking(said: str, excluded: Collection[str]) -> "list[str]":
    """Return what an object lacks, by what the loader said, except for libraries that the user's system has."""
    lines = (line.strip() for line in said.splitlines() if NOT_FOUND in line)
    named = ((line, line.partition(f" => {NOT_FOUND}")) for line in lines)
    return [
        line for line, (name, arrow, _) in named if not (arrow and any(fnmatchcase(name, glob) for glob in excluded))
    ]


def main() -> None:
    """Let the loader list what each object needs, as ldd asks it: with --list it ends at the first library it lacks."""
    excluded, tolerated = sys.argv[1].split(), set(sys.argv[2].split("\n"))
    (loader,) = (path for names in LOADERS for path in USERLAND.glob(names))
    env = {**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"}
    is_bad = False
    for path in sys.argv[3:]:
        asked = [str(EMULATOR), "-L", str(USERLAND), str(loader), path]
        done = subprocess.run(asked, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = done.stdout.decode(errors="replace")
        print(path, said, sep="\n", flush=True)
        lines = lacking(said, excluded)
        if done.returncode or lines:
            is_waived = path in tolerated
            is_bad = is_bad or not is_waived
            word = "note: waived:" if is_waived else "error:"
            print(word, "the loader cannot resolve", ": ".join([path, *lines[:1]]), flush=True)
    sys.exit(int(is_bad))


if __name__ == "__main__":
    main()
