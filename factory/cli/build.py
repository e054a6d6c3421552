"""`factory build`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from os import cpu_count
from pathlib import Path
from time import monotonic
from typing import TextIO

import click

from factory import __version__
from factory.cli.board import LiveBoard, PlainBoard
from factory.cli.clock import today
from factory.cli.common import (
    allowed_again,
    err,
    families,
    families_again,
    host_of,
    load,
    new_run_id,
    root_again,
)
from factory.cli.errors import render_error
from factory.cli.options import BuildOptions
from factory.cli.signals import Signals, handled_signals
from factory.confined import Reader, Readers
from factory.engine.about import weaknesses
from factory.engine.docker import connect
from factory.errors import FactoryError, InternalError, Interrupted, OutputError, UsageError, is_of_one_recipe
from factory.events.model import Planned, Progress, RecipeFailed, Run, RunEnded, RunStarted
from factory.events.recorder import Recorder, now
from factory.farm.work import MakeImage, carry_out
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images import ReadyImage, declared, ensure, helper_image
from factory.images.named import remembered
from factory.memory import Memory
from factory.plan.selection import refuse_nothing
from factory.planned import PlannedRecipe
from factory.process import end_all
from factory.recipe.model import Recipe
from factory.recipe.parse import Loaded
from factory.release import Release, claim, release
from factory.report.documents import RunDocument, render_json
from factory.report.junit import render_junit
from factory.report.run import render_run
from factory.report.summary import render_summary
from factory.report.text import line
from factory.run.planning import Selection, plan_recipe
from factory.sessions.services import Services
from factory.sessions.sources import SourceServices
from factory.stages.pass_env import require_allowed, require_passed, shown_values
from factory.stages.versions import VERSIONS
from factory.store import Store
from factory.tool_bundle import ToolBundle, ensure_tools
from factory.unexpected import internal_errors
from factory.waiting import unless
from factory.web.session import redact

EVIDENCE = Path(".factory/runs")
_AGAIN = "type the same command again: what was finished is not done again"


def run_build(options: BuildOptions) -> int:
    """Build what the recipes owe; the exit code."""
    if str(options.json_file) == str(options.junit_file) == "-":
        raise UsageError("--json and --junit cannot both go to stdout", hint="name a file for one of them")
    selection = Selection(families=families(options.families), today=today(), only=options.only, skip=options.skip)
    loaded = load(options)
    run_id = new_run_id()
    host = host_of(options)
    with (
        Readers() as readers,
        Store.open(host.store, on_damage=_say, on_wait=_say) as store,
        store.run_lock(run_id),
        _written(options.json_file, "--json") as json_file,
        _written(options.junit_file, "--junit") as junit_file,
        handled_signals() as signals,
    ):
        with _board(options, host) as board, Recorder(EVIDENCE / run_id, board.listen) as recorder:
            memory = Memory(
                store=store,
                cancelled=signals.cancelled,
                fresh=options.no_cache,
                update=options.update,
                on_wait=recorder.progress("store"),
            )
            attempt = _Attempt(
                options=options,
                host=host,
                memory=memory,
                reader=readers.until(signals.cancelled),
                recorder=recorder,
                board=board,
                selection=selection,
                signals=signals,
            )
            stopped = attempt.go(loaded, run_id)
            run = recorder.run()
        code = _close(attempt, run, stopped, loaded)
        return max(code, _report(run, recorder, host.step_summary, json_file, junit_file))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One run from its first event to its last."""

    options: BuildOptions
    host: Host
    memory: Memory
    reader: Reader
    recorder: Recorder
    board: LiveBoard | PlainBoard
    selection: Selection
    signals: Signals

    def go(self, loaded: Loaded, run_id: str) -> FactoryError | None:
        """Work until the end, or until something stops the run; what stopped it is returned, the rest is recorded."""
        started = monotonic()
        folder = str(self.recorder.folder)
        self.recorder.emit(RunStarted(run=run_id, at=now(), version=__version__, folder=folder))
        for error in loaded.errors:
            self._failed("recipes", error)
        stopped: FactoryError | None = None
        try:
            with internal_errors():
                self._work(loaded, run_id)
        except (KeyboardInterrupt, Interrupted):
            stopped = Interrupted("interrupted", hint=_AGAIN)
        except FactoryError as error:
            stopped = error
        ended = RunEnded(
            at=now(),
            duration_s=monotonic() - started,
            containers=self.recorder.containers,
            interrupted=isinstance(stopped, Interrupted),
            stopped=None if stopped is None else stopped.message,
        )
        try:
            self.recorder.emit(ended)
        except FactoryError as error:  # evidence that cannot be written loses no finished wheel
            stopped = stopped or error
        return stopped

    def _work(self, loaded: Loaded, run_id: str) -> None:
        store = self.memory.store
        if old := store.note_versions(VERSIONS):
            text = f"results of an older version are ignored and made again (stages: {', '.join(old)})"
            self.recorder.emit(Progress(subject="store", text=text))
        with connect(self.host, owner=store.owner, run_id=run_id) as engine:

            def make_image(name: str) -> ReadyImage:
                progress = self.recorder.progress(f"image:{name}")
                cancelled = self.memory.cancelled
                return ensure(name, engine=engine, host=self.host, store=store, progress=progress, cancelled=cancelled)

            for weakness in weaknesses(engine.info()):
                text = f"warning: {weakness.found}; {weakness.mend}"
                self.recorder.emit(Progress(subject="engine", text=text))

            def begin() -> tuple[Sequence[PlannedRecipe], ToolBundle]:
                engine.reap(store.is_running)
                planned_recipes = self._plan_all(loaded, make_image)
                claim(self.options.output)
                return planned_recipes, ensure_tools(self.host, store)

            try:
                planned_recipes, tools = unless(self.memory.cancelled, begin)
            except Interrupted:
                end_all()
                raise
            services = Services(
                engine=engine,
                memory=self.memory,
                reader=self.reader,
                host=self.host,
                recorder=self.recorder,
                tools=tools,
                helper=cache(lambda: make_image(helper_image(engine))),
                output=self.board.output if self.options.verbose and isinstance(self.board, PlainBoard) else None,
                keep=self.options.keep,
            )
            workers = self.options.jobs or cpu_count() or 1
            carry_out(services, planned_recipes, make_image, workers=workers, today=self.selection.today)
            if self.signals.cancelled.is_set():
                raise Interrupted("interrupted", hint=_AGAIN)

    def _plan_all(self, loaded: Loaded, make_image: MakeImage) -> Sequence[PlannedRecipe]:
        """Take and plan every recipe before any work."""
        planned_recipes = []
        for recipe in loaded.recipes:
            try:
                with internal_errors():
                    planned = self._planned(recipe, make_image)
            except FactoryError as error:
                bad = self._logged(recipe, error) if isinstance(error, InternalError) else error
                if not (self.options.keep_going and is_of_one_recipe(error)):
                    raise bad from error
                self._failed(recipe.name, bad)
                continue
            planned_recipes.append(planned)
            self.recorder.emit(Planned(plan=planned.plan))
        if planned_recipes:
            refuse_nothing([planned.plan for planned in planned_recipes])
        return planned_recipes

    def _planned(self, recipe: Recipe, make_image: MakeImage) -> PlannedRecipe:
        require_allowed(recipe, self.host, "build")
        images = (*declared(self.host.image_lock), *self._named(recipe, make_image))
        subject = f"source:{recipe.name}"
        with self.recorder.step(subject, "source") as mark:
            mark.outcome = "failed"
            progress = self.recorder.progress(subject)
            services = SourceServices(memory=self.memory, host=self.host, reader=self.reader, say=progress)
            planned = plan_recipe(recipe, services, images, self.selection)
            passed = require_passed(planned, self.host)
            self.recorder.conceal(passed.values())
            if shown := shown_values(passed):
                progress(shown)
            mark.outcome = "passed"
            return planned

    def _named(self, recipe: Recipe, make_image: MakeImage) -> Sequence[ImageFacts]:
        """Return the facts of the images that a recipe names itself; one that was never here comes before its plan."""
        facts = []
        for pin in recipe.images.values():
            if (known := remembered(pin, self.memory)) is None:
                with self.recorder.step(f"image:{pin.reference}", "image") as mark:
                    mark.outcome = "failed"
                    known = make_image(pin.reference).facts
                    mark.outcome = "passed"
            facts.append(known)
        return facts

    def _logged(self, recipe: Recipe, error: InternalError) -> InternalError:
        text = redact(error.traceback, self.host.secrets)
        log = self.recorder.log(f"source:{recipe.name}", "internal-error", text)
        return error.of(recipe.file).logged(self.recorder.folder / log)

    def _failed(self, recipe: str, error: FactoryError) -> None:
        self.recorder.emit(
            RecipeFailed(recipe=recipe, message=error.message, hint=error.hint, exit_code=error.exit_code)
        )


