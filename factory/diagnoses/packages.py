"""What apt, dnf, yum and apk print when packages cannot be installed."""

import re
from typing import Final, Literal

from factory.diagnoses.cases import Case, Diagnosis, diagnose
from factory.diagnoses.searchable import searchable

Kind = Literal["sources", "expired", "mirror", "unknown"]

NO_SOURCES: Final = "this image has no package sources"
"""What our `guests/prepare/install_apt.sh` prints if apt has no package sources."""

_MIRROR: Final = "check the network, FACTORY_APT_MIRROR, proxies and certificates; then run again"
_NAME: Final = "correct the name under build: {system: …}: distributions, and their releases, name packages differently"
_CASES: Final[tuple[Case[Kind], ...]] = (
    Case(
        "sources",
        re.compile(re.escape(NO_SOURCES)),
        f"{NO_SOURCES}, and no mirror is known",
        "name a mirror of Debian in FACTORY_APT_MIRROR",
    ),
    Case(
        "expired",
        re.compile(r"^E: Release file for (?P<index>\S{1,500}+) is expired", re.MULTILINE),
        "the package index {index} has expired",
        "name another mirror in FACTORY_APT_MIRROR, or a snapshot whose address names a time",
    ),
    Case(
        "mirror",
        re.compile(
            r"""^(?:[ \t]*+(?P<why>
                  - \ Curl\ error[^\n]*+                                    # dnf
                | [EW]:\ Failed\ to\ fetch\ [^\n]*+                         # apt
                | E:\ The\ repository\ [^\n]*+
                | Error:\ Failed\ to\ download\ metadata[^\n]*+             # dnf
                | (?:WARNING|ERROR):\ [^\n]*?(?:temporary\ error|network\ error|could\ not\ connect|DNS)[^\n]*+  # apk
            ))""",
            re.MULTILINE | re.VERBOSE,
        ),
        "packages could not be fetched: {why}",
        _MIRROR,
    ),
    Case(
        "unknown",
        re.compile(
            r"""^(?:
                  E:\ Unable\ to\ locate\ package\                          # apt
                | E:\ Package\ '(?=[^'\n]{1,300}'\ has\ no\ installation\ candidate)
                | No\ match\ for\ argument:\                                # dnf
                | [ ]++(?=\S{1,300}\ \(no\ such\ package\):)                # apk
            )(?P<name>[^'\s]++)""",
            re.MULTILINE | re.VERBOSE,
        ),
        "the image's distribution has no package {name}",
        _NAME,
    ),
)


def explain_packages(output: str) -> Diagnosis[Kind] | None:
    """Explain why a package manager failed, if its message is known. Only `mirror` may be temporary."""
    return diagnose(_CASES, searchable(output))
