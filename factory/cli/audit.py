"""`factory audit`."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from factory import codec
from factory.audit import Audit, Expectation, audit
from factory.cli.common import out, today
from factory.errors import UsageError
from factory.report.audit import render_audit
from factory.wheel import read_wheel

SCHEMA_VERSION = 1


def run_audit(wheels: Sequence[Path], *, as_json: bool) -> int:
    """Judge wheels, print the verdicts; 1 when one is refused."""
    verdicts = [(path, _judge(path)) for path in wheels]
    if as_json:
        audits = [
            {"wheel": str(path), "passed": verdict.passed, "audit": codec.dump(verdict)} for path, verdict in verdicts
        ]
        click.echo(json.dumps({"schema": SCHEMA_VERSION, "audits": audits}, indent=2))
    else:
        for path, verdict in verdicts:
            out().print(render_audit(path.name, verdict))
    return 0 if all(verdict.passed for _, verdict in verdicts) else 1


def _judge(path: Path) -> Audit:
    try:
        wheel = read_wheel(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint="name wheel files") from error
    return audit(wheel, Expectation(), today())
