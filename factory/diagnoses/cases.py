"""Tables of a program's messages and what they mean."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from factory.diagnoses.searchable import Searchable

K = TypeVar("K", bound=str)

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Case(Generic[K]):
    """A program's message, and what it means; `{names}` in the sentence are the pattern's groups.

    If the message means this only below another one, `below` finds the other.
    """

    kind: K
    pattern: re.Pattern[str]
    sentence: str
    hint: str = ""
    below: re.Pattern[str] | None = None

    def search(self, text: Searchable) -> re.Match[str] | None:
        """Find the message."""
        if self.below is None:
            return self.pattern.search(text)
        above = self.below.search(text)
        return None if above is None else self.pattern.search(text, above.end())


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Generic[K]):
    """What went wrong, as one clause, and a hint."""

    kind: K
    sentence: str
    hint: str = ""


def diagnose(cases: Iterable[Case[K]], text: Searchable, names: Mapping[str, str] = _NONE) -> Diagnosis[K] | None:
    """Return the diagnosis of the first case that fits; `names` are those in its sentence that are not groups."""
    for case in cases:
        if match := case.search(text):
            sentence = case.sentence.format_map({**names, **match.groupdict()})
            return Diagnosis(kind=case.kind, sentence=sentence, hint=case.hint)
    return None
