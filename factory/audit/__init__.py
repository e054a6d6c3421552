"""The gate: what a wheel promises against what it holds."""

from factory.audit.gate import audit, unread
from factory.audit.model import Audit, Expectation, Finding, Ruling
from factory.audit.rules import RULES

__all__ = ["RULES", "Audit", "Expectation", "Finding", "Ruling", "audit", "unread"]
