"""Write which packages of Debian have a header, a library, a file of pkg-config or CMake, or a `…-config` program.

They lie in `factory/diagnoses/debian.txt`. The arguments are `Contents-amd64.gz` and `Contents-all.gz` of one suite.
"""

import gzip
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from factory.diagnoses.owners import usable

OUTPUT = Path("factory/diagnoses/debian.txt")
NAMES = re.compile(
    r"usr/(?:include/(?:x86_64-linux-gnu/)?(?P<header>[\w.+-]+\.(?:h|hpp))"
    r"|(?:lib/x86_64-linux-gnu|lib|share)/pkgconfig/(?P<module>[\w.+-]+\.pc)"
    r"|lib/x86_64-linux-gnu/(?P<library>lib[\w.+-]+\.so)"
    r"|(?:lib|share)/(?:[^\s]+/)?(?P<package>[\w.+-]+(?:Config|-config)\.cmake)"
    r"|bin/(?P<program>[\w.+-]+[-_]config))$",
    re.ASCII,
)


def main(indices: Iterable[Path]) -> None:
    """Keep the names that one package alone has, or one package for development alone."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for text in _lines(indices):
        path, _, packages = text.rstrip().rpartition(" ")
        if found := NAMES.match(path.strip()):
            owners[found[found.lastgroup or 0]].update(entry.rpartition("/")[2] for entry in packages.split(","))
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, having in owners.items():
        own = [package for package in usable(having) if package.endswith("-dev")] or usable(having)
        if len(own) == 1 and (own[0].endswith("-dev") or not name.endswith(".so")):
            names[own[0]].append(name)
    rows = [" ".join([package, *sorted(held)]) for package, held in sorted(names.items())]
    OUTPUT.write_text("\n".join(rows) + "\n", encoding="ascii")


def _lines(indices: Iterable[Path]) -> Iterator[str]:
    for index in indices:
        with gzip.open(index, "rt", encoding="utf-8", errors="replace") as lines:
            yield from lines


if __name__ == "__main__":
    main(map(Path, sys.argv[1:]))
