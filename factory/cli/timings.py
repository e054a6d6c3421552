"""`factory timings`: the timings of a run that has ended."""

from pathlib import Path

import click

from factory.cli.common import write_output
from factory.errors import OutputError, UsageError
from factory.events.read import events_of, runs
from factory.report.timeline import timeline_of
from factory.report.timings import render_timings
from factory.run.options import Options


def run_timings(run: str | None, output: Path) -> int:
    """Write the timings of a run, the last one if none is named.

    Raises:
        UsageError: there is no such run.
        OutputError: its events cannot be read, or the page cannot be written.
    """
    text = timings_of(_folder(run))
    if str(output) == "-":
        click.echo(text, nl=False)
        return 0
    write_output(output, text, hint="name another file after -o, or - for stdout")
    click.echo(str(output))
    return 0


def timings_of(folder: Path) -> str:
    """Render the timings of the run whose evidence a folder holds.

    Raises:
        OutputError: its events cannot be read, or name no times.
    """
    try:
        return render_timings(timeline_of(events_of(folder)))
    except ValueError as error:
        raise OutputError(
            f"the events in {folder} name no times: {error}",
            hint="name a run whose events no other program has changed",
        ) from error


def _folder(run: str | None) -> Path:
    evidence = Options().evidence
    folders = runs(evidence)
    if run is None:
        if not folders:
            hint = "run `factory build` first, and call this from the same folder"
            raise UsageError(f"no run has left its events below {evidence}", hint=hint)
        return folders[0]
    named = next((folder for folder in folders if folder.name == run), Path(run))
    if not (named / "events.jsonl").exists():
        hint = f"name a run of {evidence}, or the folder of one"
        raise UsageError(f"{run} is not a run", hint=hint)
    return named
