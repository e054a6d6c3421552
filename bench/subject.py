"""What is built on both sides: one recipe for some interpreters, its unpacked sdist, and what trials run."""

import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from factory.host import Host
from factory.recipe.model import Recipe, SdistSource
from factory.recipe.parse import load_recipe
from factory.source.index import fetch_sdist
from factory.tags import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A recipe narrowed to some interpreters; `source` is its sdist's only folder."""

    recipe: Recipe
    interpreters: tuple[Interpreter, ...]
    source: Path

    @property
    def test(self) -> str:
        """The recipe's own test as one shell line, the wheel's source named as cibuildwheel names it."""
        return " && ".join(line.replace("{source}", "{project}") for line in self.recipe.test.run)

    @property
    def selection(self) -> str:
        """The interpreters as `--set` takes them."""
        return f"interpreters=[{', '.join(map(str, self.interpreters))}]"


def take(path: Path, interpreters: tuple[Interpreter, ...], host: Host, folder: Path) -> Subject:
    """Read a recipe of an sdist and unpack it into an empty folder."""
    recipe = load_recipe(path)
    if not isinstance(recipe.source, SdistSource):
        raise TypeError(f"{path} builds no sdist: nothing that both sides could take")
    fetched = fetch_sdist(recipe.source, host, folder)
    unpacked = folder / "source"
    with tarfile.open(fetched.path) as archive:
        archive.extractall(unpacked, filter="data")
    (source,) = unpacked.iterdir()
    return Subject(recipe=recipe, interpreters=interpreters, source=source)


def append_line(subject: Subject, source: Path, file: str, line: str) -> None:
    """Add a line to a file of a copy of the subject's source, which is made where there is none."""
    if not source.exists():
        shutil.copytree(subject.source, source)
    with (source / file).open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
