"""`factory build`: flags in, a run, and what a person or a program reads of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import click

from factory.cli.common import allowed_again, err, families, families_again, host_of, load_named, root_again
from factory.cli.errors import render_error
from factory.cli.live_board import LiveBoard
from factory.cli.options import BuildOptions
from factory.cli.plain_board import PlainBoard
from factory.cli.signals import handled_signals
from factory.cli.timings import timings_of
from factory.errors import FactoryError, ImageError, InternalError, Interrupted, OutputError, UsageError
from factory.events.model import Run
from factory.host import Host
from factory.recipe.parse import Loaded
from factory.report.documents import RunDocument, render_json
from factory.report.junit import render_junit
from factory.report.run import render_run
from factory.report.summary import render_summary
from factory.run.build import Caller, Finished, build
from factory.run.options import Options, Selection
from factory.unexpected import internal_errors


def run_build(options: BuildOptions) -> int:
    """Build what the recipes owe; the exit code."""
    _refuse_two_on_stdout(options)
    how = _run_options(options)
    recipes, host = load_named(options, keep_going=options.keep_going), host_of(options)
    with (
        _written(options.json_file, "--json") as json_file,
        _written(options.junit_file, "--junit") as junit_file,
        _written(options.timings_file, "--timings") as timings_file,
        handled_signals() as signals,
    ):
        with _board(options, host) as board:
            caller = Caller(
                listener=board.listen,
                output=board.output,
                whole_output=options.verbose,
                say=board.say,
                cancelled=signals.cancelled,
            )
            finished = build(recipes, how, host=host, caller=caller)
        codes = _show(options, finished, recipes)
        codes |= _report(finished, host.step_summary, json_file, junit_file, timings_file)
        # An error that the interruption caused, such as a killed tool's, must not hide the interruption.
        if finished.errors and signals.cancelled.is_set():
            codes.add(Interrupted.exit_code)
        return max(codes, default=0)


def _run_options(options: BuildOptions) -> Options:
    return Options(
        output=options.output,
        selection=Selection(families=families(options.families), only=options.only, skip=options.skip),
        jobs=options.jobs,
        fresh=options.no_cache,
        update=options.update,
        keep=options.keep,
        keep_going=options.keep_going,
    )


def _refuse_two_on_stdout(options: BuildOptions) -> None:
    named = {"--json": options.json_file, "--junit": options.junit_file, "--timings": options.timings_file}
    if len(flags := [flag for flag, path in named.items() if str(path) == "-"]) > 1:
        raise UsageError(f"{' and '.join(flags)} cannot both go to stdout", hint="name a file for one of them")


def _report(
    finished: Finished,
    summary: Path | None,
    json_file: TextIO | None,
    junit_file: TextIO | None,
    timings_file: TextIO | None,
) -> set[int]:
    """Write the run in the forms that were asked for, and return the exit codes that come of it."""
    codes, run = set[int](), finished.run
    if json_file is not None:
        with _shown(codes, finished):
            click.echo(render_json(RunDocument(passed=run.passed, run=run)), file=json_file)
    if junit_file is not None:
        with _shown(codes, finished):
            click.echo(render_junit(run), file=junit_file, nl=False)
    if timings_file is not None:
        with _shown(codes, finished):
            click.echo(timings_of(Path(run.folder)), file=timings_file, nl=False)
    if summary is not None:
        with _shown(codes, finished):
            _summarize(run, summary)
    return codes


def _summarize(run: Run, summary: Path) -> None:
    """Append the run's summary to a file.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        with summary.open("a", encoding="utf-8") as stream:
            stream.write(render_summary(run))
    except OSError as error:
        hint = "name a file that may be written in GITHUB_STEP_SUMMARY, or unset it"
        raise OutputError(f"the summary {summary} cannot be written: {error.strerror}", hint=hint) from error


@contextmanager
def _shown(codes: set[int], finished: Finished) -> Iterator[None]:
    """Print an error of the block and add its exit code, so that what comes after the block is done all the same.

    A pipe that its reader closed and a full disk end the command, because nothing more can be printed.
    """
    try:
        with internal_errors(let_through=(OSError,)):
            yield
    except FactoryError as error:
        codes.add(error.exit_code)
        click.echo(finished.hide(render_error(error)), err=True)


def _show(options: BuildOptions, finished: Finished, recipes: Loaded) -> set[int]:
    """Say what happened, and return the exit codes that come of it."""
    run, codes = finished.run, {error.exit_code for error in finished.errors}
    codes |= {failed.exit_code for failed in run.failed_recipes}
    if any(record.failure is not None and record.failure.step == "image" for record in run.records):
        codes.add(ImageError.exit_code)
    if run.has_internal_error:
        codes.add(InternalError.exit_code)
    if not finished.is_stopped and not run.passed:
        codes.add(1)
    rest = replace(run, failed_recipes=run.failed_recipes[len(recipes.errors) :])  # the first are shown in frames
    if rest.failed_recipes or any(plan.cells for plan in run.plans):
        with _shown(codes, finished):
            err().print(render_run(rest, finished.released, *_repeated(options)), soft_wrap=True)
    for error in (*recipes.errors, *finished.errors):
        click.echo(finished.hide(render_error(error)), err=True)
    return codes


def _repeated(options: BuildOptions) -> tuple[list[str], list[str]]:
    """Return the flags that a next call for the same wheels needs again, and those that only a build has."""
    flags = families_again(options.families) + root_again(options.root)
    for setting in options.settings:
        flags += ["--set", setting]
    output = [] if options.output == Path("dist") else ["-o", str(options.output)]
    return flags + allowed_again(options.allow_env), output


@contextmanager
def _written(path: Path | None, flag: str) -> Iterator[TextIO | None]:
    """Open a file for a report before the run, so that a file that cannot be written is reported at once.

    Raises:
        OutputError: it cannot.
    """
    if path is None or str(path) == "-":
        yield None if path is None else sys.stdout
        return
    try:
        stream = path.open("w", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}", hint=f"name another file after {flag}, or - for stdout"
        ) from error
    with stream:
        yield stream


def _board(options: BuildOptions, host: Host) -> LiveBoard | PlainBoard:
    console = err()
    is_live = console.is_terminal and not options.verbose and not host.is_ci
    return LiveBoard(console) if is_live else PlainBoard(console, verbose=options.verbose)
