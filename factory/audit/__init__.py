"""The gate: what a wheel promises, compared with what it holds."""

from factory.audit.checks import RULES
from factory.audit.expectation import Expectation
from factory.audit.gate import audit, unread
from factory.audit.verdict import Audit, Finding, Ruling
from factory.audit.waivers import subject_glob, waiver_line

__all__ = ["RULES", "Audit", "Expectation", "Finding", "Ruling", "audit", "subject_glob", "unread", "waiver_line"]
