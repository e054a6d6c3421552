"""Requirements and crates, resolved to files with hashes before anything is built.

The resolver runs on this machine, not in a container: it reads names and metadata and never runs a package's code
(wheels only, no configuration of any project, an empty folder). Where an index has only an sdist, the resolver says of
which release, and is asked again with the wheel that was built of it in a container. The files that it names are
downloaded and compared with their hashes; environments are then installed offline, in containers, from a wheelhouse. So
fewer containers have a network, every file has a recorded hash, and a second run needs no network at all.
"""

from factory.resolve.download import download
from factory.resolve.model import MOST_SDISTS, Found, Offered, Question, Release, Resolution, ResolvedFile, Unresolved
from factory.resolve.requirements import resolve_requirements

__all__ = [
    "MOST_SDISTS",
    "Found",
    "Offered",
    "Question",
    "Release",
    "Resolution",
    "ResolvedFile",
    "Unresolved",
    "download",
    "resolve_requirements",
]
