"""The checks: each module rules on one family of facts, and keeps the rules it goes by.

A module has `RULES`, a table of its rules by their ids, and `check`, which takes a wheel with what is expected of it
and gives a Ruling. A new rule is an entry of that table and the lines that find what breaks it; a new check is a module
named in `CHECKS`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from factory.audit import waivers
from factory.audit.checks import (
    abi3,
    archive,
    contents,
    hardening,
    hygiene,
    index,
    libpython,
    loading,
    machines,
    metadata,
    modules,
    names,
    places,
    policy,
    record,
    suffixes,
    symbols,
    tags,
    windows,
)
from factory.audit.expectation import Expectation
from factory.audit.verdict import Ruling
from factory.catalogue import Rule
from factory.wheel import Wheel


class Check(Protocol):
    """What each module of this package is."""

    @property
    def RULES(self) -> Mapping[str, Rule]:  # noqa: N802 -- a module's constant
        """Its rules by their ids."""

    def check(self, wheel: Wheel, expectation: Expectation) -> Ruling:
        """Rule on a wheel."""


CHECKS: tuple[Check, ...] = (
    archive,
    names,
    metadata,
    record,
    tags,
    policy,
    machines,
    loading,
    hardening,
    libpython,
    suffixes,
    modules,
    abi3,
    symbols,
    hygiene,
    index,
    places,
    contents,
    windows,
)
_TABLES = (*(check.RULES for check in CHECKS), waivers.RULES)

RULES: Mapping[str, Rule] = MappingProxyType(
    {rule.id: rule for rule in sorted((rule for table in _TABLES for rule in table.values()), key=lambda rule: rule.id)}
)
"""All rules by their ids, in order."""
