"""One cause of failed builds or tests: what a tool prints, what it means, and what to write into the recipe."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from string import Template
from typing import Final, Literal

from factory.diagnoses import ways
from factory.diagnoses.cases import Diagnosis
from factory.diagnoses.missing import Kind as Thing
from factory.diagnoses.missing import Missing
from factory.diagnoses.owners import Ask
from factory.diagnoses.searchable import Searchable, one_line

Kind = Literal["build", "test", "reason"]
"""Where a cause is looked for; a `reason` is a tool's own sentence, without a way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What a tool prints, and what it means. `$names` are the groups of the pattern.

    The hint is written out, or `way` makes it of the group `wanted`, or `lacks` says what the image lacks: a thing,
    or its kind, if `wanted` is its name. Without a sentence, the lines that the pattern touches are one.
    """

    kind: Kind
    patterns: tuple[re.Pattern[str], ...]
    sentence: str
    hint: str = ""
    way: Callable[[str], str] | None = None
    lacks: Thing | Missing | None = None

    def found(self, text: Searchable) -> Iterator[re.Match[str]]:
        """Yield every place where the tool says so."""
        for pattern in self.patterns:
            yield from pattern.finditer(text)

    def diagnosis(self, match: re.Match[str], ask: Ask) -> Diagnosis[Kind]:
        """Return what a place means; `ask` says which system package has something."""
        names = {name: _tidy(value) for name, value in match.groupdict(default="").items()}
        hint = _filled(self.hint, names)
        if self.way is not None:
            hint = self.way(names["wanted"])
        elif self.lacks is not None:
            missing = self.lacks if isinstance(self.lacks, Missing) else Missing(self.lacks, names["wanted"])
            hint = ways.lacking(missing, ask)
        sentence = _filled(self.sentence, names) if self.sentence else _lines(match)
        return Diagnosis(kind=self.kind, sentence=sentence, hint=hint)


def cause(
    *expressions: str,
    says: str = "",
    hint: str = "",
    way: Callable[[str], str] | None = None,
    lacks: Thing | Missing | None = None,
    kind: Kind = "build",
) -> Cause:
    """Make a row of a table; `^` and `$` are at the ends of lines."""
    patterns = tuple(re.compile(expression, re.MULTILINE) for expression in expressions)
    return Cause(kind=kind, patterns=patterns, sentence=says, hint=hint, way=way, lacks=lacks)


def _lines(match: re.Match[str]) -> str:
    """Return the line that a match touches as it was printed, or several in one."""
    start = match.string.rfind("\n", 0, match.start() + 1) + 1
    end = match.string.find("\n", match.end())
    lines = match.string[start : None if end < 0 else end].strip()
    return _tidy(lines) if "\n" in lines else lines


def _tidy(value: str) -> str:
    return one_line(Searchable(value)).strip()


def _filled(text: str, names: Mapping[str, str]) -> str:
    return Template(text).safe_substitute(names)


CMAKE_ERROR: Final = r"^[ \t]{0,20}CMake Error at [^\n]{1,300}:\n[ \t]{0,20}"
PLACE: Final = r"^(?P<where>[^\s:][^\n:]{0,300}):\d{1,9}:\d{1,9}: "
SUBMODULE: Final = "is the folder a submodule, or left out of the sdist? source: {git: …, rev: …} includes submodules"
NEWER_COMPILER: Final = "name an image with a newer compiler (images: {…}), or use a release that works with this one"
NOT_READY: Final = (
    "the code does not support this interpreter: use a newer release, or leave the interpreter out of `interpreters`"
)
UPWARD: Final = 'use the folder above as the source: source: {path: .., subdir: "…"}'
