"""An audit as a person reads it: the verdict, what the wheel deserves, and each finding with how to mend it."""

from rich.console import Group, RenderableType
from rich.text import Text

from factory.audit import RULES, Audit
from factory.report.text import line

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def render_audit(filename: str, verdict: Audit) -> RenderableType:
    """Render one wheel's verdict."""
    word, style = ("passed", "green") if verdict.passed else ("refused", "bold red")
    head = Text.assemble(line(filename, "bold"), ": ", (word, style))
    if verdict.deserves is not None:
        head.append(f", deserves {verdict.deserves}")
    if verdict.floor is not None:
        head.append(f", abi3 floor {verdict.floor}")
    lines = [head]
    for finding in verdict.findings:
        waived = " (waived)" if finding.waived is not None else ""
        severity = (f"  {finding.severity}", _STYLES[finding.severity])
        told = line(f" {finding.rule}{waived}: {finding.subject}: {finding.message}")
        lines.append(Text.assemble(severity, told))
        lines += [line(f"    {text}", "dim") for text in finding.evidence]
        lines.append(line(f"    mend: {RULES[finding.rule].mend}", "dim"))
    return Group(*lines)
