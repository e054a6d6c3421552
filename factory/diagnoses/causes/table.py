"""The table of all causes, and the one that explains an output."""

from typing import Final, Literal

from factory.diagnoses.cases import Diagnosis
from factory.diagnoses.causes import (
    bazel,
    c_api,
    cmake,
    libraries,
    machine,
    meson,
    programs,
    python,
    rust,
    trials,
)
from factory.diagnoses.causes.cause import Kind
from factory.diagnoses.causes.reasons import REASONS
from factory.diagnoses.owners import Ask, listed
from factory.diagnoses.searchable import searchable

CAUSES: Final = (
    *python.CAUSES,
    *c_api.CAUSES,
    *libraries.CAUSES,
    *cmake.CAUSES,
    *meson.CAUSES,
    *programs.CAUSES,
    *machine.CAUSES,
    *rust.CAUSES,
    *trials.CAUSES,
    *bazel.CAUSES,
)
"""The last place in the output decides; where two causes begin at one place, the first of the table."""


def explain_command(output: str, kind: Literal["build", "test"], ask: Ask = listed) -> Diagnosis[Kind] | None:
    """Explain why a command failed, if a tool's message is known; without a hint where only its reason is.

    `ask` says which system package has what is missing; without one, the factory's own lists do.
    """
    text = searchable(output)
    causes = [cause for cause in CAUSES if cause.kind == kind]
    found = [(match.start(), -row, cause, match) for row, cause in enumerate(causes) for match in cause.found(text)]
    reasons = [(match.start(), cause, match) for cause in REASONS for match in cause.found(text)]
    last = max(found, key=lambda place: place[:2], default=None)
    first = min(reasons, key=lambda place: place[0], default=None)
    if last is not None and (first is None or last[0] >= first[0]):
        return last[2].diagnosis(last[3], ask)
    return None if first is None else first[1].diagnosis(first[2], ask)
