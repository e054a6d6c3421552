"""A run as JUnit XML: a suite for each recipe, with a test case for each cell and each trial."""

import re
from collections.abc import Iterator

from junitparser import Error, JUnitXml, Skipped, TestCase, TestSuite
from junitparser import Failure as Failed
from junitparser.junitparser import FinalResult

from factory.events.model import CellRecord, Outcome, Run, Status, TrialResult
from factory.excerpt import few
from factory.failure import Failure
from factory.plan.model import Cell, Plan
from factory.terminal import plain

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_ENDED_BEFORE = "the run ended before it"


def render_junit(run: Run) -> str:
    """Render a run. What failed by itself is a failure; what was lost, timed out or never began is an error."""
    report = JUnitXml(_fit(f"factory {run.id}"))
    for plan in run.plans:
        report.add_testsuite(_suite(run, plan))
    stops = [(bad.recipe, [bad.message, f"hint: {bad.hint}"]) for bad in run.failed_recipes]
    stops += [("run", [run.stopped])] if run.stopped is not None else []
    if stops:
        suite = TestSuite("recipes")
        suite.add_testcases([_stopped(name, lines) for name, lines in stops])
        report.add_testsuite(suite)
    report.update_statistics()  # type: ignore[no-untyped-call]  # the library types its attributes, not these
    text: bytes = report.tostring()  # type: ignore[no-untyped-call]  # as above
    return f"<?xml version='1.0' encoding='utf-8'?>\n{text.decode()}\n"


def _suite(run: Run, plan: Plan) -> TestSuite:
    suite = TestSuite(_fit(plan.recipe))
    suite.timestamp = run.started
    records = {record.cell.address: record for record in run.records}
    for cell in plan.cells:
        record = records.get(cell.address)
        suite.add_testcases([_unfinished(cell)] if record is None else _cases(record, run.folder))
    return suite


def _stopped(name: str, lines: list[str]) -> TestCase:
    case = TestCase(_fit(name), "recipes")
    case.result = [_with_lines(Error("stopped", "stopped"), lines)]
    return case


def _unfinished(cell: Cell) -> TestCase:
    case = TestCase(cell.id, cell.recipe)
    case.result = [Error(_ENDED_BEFORE, "interrupted")]
    return case


def _cases(record: CellRecord, folder: str) -> list[TestCase]:
    case = TestCase(record.cell.id, record.cell.recipe, sum(record.seconds.values()))
    trial_failed = any(trial.failure is not None for trial in record.trials)
    if not record.passed and not trial_failed:
        lines = [*_lines(record.failure, folder), *_findings(record)]
        case.result = [_with_lines(_result_of(record.status), lines)]
    return [case, *(_trial(record, trial, folder) for trial in record.trials)]


def _trial(record: CellRecord, trial: TrialResult, folder: str) -> TestCase:
    case = TestCase(f"{record.cell.id}@{trial.interpreter}", record.cell.recipe, trial.duration_s)
    result = _result_of_trial(trial.outcome, reason=trial.reason, may_be_untried=record.passed)
    if result is not None:
        case.result = [_with_lines(result, _lines(trial.failure, folder))]
    if notes := [_fit(text) for text in _noted(trial)]:
        case.system_out = "\n".join(notes)
    return case


def _noted(trial: TrialResult) -> Iterator[str]:
    yield from trial.notes
    if trial.unemulated:
        yield f"not run on an old processor: {trial.unemulated}"
    if trial.emulated is not None:
        yield f"tried under QEMU, which emulates {trial.emulated}"


def _result_of(status: Status) -> FinalResult:
    return Failed(status, status) if status == "failed" else Error(status, status)


def _result_of_trial(outcome: Outcome, *, reason: str, may_be_untried: bool) -> FinalResult | None:
    match outcome:
        case "passed":
            return None
        case "failed":
            return Failed(outcome, outcome)
        case "blocked":
            return Skipped("its wheel was not built", outcome)
        case "untried" if may_be_untried:
            return Skipped(reason or "no image here has the interpreter", outcome)
        case _:
            return Error(outcome, outcome)


def _lines(failure: Failure | None, folder: str) -> Iterator[str]:
    if failure is not None:
        yield f"{failure.step} {failure.ended}: {failure.message}"
        yield from failure.last_lines
        if failure.log:
            yield f"log: {folder}/{failure.log}"
        if failure.hint:
            yield f"hint: {failure.hint}"


def _findings(record: CellRecord) -> Iterator[str]:
    findings = [finding for audit in (record.before, record.after) if audit for finding in audit.findings]
    lines = (f"{finding.rule}: {finding.subject}: {finding.message}" for finding in findings if finding.fails)
    yield from few(tuple(dict.fromkeys(lines)))


def _with_lines(result: FinalResult, lines: list[str] | Iterator[str]) -> FinalResult:
    """Put the first line into the message, which servers show in lists, and all of them into the text."""
    fit = [_fit(text) for text in lines]
    if fit:
        result.message = fit[0]
        result.text = "\n".join(fit)
    return result


def _fit(text: str) -> str:
    """Return what XML 1.0 may hold of a text, in one line; the library escapes what needs it."""
    return _NO_XML.sub("", plain(text))
