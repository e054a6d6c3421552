"""`factory audit` and `factory explain`."""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import click

# At the bottom of a deep chain of imports CPython 3.11 maps and unmaps a piece of its stack for each call of the
# compiler of regular expressions: a sixth of the time of `factory audit`.
import packaging.requirements  # noqa: F401

from factory.audit import RULES, Audit, Expectation, Finding, audit, unread
from factory.catalogue import Severity
from factory.cli.options import AuditOptions
from factory.clock import today
from factory.confined import Bounds, Overrun, confined_all
from factory.errors import InternalError, UsageError
from factory.report.audit import Line, render_audit
from factory.system import processors
from factory.unexpected import internal_errors
from factory.wheel import read_wheel


def run_audit(options: AuditOptions) -> int:
    """Judge wheels, print the verdicts; 1 when one is refused, the code of an internal error when one ended by it.

    Raises:
        UsageError: a wheel cannot be opened, a rule does not exist, or two forms of output are asked for.
    """
    if options.as_json and options.as_sarif:
        raise UsageError("--json and --sarif cannot be combined", hint="run the command once for each")
    wanted = _wanted(options.select or tuple(RULES)) - _wanted(options.ignore)
    judged = list(zip(options.wheels, _judge_all(options.wheels), strict=True))
    audits = [(path, _only(verdict, wanted)) for path, verdict in judged if isinstance(verdict, Audit)]
    faults = [(path, error) for path, error in judged if isinstance(error, InternalError)]
    passed = [_passes(verdict, strict=options.strict) for _, verdict in audits]
    _print(options, audits, passed, faults)
    for path, error in faults:
        from factory.cli.errors import render_error  # noqa: PLC0415 -- only the unhappy path pays for it

        click.echo(render_error(error.of(path)), err=True)
    return InternalError.exit_code if faults else 0 if all(passed) else 1


def _wanted(rules: Iterable[str]) -> frozenset[str]:
    for rule in rules:
        _known(rule)
    return frozenset(rules)


def _known(rule: str) -> None:
    if rule not in RULES:
        from factory.form.problems import did_you_mean  # noqa: PLC0415 -- only the unhappy path pays for it

        hint = did_you_mean(rule, RULES) or "`factory explain` lists the rules"
        raise UsageError(f"{rule!r} is not a rule of the gate", hint=hint)


def _judge_all(wheels: Sequence[Path]) -> Sequence[Audit | InternalError]:
    """Judge each wheel in its own process, as many at once as there are processors."""
    on = today()
    works = [
        (partial(_judge, wheel, on=on), Bounds.of(wheel.stat().st_size if wheel.exists() else 0)) for wheel in wheels
    ]
    outcomes = confined_all(works, workers=processors())
    return [
        unread(wheel.name, outcome.reason) if isinstance(outcome, Overrun) else outcome
        for wheel, outcome in zip(wheels, outcomes, strict=True)
    ]


def _judge(path: Path, *, on: date) -> Audit | InternalError:
    """Judge one wheel; an internal error is its own result, and the others are judged all the same."""
    try:
        # `confined` turns a lack of memory into a refusal of the wheel.
        with internal_errors(let_through=(OSError, MemoryError)):
            return audit(read_wheel(path), Expectation(), on)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint="name wheel files, such as dist/*.whl"
        ) from error
    except InternalError as error:
        return error


def _only(verdict: Audit, rules: Collection[str]) -> Audit:
    """Leave out the findings of other rules, in the rulings too."""

    def kept(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(finding for finding in findings if finding.rule in rules)

    rulings = tuple(replace(ruling, findings=kept(ruling.findings)) for ruling in verdict.rulings)
    return replace(verdict, rulings=rulings, findings=kept(verdict.findings))


def _passes(verdict: Audit, *, strict: bool) -> bool:
    warned = any(finding.severity is Severity.WARNING and finding.waived is None for finding in verdict.findings)
    return verdict.passed and not (strict and warned)


def _print(
    options: AuditOptions,
    audits: Sequence[tuple[Path, Audit]],
    passed: Sequence[bool],
    faults: Sequence[tuple[Path, InternalError]],
) -> None:
    """Write the verdicts in the form asked for; each form's libraries are loaded only for it."""
    if options.as_json:
        from factory.report.documents import (  # noqa: PLC0415 -- cattrs
            AuditDocument,
            AuditedWheel,
            UnjudgedWheel,
            render_json,
        )

        rows = zip(audits, passed, strict=True)
        judged = (AuditedWheel(wheel=str(path), passed=good, audit=verdict) for (path, verdict), good in rows)
        unjudged = (UnjudgedWheel(wheel=str(path), message=error.message) for path, error in faults)
        click.echo(render_json(AuditDocument(audits=tuple(judged), unjudged=tuple(unjudged))))
    elif options.as_sarif:
        from factory.report.sarif import render_sarif  # noqa: PLC0415 -- as above

        verdicts = {str(path): verdict for path, verdict in audits}
        click.echo(render_sarif(verdicts, {str(path): error.message for path, error in faults}))
    else:
        for (path, verdict), good in zip(audits, passed, strict=True):
            _tell(tuple(render_audit(path.name, verdict, passed=good)))


def _tell(lines: Sequence[Line]) -> None:
    """Print in colours on a terminal only: loading rich takes longer than judging a small wheel."""
    if sys.stdout.isatty():
        from factory.cli.common import out  # noqa: PLC0415 -- as above
        from factory.report.text import styled  # noqa: PLC0415 -- as above

        out().print(styled(lines), soft_wrap=True)
    else:
        click.echo("\n".join("".join(text for text, _ in spans) for spans in lines))


def run_explain(name: str | None) -> int:
    """Print what a rule means, or the list of them.

    Raises:
        UsageError: there is no such rule.
    """
    if name is None:
        width = max(map(len, RULES))
        for rule in RULES.values():
            click.echo(f"{rule.id:{width}}  {rule.severity:7}  {rule.summary}")
        return 0
    _known(name)
    rule = RULES[name]
    click.echo(f"{rule.id} ({rule.severity}): {rule.summary}\n")
    for title, text in (("why", rule.why), ("fix", rule.mend), ("source", rule.source)):
        click.echo(click.wrap_text(f"{title}: {text}", width=100, subsequent_indent=" " * (len(title) + 2)))
    return 0
