"""The variable by which a build calls the image's compilers through ccache, which remembers what they made."""

from collections.abc import Mapping
from typing import Final

from factory.steps import COMPILED, COMPILER_LINKS, ENVIRONMENT, TOOLS

CCACHE: Final = TOOLS / "ccache.sh"
COUNTS: Final = COMPILED / "counts"
"""Where ccache writes what became of each file: a line for each of its counters that it raised."""

_BEFORE = f"{ENVIRONMENT / 'bin'}:"
_OWN = "CCACHE_"


def takes_ccache(env: Mapping[str, str]) -> bool:
    """Whether an environment leaves that to us: a recipe that sets variables of ccache's has a ccache of its own."""
    return not any(name.startswith(_OWN) for name in env)


def with_ccache(env: Mapping[str, str]) -> Mapping[str, str]:
    """Return variables by which ccache comes before the image's compilers, and after those that a recipe brings."""
    first, here, system = env["PATH"].partition(_BEFORE)
    return {**env, "PATH": f"{first}{here}{COMPILER_LINKS}:{system}"}
