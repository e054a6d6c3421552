"""Writes down where each Python process of a trial's tests finds the wheel's modules.

It lies in the environment's site-packages, where a `.pth` file imports it whenever a Python of the environment starts,
from 3.8 on. Run as a program it compares what was written down with what was installed: its lines begin with `error: `
or `note: `, and it ends with 1 after an error.
"""

from __future__ import annotations

import atexit
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder

TYPE_CHECKING = False  # typing itself would be imported into every process
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = os.path.join(HERE, "_factory_witness.names")
SEEN = os.path.join(HERE, "_factory_witness.seen")


def watched() -> frozenset[str]:
    """Return the dotted names of the packages and modules that the wheel brings."""
    with open(NAMES, encoding="utf-8") as names:
        return frozenset(names.read().splitlines())


class Witness:
    """The first finder of a process: it asks the others, and writes down what they found."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.told: set[tuple[str, str]] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module of the wheel as the interpreter would, by the finders behind this one."""
        if name not in self.names:
            return None
        for finder in [each for each in sys.meta_path if each is not self]:
            spec = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
            if spec is not None:
                self.tell(name, spec.origin if spec.has_location else None, spec.submodule_search_locations)
                return spec
        return None

    def look(self) -> None:
        """Write down the modules that came to be here without this finder: by a path, or by a finder before it."""
        for name in self.names.intersection(sys.modules):
            module = sys.modules[name]
            if type(module) is type(sys):
                self.tell(name, vars(module).get("__file__"), vars(module).get("__path__"))

    def tell(self, name: str, file: str | None, folders: Iterable[str] | None) -> None:
        """Write down once where a module, or a package without a file, was found."""
        places = list(folders or ()) if file is None else [file]
        for place in places:
            line = name, " ".join(str(place).split())
            if line not in self.told:
                self.told.add(line)
                with open(SEEN, "a", encoding="utf-8", errors="backslashreplace") as seen:
                    seen.write("\t".join(line) + "\n")


def installed(name: str) -> str:
    """Say where the environment has a module."""
    *folders, last = name.split(".")
    spec = PathFinder.find_spec(last, [os.path.join(HERE, *folders)])
    return (spec and spec.origin) or "not installed"


def is_installed(place: str) -> bool:
    """Whether a path lies in the environment's site-packages."""
    return os.path.realpath(place).startswith(os.path.realpath(HERE) + os.sep)


def compare(expects_some: bool) -> int:
    """Say which modules came from elsewhere."""
    seen: dict[str, None] = {}
    if os.path.exists(SEEN):
        with open(SEEN, encoding="utf-8", errors="replace") as lines:
            seen = {line: None for line in lines if line.endswith("\n")}
    found = [line.rstrip("\n").split("\t") for line in seen]
    strange = {name: place for name, place in found if not is_installed(place)}
    for name, place in sorted(strange.items()):
        print(f"error: the tests imported {name} from {place}; the wheel's is {installed(name)}")
    if expects_some and not found:
        print("note: no Python of the trial's environment imported a module of the wheel in test.run")
    for name, place in [] if strange else sorted(found):
        print(name, "from", place)
    return int(bool(strange))


if __name__ == "__main__":
    sys.exit(compare("--expects-some" in sys.argv[1:]))

WITNESS = Witness(watched())
sys.meta_path.insert(0, WITNESS)
atexit.register(WITNESS.look)