def _report(
    run: Run, recorder: Recorder, summary: Path | None, json_file: TextIO | None, junit_file: TextIO | None
) -> int:
    """Write the run in the forms that were asked for, and return the exit code that comes of it."""
    codes: set[int] = set()
    if json_file is not None:
        with _told(codes, recorder):
            click.echo(render_json(RunDocument(passed=run.passed, run=run)), file=json_file)
    if junit_file is not None:
        with _told(codes, recorder):
            click.echo(render_junit(run), file=junit_file, nl=False)
    if summary is not None:
        with _told(codes, recorder):
            _summarize(run, summary)
    return max(codes, default=0)


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
def _told(codes: set[int], recorder: Recorder) -> Iterator[None]:
    """Print what goes wrong in the block, and add its exit code: what comes after it is done all the same.

    A pipe that its reader closed, and a disk without room, end the command: neither takes another word.
    """
    try:
        with internal_errors(let_through=(OSError,)):
            yield
    except FactoryError as error:
        codes.add(error.exit_code)
        click.echo(recorder.hide(render_error(error)), err=True)


def _close(attempt: _Attempt, run: Run, stopped: FactoryError | None, loaded: Loaded) -> int:
    """Release what passed, say what happened, and return the exit code."""
    codes = {stopped.exit_code} if stopped is not None else set()
    if stopped is not None and attempt.signals.cancelled.is_set():
        codes.add(Interrupted.exit_code)
    codes |= {failed.exit_code for failed in run.failed_recipes}
    released: Release | None = None
    if run.has_internal_error:
        codes.add(InternalError.exit_code)
    if run.records:
        with _told(codes, attempt.recorder):
            released = release(
                run,
                attempt.options.output,
                attempt.memory.store.open_blob,
                cancelled=attempt.signals.cancelled,
                on_wait=_say,
            )
    told = replace(run, failed_recipes=run.failed_recipes[len(loaded.errors) :])  # the first are shown below, in frames
    if told.failed_recipes or any(plan.cells for plan in run.plans):
        with _told(codes, attempt.recorder):
            err().print(render_run(told, released, _repeated(attempt.options)), soft_wrap=True)
    for bad in (*loaded.errors, *([stopped] if stopped is not None else [])):
        click.echo(attempt.recorder.hide(render_error(bad)), err=True)
    if stopped is None and not run.passed:
        codes.add(1)
    return max(codes, default=0)


def _repeated(options: BuildOptions) -> list[str]:
    """Return the flags that a next call for the same wheels needs again."""
    flags = [] if options.output == Path("dist") else ["-o", str(options.output)]
    flags += families_again(options.families) + root_again(options.root)
    for setting in options.settings:
        flags += ["--set", setting]
    return flags + allowed_again(options.allow_env)


@contextmanager
def _written(path: Path | None, flag: str) -> Iterator[TextIO | None]:
    """Open a file for a report before there is a run: that it cannot be written is said at once.

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


def _say(text: str) -> None:
    err().print(line(text))


def _board(options: BuildOptions, host: Host) -> LiveBoard | PlainBoard:
    console = err()
    is_live = console.is_terminal and not options.verbose and not host.is_ci
    return LiveBoard(console) if is_live else PlainBoard(console)
