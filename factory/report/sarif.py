"""Audits as SARIF 2.1.0, which code-scanning pages read."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from urllib.parse import quote

from factory import __version__
from factory.audit import RULES, Audit, Finding
from factory.catalogue import Rule, Severity
from factory.terminal import inert_json

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_INDEXES = {rule: index for index, rule in enumerate(RULES)}

_Json = dict[str, object]


def render_sarif(audits: Mapping[str, Audit], faults: Mapping[str, str] = MappingProxyType({})) -> str:
    """Write one run with every finding of some wheels, by the path each was named by; `faults` are the tool's own.

    A wheel that a fault kept from being judged is a notification of a run that was not successful (SARIF 2.1.0, 3.20).
    """
    results = [_result(path, finding) for path, verdict in audits.items() for finding in verdict.findings]
    driver = {"name": "wheel-factory", "version": __version__, "rules": [_rule(rule) for rule in RULES.values()]}
    run: _Json = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    if faults:
        notifications = [_notification(path, message) for path, message in faults.items()]
        run["invocations"] = [{"executionSuccessful": False, "toolExecutionNotifications": notifications}]
    return inert_json(json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2))


def _rule(rule: Rule) -> _Json:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.mend}\nSource: {rule.source}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _notification(path: str, message: str) -> _Json:
    where = {"physicalLocation": {"artifactLocation": {"uri": quote(path, errors="surrogateescape")}}}
    return {"level": "error", "message": {"text": _plain(message)}, "locations": [where]}


def _result(path: str, finding: Finding) -> _Json:
    result: _Json = {
        "ruleId": finding.rule,
        "ruleIndex": _INDEXES[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain("\n".join([f"{finding.subject}: {finding.message}", *finding.evidence]))},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": quote(path, errors="surrogateescape")}},
                "logicalLocations": [{"fullyQualifiedName": _plain(finding.subject), "kind": "resource"}],
            }
        ],
    }
    return result | dict(_suppressed(finding))


def _suppressed(finding: Finding) -> Iterator[tuple[str, object]]:
    if finding.waived is not None:
        yield "suppressions", [{"kind": "external", "justification": finding.waived.reason}]


def _plain(text: str) -> str:
    """Replace what JSON in UTF-8 cannot hold: file names need not be UTF-8."""
    return text.encode(errors="replace").decode()
