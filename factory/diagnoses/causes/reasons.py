"""The words of tools for which no way out is known."""

from typing import Final

from factory.diagnoses.causes.cause import CMAKE_ERROR, cause

REASONS: Final = (
    cause(
        CMAKE_ERROR + r"(?P<said>\S[^\n]{0,300}(?:\n[ \t]{1,20}\S[^\n]{0,300}){0,3})",
        says="CMake: $said",
        kind="reason",
    ),
    cause(r"^(?P<said>[^\s:][^\n:]{0,200}:\d{1,9}:\d{1,9}: ERROR: [^\n]{1,300})", says="$said", kind="reason"),
    cause(
        r"^(?P<said>[^\s:][^\n:]{0,300}:\d{1,9}:\d{1,9}: (?:fatal )?error: [^\n]{1,300})", says="$said", kind="reason"
    ),
    cause(r"^(?P<said>error\[E\d{1,9}\]: [^\n]{1,300})", says="$said", kind="reason"),
)
"""The first counts: what follows it is its consequence."""
