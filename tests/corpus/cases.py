"""The corpus: for every rule wheels that break it, and for each of them one that nearly does.

A case is named `rule`, or `rule/variant`.
"""

from tests.corpus import archive, hygiene, loader, places, python, texts, windows

CASES = {
    **python.CASES,
    **loader.CASES,
    **archive.CASES,
    **texts.CASES,
    **hygiene.CASES,
    **places.CASES,
    **windows.CASES,
}

# What a sample cannot help breaking beside its own rule.
COMPANIONS: dict[str, set[str]] = {
    "libpython-reached": {"libpython-linked"},
    "archive-too-large": {"metadata-missing"},
    "waiver-expired": {"library-missing"},
    "waiver-unused": {"library-missing"},
    "record-missing": {"record-absent", "archive-mismatch"},
    "record-missing/unreadable": set(),
    "archive-unreadable": {"archive-mismatch"},
    "archive-unreadable/no archive": set(),
    "archive-unreadable/cut short": set(),
    "archive-unreadable/deflated badly": set(),
    "archive-overlap": {"archive-mismatch", "archive-padding"},
    "archive-encrypted": {"archive-mismatch"},
    "libpython-linked/by a path": {"needed-path"},
    "libpython-embedded": {"exports-extra"},
    "platform-policy/private symbols of zlib": {"symbol-undefined"},
    "platform-policy/without section headers": {"sections-missing"},
    "segment-refused/no segment": {"bind-now-missing"},
    "rpath-absolute/RPATH": {"build-path"},
    "tag-unexpected": {"modules-unnamed"},
}

_UNJUDGED = "symbols-unjudged"  # a note that goes with every other architecture


def rule_of(case: str) -> str:
    """Return the rule that a case is about."""
    return case.partition("/")[0]


def companions(case: str) -> set[str]:
    """Return the other rules that a case may break: its own entry counts before its rule's."""
    return {_UNJUDGED} - {rule_of(case)} | COMPANIONS.get(case, COMPANIONS.get(rule_of(case), set()))
