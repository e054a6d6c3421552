"""Tables of rules, by which checks make findings."""

from collections.abc import Mapping
from types import MappingProxyType

from factory.audit.verdict import Finding
from factory.catalogue import Rule

WHEEL_SPECIFICATION = "binary distribution format specification (PEP 427)"


def table(*rules: Rule) -> Mapping[str, Rule]:
    """Keep rules by their ids."""
    return MappingProxyType({rule.id: rule for rule in rules})


def finding(rule: Rule, subject: str, message: str, evidence: tuple[str, ...] = ()) -> Finding:
    """Make a finding under a rule."""
    return Finding(rule=rule.id, severity=rule.severity, subject=subject, message=message, evidence=evidence)
