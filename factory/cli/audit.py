"""`factory audit`."""

from collections.abc import Sequence
from pathlib import Path

import click

from factory.audit import Audit, Expectation, audit
from factory.cli.common import out, today
from factory.errors import UsageError
from factory.report.audit import render_audit
from factory.report.documents import AuditDocument, AuditedWheel, render_json
from factory.wheel import read_wheel


def run_audit(wheels: Sequence[Path], *, as_json: bool) -> int:
    """Judge wheels, print the verdicts; 1 when one is refused."""
    verdicts = [(path, _judge(path)) for path in wheels]
    if as_json:
        audits = tuple(
            AuditedWheel(wheel=str(path), passed=verdict.passed, audit=verdict) for path, verdict in verdicts
        )
        click.echo(render_json(AuditDocument(audits=audits)))
    else:
        for path, verdict in verdicts:
            out().print(render_audit(path.name, verdict), soft_wrap=True)
    return 0 if all(verdict.passed for _, verdict in verdicts) else 1


def _judge(path: Path) -> Audit:
    try:
        wheel = read_wheel(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name wheel files") from error
    return audit(wheel, Expectation(), today())
