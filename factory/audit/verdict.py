"""The verdict on one wheel, from the findings that its checks made."""

from dataclasses import dataclass
from typing import Self

from factory.catalogue import Rule, Severity, Waiver
from factory.excerpt import cut, few
from factory.tags import Abi3Floor, PlatformTag

_SUBJECT_CHARACTERS = 4096  # the longest name that an archive may have, 1024 bytes, with each of them as an escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule says of a wheel; `subject` is a member's path, or the file's name for the whole wheel."""

    rule: str
    severity: Severity
    subject: str
    message: str
    evidence: tuple[str, ...] = ()
    waived: Waiver | None = None

    def __post_init__(self) -> None:
        # The texts contain names that the wheel chose: cutting them here means that no rule can forget it.
        object.__setattr__(self, "subject", cut(self.subject, _SUBJECT_CHARACTERS))
        object.__setattr__(self, "message", cut(self.message))
        object.__setattr__(self, "evidence", few(self.evidence))

    @classmethod
    def of(cls, rule: Rule, subject: str, message: str, evidence: tuple[str, ...] = ()) -> Self:
        """Make a finding under a rule."""
        return cls(rule=rule.id, severity=rule.severity, subject=subject, message=message, evidence=evidence)

    @property
    def fails(self) -> bool:
        """Whether it keeps the wheel from passing."""
        return self.severity is Severity.ERROR and self.waived is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One check's answer: `allows` are the platforms it leaves to the wheel, None when it has no say in that."""

    check: str
    findings: tuple[Finding, ...] = ()
    allows: frozenset[PlatformTag] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The verdict on one wheel.

    `deserves` is the oldest platform that every check allows; `floor` the oldest interpreter whose stable ABI has all
    that an abi3 wheel asks for. Both are None where nothing can be said.
    """

    rulings: tuple[Ruling, ...]
    findings: tuple[Finding, ...]
    deserves: PlatformTag | None = None
    floor: Abi3Floor | None = None

    @property
    def passed(self) -> bool:
        """Whether every error is waived."""
        return not any(finding.fails for finding in self.findings)
