"""A run as Markdown, for the page of a CI job."""

import re
from collections.abc import Iterable, Iterator

from factory.events.model import Run
from factory.excerpt import listed
from factory.report.covered import covered_lines
from factory.report.once import Told, told_once
from factory.report.proof import proof_lines
from factory.report.run import closing
from factory.report.tally import HEAD, Tally, tallies, total
from factory.terminal import plain

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:@$])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MOST_BYTES = 1 << 19  # a job's summary may have 1 MiB in all, and a larger one is refused as a whole
_MOST_FAILURES = 200


def render_summary(run: Run) -> str:
    """Render a run; texts of packages cannot make links, tags or rows of their own."""
    lines = [f"## {escape(closing(run))}", "", *_table(run), *_failures(run), *_proof(run)]
    while len("\n".join(lines).encode()) > _MOST_BYTES:
        lines = [*lines[: len(lines) // 2], "", "There is more than fits here; the run's folder has the rest."]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Return a text of one line that Markdown shows as it is."""
    shown = "".join(_ENTITIES.get(character, character) for character in _SPECIAL.sub(r"\\\1", plain(text)))
    return shown.strip()


def _table(run: Run) -> Iterator[str]:
    counted = tallies(run)
    if not counted:
        return
    yield _row(HEAD)
    yield _row(["---", *["---:"] * (len(HEAD) - 1)])
    rows = [*counted, total(counted)] if len(counted) > 1 else counted
    yield from (_row([_name(tally), *tally.cells[1:]]) for tally in rows)
    yield ""


def _name(tally: Tally) -> str:
    return f"{'✅' if tally.is_good else '❌'} {escape(tally.recipe)}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _failures(run: Run) -> Iterator[str]:
    lines = [*_of_recipes(run), *_of_cells(run)]
    yield from lines[:_MOST_FAILURES]
    if len(lines) > _MOST_FAILURES:
        yield f"* and {len(lines) - _MOST_FAILURES} more"


def _proof(run: Run) -> Iterator[str]:
    lines = [f"* {escape(text)}" for text in (*proof_lines(run), *covered_lines(run))]
    if lines:
        yield from (
            "",
            "<details><summary>what was noted, what was not tried, and which Python gets which wheel</summary>",
            "",
            *lines,
            "",
            "</details>",
        )


def _of_recipes(run: Run) -> Iterator[str]:
    if run.stopped is not None:
        yield f"* **the run was stopped**: {escape(run.stopped)}"
    for bad in run.failed_recipes:
        yield f"* **{escape(bad.recipe)}**: {escape(bad.message)}"


def _of_cells(run: Run) -> Iterator[str]:
    for told in told_once(run.records):
        yield _failure(told, run.folder)


def _failure(told: Told, folder: str) -> str:
    failure, address = told.failure, listed(told.addresses)
    log = f" (log: {escape(f'{folder}/{failure.log}')})" if failure.log else ""
    return f"* **{escape(address)}**: {escape(f'{failure.step} {failure.ended}: {failure.message}')}{log}"
