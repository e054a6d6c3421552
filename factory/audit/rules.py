"""Tables of rules, as each check has one."""

from collections.abc import Mapping
from types import MappingProxyType

from factory.catalogue import Rule

WHEEL_SPECIFICATION = "binary distribution format specification (PEP 427)"


def table(*rules: Rule) -> Mapping[str, Rule]:
    """Keep rules by their ids."""
    return MappingProxyType({rule.id: rule for rule in rules})
