"""A run as tables."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from factory.audit import RULES, Finding, subject_glob, waiver_line
from factory.catalogue import Severity
from factory.events.model import CellRecord, Outcome, Run, Status, TrialResult
from factory.excerpt import ITEMS, few, listed
from factory.plan.model import Cell
from factory.release import Release
from factory.report.covered import covered_lines
from factory.report.once import Told, told_once
from factory.report.proof import proof_lines
from factory.report.tally import HEAD, tallies, total
from factory.report.text import line

STYLES: dict[Status, str] = {
    "passed": "green",
    "cached": "green",
    "failed": "bold red",
    "lost": "magenta",
    "timeout": "magenta",
    "blocked": "yellow",
    "unbuildable": "yellow",
    "error": "bold magenta",
}
MARKS: Mapping[Outcome, str] = {
    "passed": "✓",
    "failed": "✗",
    "timeout": "⏱",
    "lost": "?",
    "untried": "-",
    "blocked": "-",
    "error": "!",
}
_WIDE = 110

_Cause: TypeAlias = tuple[str, bool, str, str]


def render_run(
    run: Run, release: Release | None, flags: Sequence[str] = (), output: Sequence[str] = ()
) -> RenderableType:
    """Render the whole end of a run; `flags` and `output` are those of this call that the next one should repeat.

    `output` are those that only a build has.
    """
    parts: list[RenderableType] = []
    if run.records:
        parts.append(_Wheels(run.records))
    if len(run.plans) > 1:
        parts += [Text(), _counted(run), Text()]
    for told in told_once(run.records):
        parts += _failure(told, run.folder)
    parts += _findings(run.records)
    parts += _unlike(run)
    for bad in run.failed_recipes:
        parts.append(line(f"✗ {bad.recipe}: {bad.message}", style="bold red"))
        parts += [line(f"  hint: {bad.hint}")] if bad.hint else []
    parts += [line(text, style="dim") for text in proof_lines(run)]
    parts += [line(text) for text in few(tuple(covered_lines(run)))]
    parts += [line(f"note: {plan.recipe}: {note}", style="yellow") for plan in run.plans for note in plan.notes]
    if release is not None:
        parts += _released(release)
    parts.append(line(closing(run), style="bold"))
    parts += [line(text) for text in _next(run, flags, output)]
    return Group(*parts)


@dataclass(frozen=True, slots=True)
class _Wheels:
    """The table of wheels. Where it is narrow, the platform that all share is named below, not in each row."""

    records: Sequence[CellRecord]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        platforms = {str(record.cell.platform) for record in self.records if record.cell.makes_wheel}
        if options.max_width >= _WIDE or len(platforms) != 1:
            yield _wheels(self.records)
        else:
            shared = f"-{platforms.pop()}"
            yield _wheels(self.records, shared)
            yield line(f"all tags end in {shared}", style="dim")


def _wheels(records: Iterable[CellRecord], shared: str = "") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("wheel", "tags", "status", "size", "trials", "seconds"):
        table.add_column(name, justify="right" if name in ("size", "seconds") else "left", overflow="fold")
    for record in records:
        size = f"{record.wheel.size_bytes / 1000:.0f} kB" if record.wheel else "-"
        seconds = sum(record.seconds.values()) + sum(trial.duration_s for trial in record.trials)
        name, tags = _split(record)
        status = line(record.status, style=STYLES[record.status])
        table.add_row(
            line(name), line(tags.removesuffix(shared)), status, size, _trials(record.trials), f"{seconds:.1f}"
        )
    return table


def _counted(run: Run) -> Table:
    """Count owed, built and tried wheels of each recipe, and of all."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in HEAD:
        table.add_column(name, justify="left" if name == "recipe" else "right", overflow="fold")
    counted = tallies(run)
    for tally in (*counted, total(counted)):
        table.add_row(*(line(text) for text in tally.cells), style="" if tally.is_good else "bold red")
    return table


def _split(record: CellRecord) -> tuple[str, str]:
    """Split a wheel's file name into what precedes its tags, and the tags."""
    if record.wheel is None:
        return record.cell.recipe, record.cell.id
    name, *tags = record.wheel.filename.removesuffix(".whl").rsplit("-", 3)
    return name, "-".join(tags)


def _trials(trials: Iterable[TrialResult]) -> Text:
    return line(" ".join(f"{trial.interpreter}{MARKS[trial.outcome]}" for trial in trials) or "-")


def _findings(records: Iterable[CellRecord]) -> list[Text]:
    """List the findings of wheels; those that several wheels share once, and once for each rule what to do."""
    shown = {record.cell.address: findings for record in records if (findings := _shown(record))}
    shared: dict[tuple[_Cause, ...], list[str]] = {}
    for address, findings in shown.items():
        shared.setdefault(tuple(map(_cause, findings)), []).append(address)
    texts = [text for addresses in shared.values() for text in _block(shown[addresses[0]], addresses)]
    return [line(text) for text in [*texts, *_remedies(chain.from_iterable(shown.values()))]]


def _cause(finding: Finding) -> _Cause:
    """Return what is the same in other cells: not a wheel's name and a module's suffix."""
    return finding.rule, finding.waived is not None, subject_glob(finding.subject), finding.message


def _shown(record: CellRecord) -> list[Finding]:
    audit = record.after or record.before  # what the repair has put right need not be reported
    return [finding for finding in (audit.findings if audit else ()) if _is_shown(finding, record)]


