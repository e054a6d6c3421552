"""`factory audit` and `factory explain`."""

import os
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import click

from factory.audit import RULES, Audit, Expectation, Finding, audit
from factory.catalogue import Severity
from factory.cli.clock import today
from factory.errors import FactoryError, UsageError
from factory.report.audit import Line, render_audit
from factory.wheel import read_wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """The arguments of `factory audit`. Without `select` every rule counts; `strict` makes warnings refuse too."""

    wheels: tuple[Path, ...]
    as_json: bool = False
    as_sarif: bool = False
    strict: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def run_audit(options: AuditOptions) -> int:
    """Judge wheels, print the verdicts; 1 when one is refused.

    Raises:
        UsageError: a wheel cannot be opened, a rule is none, or two forms of output are asked for.
    """
    if options.as_json and options.as_sarif:
        raise UsageError("--json and --sarif exclude each other", hint="ask twice")
    wanted = _wanted(options.select or tuple(RULES)) - _wanted(options.ignore)
    audits = [_only(verdict, wanted) for verdict in _judge_all(options.wheels)]
    passed = [_passes(verdict, strict=options.strict) for verdict in audits]
    _print(options, audits, passed)
    return 0 if all(passed) else 1


def _wanted(rules: Iterable[str]) -> frozenset[str]:
    for rule in rules:
        _known(rule)
    return frozenset(rules)


def _known(rule: str) -> None:
    if rule not in RULES:
        from factory.recipe.problems import did_you_mean  # noqa: PLC0415 -- only the unhappy path pays for it

        hint = did_you_mean(rule, RULES) or "`factory explain` lists the rules"
        raise UsageError(f"{rule!r} is no rule of the gate", hint=hint)


def _judge_all(wheels: Sequence[Path]) -> Sequence[Audit]:
    """Judge each wheel in its own process, one per processor; what one of them raises is raised here."""
    judge = partial(_judge, on=today())
    if len(wheels) == 1:
        return [judge(wheels[0])]
    import multiprocessing  # noqa: PLC0415 -- one wheel need not pay for it
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 -- as above
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 -- as above

    workers = min(len(wheels), len(os.sched_getaffinity(0)))
    try:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
            return list(pool.map(judge, wheels))
    except BrokenProcessPool as error:
        raise FactoryError("a process that judged a wheel was killed", hint="judge the wheels one by one") from error


def _judge(path: Path, *, on: date) -> Audit:
    try:
        wheel = read_wheel(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name wheel files") from error
    return audit(wheel, Expectation(), on)


def _only(verdict: Audit, rules: Collection[str]) -> Audit:
    """Leave out what other rules found, wherever it stands."""

    def kept(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(found for found in findings if found.rule in rules)

    rulings = tuple(replace(ruling, findings=kept(ruling.findings)) for ruling in verdict.rulings)
    return replace(verdict, rulings=rulings, findings=kept(verdict.findings))


def _passes(verdict: Audit, *, strict: bool) -> bool:
    warned = any(found.severity is Severity.WARNING and found.waived is None for found in verdict.findings)
    return verdict.passed and not (strict and warned)


def _print(options: AuditOptions, audits: Sequence[Audit], passed: Sequence[bool]) -> None:
    """Write the verdicts in the form asked for; each form's libraries are loaded only for it."""
    if options.as_json:
        from factory.report.documents import AuditDocument, AuditedWheel, render_json  # noqa: PLC0415 -- cattrs

        rows = zip(options.wheels, audits, passed, strict=True)
        document = AuditDocument(audits=tuple(AuditedWheel(wheel=str(p), passed=good, audit=v) for p, v, good in rows))
        click.echo(render_json(document))
    elif options.as_sarif:
        from factory.report.sarif import render_sarif  # noqa: PLC0415 -- as above

        click.echo(render_sarif(dict(zip(map(str, options.wheels), audits, strict=True))))
    else:
        for path, verdict, good in zip(options.wheels, audits, passed, strict=True):
            _tell(tuple(render_audit(path.name, verdict, passed=good)))


def _tell(lines: Sequence[Line]) -> None:
    """Print in colours on a terminal only: loading rich takes longer than judging a small wheel."""
    if sys.stdout.isatty():
        from factory.cli.common import out  # noqa: PLC0415 -- as above
        from factory.report.text import styled  # noqa: PLC0415 -- as above

        out().print(styled(lines), soft_wrap=True)
    else:
        click.echo("\n".join("".join(text for text, _ in spans) for spans in lines))


def run_explain(rule: str | None) -> int:
    """Print what a rule means, or the list of them.

    Raises:
        UsageError: there is no such rule.
    """
    if rule is None:
        width = max(map(len, RULES))
        for each in RULES.values():
            click.echo(f"{each.id:{width}}  {each.severity:7}  {each.summary}")
        return 0
    _known(rule)
    found = RULES[rule]
    click.echo(f"{found.id} ({found.severity}): {found.summary}\n")
    for title, text in (("why", found.why), ("mend", found.mend), ("source", found.source)):
        click.echo(click.wrap_text(f"{title}: {text}", width=100, subsequent_indent=" " * (len(title) + 2)))
    return 0
