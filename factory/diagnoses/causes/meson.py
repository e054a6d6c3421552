"""What meson misses."""

from typing import Final

from factory.diagnoses.causes.cause import SUBMODULE, cause

CAUSES: Final = (
    cause(
        r"^[^\n]{0,200}?ERROR: Unknown compiler\(s\): \[\['(?P<wanted>[\w+-]{1,60})'\]",
        lacks="program",
    ),
    cause(
        r"^[^\n]{0,200}?ERROR: Attempted to resolve subproject without subprojects directory present",
        r"^[^\n]{0,200}?ERROR: Nonexistent build file '[^'\n]{1,200}'",
        hint=SUBMODULE,
    ),
    cause(
        r"^[^\n]{0,200}?ERROR: (?P<said>Meson version is [\d.]{1,20} but project requires (?P<wanted>[^\n]{1,40}))",
        hint='build: {requires: ["meson$wanted"]}',
    ),
)