def _block(findings: Iterable[Finding], addresses: Sequence[str]) -> list[str]:
    texts = list(dict.fromkeys(map(_finding, findings)))
    more = [f"  and {len(texts) - ITEMS} more findings; --json lists more"] if len(texts) > ITEMS else []
    return [f"{listed(addresses)}:", *texts[:ITEMS], *more]


def _remedies(findings: Iterable[Finding]) -> list[str]:
    """Return for each rule that refuses wheels how to fix it, and the recipe's line that accepts it."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.fails:
            by_rule.setdefault(finding.rule, []).append(finding)
    texts = []
    for name, of_rule in by_rule.items():
        texts.append(f"fix {name}: {RULES[name].mend}")
        if accepting := waiver_line(RULES[name], of_rule):
            texts.append(f"  or accept it in the recipe: {accepting}")
    return texts


def _is_shown(finding: Finding, record: CellRecord) -> bool:
    return finding.fails or (record.passed and finding.severity is not Severity.NOTE)


def _finding(finding: Finding) -> str:
    waived = " (waived)" if finding.waived is not None else ""
    where = "" if finding.subject.endswith(".whl") else f"{finding.subject}: "  # the address above says which wheel
    return f"  {finding.severity}{waived} {finding.rule}: {where}{finding.message}"


def _unlike(run: Run) -> list[Text]:
    """Name the wheels that were made anew with other bytes than before."""
    unlike = [record for record in run.records if record.unlike]
    texts = few(
        tuple(f"not the same bytes: {record.cell.address}: before: {run.folder}/{record.unlike}" for record in unlike)
    )
    why = (
        "  an earlier run built them of the same inputs: either the build is not reproducible, or what cargo or Bazel "
        "kept of an earlier build changed the wheel"
    )
    return [line(text, style="yellow") for text in (*texts, *([why] if texts else ()))]


def _failure(told: Told, folder: str) -> list[Text]:
    failure = told.failure
    lines = [line(f"✗ {told.addresses[0]}: {failure.step} {failure.ended}: {failure.message}", style="bold red")]
    if told.addresses[1:]:
        lines.append(line(f"  the same: {listed(told.addresses[1:])}"))
    if failure.last_lines != (failure.message,):
        lines += [line(f"  | {text}", style="dim") for text in failure.last_lines]
    if failure.log:
        lines.append(line(f"  log: {folder}/{failure.log}"))
    if failure.hint:
        lines.append(line(f"  hint: {failure.hint}"))
    return lines


def _released(release: Release) -> list[Text]:
    lines = [line(f"removed from {release.folder}: {name}", style="yellow") for name in release.removed]
    lines += [
        line(f"left alone, as the factory did not write it: {release.folder}/{name}", style="dim")
        for name in release.foreign
    ]
    if release.written:
        kept = f", {len(release.unchanged)} unchanged there" if release.unchanged else ""
        lines.append(line(f"{_plural(len(release.written), 'wheel')} written to {release.folder}{kept}"))
    return lines


def closing(run: Run) -> str:
    """Say in one line how a run ended."""
    owed = [cell for plan in run.plans for cell in plan.cells]
    good = [record.cell for record in run.records if record.passed]
    if not owed:
        return run.stopped or "nothing could be planned"
    if run.interrupted:
        return f"interrupted: {_counts(good, owed, 'wheel')} finished in {run.duration_s:.1f} s"
    if run.records and not run.containers and all(record.status == "cached" for record in run.records):
        return f"nothing changed: {_both(good)} from the store, no container started, {run.duration_s:.1f} s"
    return f"{_counts(good, owed, 'owed wheel')} passed in {run.duration_s:.1f} s"


def _counts(good: Sequence[Cell], owed: Sequence[Cell], wheel: str) -> str:
    """Count what is good of what is owed: `1 of 1 owed wheel and programs on 4 of 4 interpreters`."""
    (good_wheels, good_programs), (wheels, programs) = _kinds(good), _kinds(owed)
    parts = [f"{good_wheels} of {_plural(wheels, wheel)}"] if wheels else []
    parts += [f"programs on {good_programs} of {_plural(programs, 'interpreter')}"] if programs else []
    return " and ".join(parts)


def _both(cells: Sequence[Cell]) -> str:
    wheels, programs = _kinds(cells)
    parts = [_plural(wheels, "wheel")] if wheels else []
    parts += [f"programs on {_plural(programs, 'interpreter')}"] if programs else []
    return " and ".join(parts)


def _kinds(cells: Sequence[Cell]) -> tuple[int, int]:
    """Count wheels, and interpreters on which programs run."""
    wheels = sum(cell.makes_wheel for cell in cells)
    return wheels, len(cells) - wheels


def _next(run: Run, flags: Sequence[str], output: Sequence[str]) -> list[str]:
    bad = [record for record in run.records if not record.passed]
    if run.interrupted or not bad:
        return []
    files = {plan.recipe: str(plan.file) for plan in run.plans}
    cell, file = bad[0].cell, files[bad[0].cell.recipe]
    lines = [f"try one again: {shlex.join(['factory', 'build', file, '--only', cell.id, *output, *flags, '-v'])}"]
    stopped = next((record.cell for record in bad if _failed_in_container(record)), None)
    if stopped is not None:
        command = ["factory", "shell", stopped.id, files[stopped.recipe], *flags]
        lines.append(f"open a shell in its container: {shlex.join(command)}")
    return [*lines, f"evidence: {run.folder}"]


def _failed_in_container(record: CellRecord) -> bool:
    return record.failure is not None and record.failure.ended == "failed" and bool(record.failure.log)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
