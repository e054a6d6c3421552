"""The rules of the gate: a stable id, a severity, why it hurts, how to mend it, and who says so."""

from collections.abc import Mapping
from types import MappingProxyType

from factory.audit.model import Finding
from factory.audit.rules.archive import ARCHIVE_RULES
from factory.audit.rules.hygiene import HYGIENE_RULES
from factory.audit.rules.loader import LOADER_RULES
from factory.audit.rules.packaging import PACKAGING_RULES
from factory.audit.rules.python import PYTHON_RULES
from factory.catalogue import Rule

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.id: rule
        for rule in sorted(
            (*PYTHON_RULES, *LOADER_RULES, *HYGIENE_RULES, *PACKAGING_RULES, *ARCHIVE_RULES), key=lambda rule: rule.id
        )
    }
)


def finding(rule: str, subject: str, message: str, evidence: tuple[str, ...] = ()) -> Finding:
    """Make a finding under a rule of the table."""
    return Finding(rule=rule, severity=RULES[rule].severity, subject=subject, message=message, evidence=evidence)
