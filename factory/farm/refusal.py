"""Why the gate refuses a wheel, as the failure of its cell."""

from collections.abc import Callable
from typing import Final, TypeAlias

from factory.audit import Audit
from factory.diagnoses.cases import Diagnosis
from factory.diagnoses.causes.cause import Kind
from factory.failure import Failure
from factory.farm import mistagged

Lacked: TypeAlias = Callable[[], Diagnosis[Kind] | None]
"""Says what a build looked for in vain and went on without. It is called only for a wheel that lacks something."""

_PURE: Final = "pure-wheel"
_SKIPPED: Final = frozenset({"module-missing", _PURE})
"""Rules that a wheel breaks from which the build has left an extension out."""
_NEEDS_NO_FACTORY: Final = (
    "the build's log says whether an extension was skipped; a project that compiles none needs no recipe: "
    "`python -m build` makes its wheel, which runs everywhere"
)
_GUESS: Final = "module-guess-missing"


def refusal(verdict: Audit, step: str, lacked: Lacked, lines: str = "") -> Failure:
    """Say why a wheel is refused; `lines` of the recipe would ask for its tags."""
    failing = [finding for finding in verdict.findings if finding.fails]
    tags = next((finding for finding in failing if finding.rule == mistagged.RULE), None)
    skipped = next((finding for finding in failing if finding.rule in _SKIPPED), None)
    # First, because a wheel without its extension may have other tags for that alone.
    if skipped is not None and (cause := lacked()) is not None and cause.hint:
        message = f"{skipped.rule}: {skipped.message}; the build went on after: {cause.sentence}"
        return Failure(step=step, message=message, hint=cause.hint)
    if tags is not None and lines:
        return Failure(step=step, message=f"{tags.rule}: {tags.message}", hint=lines)
    worst = failing[0]
    explained = f"the report lists every finding; `factory explain {worst.rule}` explains it"
    hint = f"{_NEEDS_NO_FACTORY}; {explained}" if worst.rule == _PURE else explained
    return Failure(step=step, message=f"{worst.rule}: {worst.message}", hint=hint)


def note_of(verdict: Audit, lacked: Lacked) -> str:
    """Say why a module that was only guessed may be missing; "" where none is, or nothing was looked for in vain."""
    missing = next((finding for finding in verdict.findings if finding.rule == _GUESS), None)
    if missing is None or (cause := lacked()) is None or not cause.hint:
        return ""
    return f"{missing.message}; the build went on after: {cause.sentence}; {cause.hint}"
