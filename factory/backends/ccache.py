"""The variables by which a build calls the image's compilers through ccache, which remembers what they made."""

from collections.abc import Mapping
from typing import Final

from factory.steps import COMPILED, COMPILER_LINKS, ENVIRONMENT, TOOLS

CCACHE: Final = TOOLS / "bin/ccache"
COUNTS: Final = COMPILED / "counts"
"""Where ccache writes what became of each file: a line for each of its counters that it raised."""

_BEFORE = f"{ENVIRONMENT / 'bin'}:"
_OWN = "CCACHE_"
_VARIABLES: Final[Mapping[str, str]] = {
    "CCACHE_DIR": str(COMPILED),
    # No configuration of the image or the workspace: it could make ccache ignore what changes a result.
    "CCACHE_CONFIGPATH": "/dev/null",
    "CCACHE_COMPILERCHECK": "content",
    # The direct mode does not see a new header that comes before one that was found (ccache's manual, "Caveats").
    "CCACHE_NODIRECT": "1",
    "CCACHE_STATSLOG": str(COUNTS),
}


def takes_ccache(env: Mapping[str, str]) -> bool:
    """Whether an environment leaves that to us: a recipe that sets variables of ccache's has a ccache of its own."""
    return not any(name.startswith(_OWN) for name in env)


def with_ccache(env: Mapping[str, str]) -> Mapping[str, str]:
    """Return variables by which ccache comes before the image's compilers, and after those that a recipe brings."""
    first, here, system = env["PATH"].partition(_BEFORE)
    return {**env, **_VARIABLES, "PATH": f"{first}{here}{COMPILER_LINKS}:{system}"}
