"""Names that several rooms share: rules of the gate, waivers, backends and image families."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

BACKENDS = ("maturin", "setuptools", "pep517")
FAMILIES = ("lookalike",)


class Severity(StrEnum):
    """Error: breaks or endangers users. Warning: costs them. Note: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the gate: a short kebab-case fact, why it hurts, how to mend it, and where the rule comes from."""

    id: str
    severity: Severity
    summary: str
    why: str
    mend: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A finding the recipe accepts: `subject` is a glob over what findings name; a reason is owed."""

    rule: str
    reason: str
    subject: str = "*"
    until: date | None = None
