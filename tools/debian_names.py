"""Write which packages of Debian have a header, a pkg-config file or a `…-config` program.

They lie in `factory/diagnoses/debian.txt`. The argument is a `Contents-<architecture>.gz` of the images' suite.
"""

import gzip
import re
import sys
from collections import defaultdict
from pathlib import Path

OUTPUT = Path("factory/diagnoses/debian.txt")
NAMES = re.compile(
    r"usr/(?:include/(?:x86_64-linux-gnu/)?|(?:lib/x86_64-linux-gnu|lib|share)/pkgconfig/|bin/)"
    r"(?P<name>[\w.+-]+(?:\.h|\.hpp|\.pc|[-_]config))$",
    re.ASCII,
)


def main(contents: Path) -> None:
    """Keep the names that one package alone has."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    with gzip.open(contents, "rt", encoding="utf-8", errors="replace") as lines:
        for text in lines:
            path, _, packages = text.rstrip().rpartition(" ")
            if found := NAMES.match(path.strip()):
                owners[found["name"]].update(entry.rpartition("/")[2] for entry in packages.split(","))
    names: defaultdict[str, list[str]] = defaultdict(list)
    for name, having in owners.items():
        if len(having) == 1:
            names[min(having)].append(name)
    rows = [" ".join([package, *sorted(held)]) for package, held in sorted(names.items())]
    OUTPUT.write_text("\n".join(rows) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
