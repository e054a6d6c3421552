"""Why a cell was made again in a run, or was not, told from the documents of its results."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich.console import Group, RenderableType
from rich.text import Text

from factory.codec import JSON
from factory.events.model import CellRecord, RunStarted, TrialResult
from factory.memory import Material
from factory.report.text import line
from factory.stages.changes import FileNameOf, changes

DocumentOf: TypeAlias = Callable[[Material], Mapping[str, JSON] | None]
"""Returns the document of a result; None where the store has it no longer."""

_GONE = "what changed is not known: the store no longer has the document of the run before"
_LOST = "nothing changed: the store no longer had the result, or it was damaged"
_FIRST = "no earlier run here has this cell"
_UNREACHED = "nothing of the run before can be compared: it did not get this far"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A cell as a run left it."""

    run: RunStarted
    record: CellRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of one result: what it is, whether it was made, and why, a clause each."""

    name: str
    made: bool
    why: tuple[str, ...]


def told(now: Seen, before: Seen | None, document_of: DocumentOf, file_name: FileNameOf) -> Iterator[Told]:
    """Tell of every result that the cell's wheel was made of, and of its trials, in their order."""
    old = {} if before is None else dict(_results(before.record))
    for name, material in _results(now.record):
        why: tuple[str, ...] = ()
        if name in old:
            why = _why(old[name], material, now.run, document_of, file_name)
        elif not material.from_store:
            why = (_FIRST if before is None else _UNREACHED,)
        yield Told(name=name, made=not material.from_store, why=why)


def _why(
    old: Material, new: Material, run: RunStarted, document_of: DocumentOf, file_name: FileNameOf
) -> tuple[str, ...]:
    if old.key != new.key:
        before, after = document_of(old), document_of(new)
        if before is None or after is None:
            return (_GONE,)
        if different := changes(before, after, file_name):
            return different
    if new.from_store:
        return ()
    flags = (("--no-cache", run.fresh), ("--update", run.update))
    return (next((f"flag {flag}" for flag, is_set in flags if is_set), _LOST),)


def _results(record: CellRecord) -> Iterator[tuple[str, Material]]:
    """Yield the results of a cell with a name for each: a stage that occurs again is numbered."""
    tried = ((f"trial {trial.interpreter}", result) for trial in record.trials for result in trial.materials)
    counted = Counter[str]()
    for name, material in (*((material.stage, material) for material in record.materials), *tried):
        counted[name] += 1
        yield name if counted[name] == 1 else f"{name} {counted[name]}", material


def render_why(now: Seen, before: Seen | None, results: Sequence[Told]) -> RenderableType:
    """Render what is told of one cell."""
    made = [result.name for result in results if result.made]
    head = "nothing was made" if not made else f"made {', '.join(made)}"
    compared = "no earlier run here has it" if before is None else f"compared with {before.run.run}"
    parts = [line(f"{now.record.cell.address}: {head} in {now.run.run}, {compared}", style="bold")]
    for result in results:
        parts.append(line(f"  {result.name}: {_told(result)}"))
        parts += [line(f"    {clause}") for clause in result.why]
    parts += [line(f"  {text}") for text in _failures(now.record)]
    return Group(*parts, Text())


def render_foreseen(address: str, before: Seen | None, results: Sequence[tuple[str, Sequence[str]]]) -> RenderableType:
    """Render what a next run would make again of one cell, by stage, and why."""
    if before is None:
        return line(f"{address}: no run here has it, so that it is made unless the store has its results", style="bold")
    failed = "; what failed there is done again" if not before.record.passed else ""
    head = "nothing that is known before a run has changed" if not results else "would be made again"
    parts = [line(f"{address}: {head}, compared with {before.run.run}{failed}", style="bold")]
    for name, clauses in results:
        parts.append(line(f"  {name}"))
        parts += [line(f"    {clause}") for clause in clauses]
    return Group(*parts)


def _told(result: Told) -> str:
    if result.made:
        return "made"
    return "from the store, where an earlier run left it" if result.why else "from the store, nothing changed"


def _failures(record: CellRecord) -> Iterator[str]:
    """Say what is done anew in each run, because it failed."""
    failed = [(None, record.failure), *((trial, trial.failure) for trial in record.trials)]
    for trial, failure in failed:
        if failure is not None:
            yield f"{_subject(trial)}{failure.step} {failure.ended}: {failure.message}; failures are not remembered"


def _subject(trial: TrialResult | None) -> str:
    return "" if trial is None else f"trial {trial.interpreter}: "
