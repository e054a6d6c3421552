"""Compilers that are too old, and what the container does not give: memory, room, rights, a user."""

from typing import Final

from factory.diagnoses.causes.cause import NEWER_COMPILER, cause

_MEMORY: Final = (
    "raise build: {memory: …}, or run fewer compilers at once: build: {env: {CMAKE_BUILD_PARALLEL_LEVEL: 1}}"
)
_SPACE: Final = "raise build: {disk: …}; /tmp has a limit of its own: build: {env: {TMPDIR: /work/tmp}} avoids it"
_WRITABLE: Final = (
    "let the build write below /work or /tmp, as nothing else is writable; build: {system: …} installs system packages"
)

CAUSES: Final = (
    cause(
        r"error: unrecognized command[- ]line option [\u2018'](?P<wanted>-std=[\w+]{1,20})[\u2019']",
        hint=NEWER_COMPILER,
    ),
    cause(
        r"error: unrecognized command[- ]line option [\u2018'](?P<wanted>[^\u2019'\n]{1,100})[\u2019']",
        hint="remove the option by build: {env: {CFLAGS: …}} or the project's own setting, or use a newer compiler",
    ),
    cause(
        r"fatal error: (?P<said>Killed signal terminated program \w{1,40})",
        r"(?P<said>virtual memory exhausted: Cannot allocate memory|^MemoryError$|memory allocation of \d{1,20} bytes"
        r" failed)",
        r"internal compiler error: (?P<said>Segmentation fault signal terminated program \w{1,40})",
        hint=_MEMORY,
    ),
    cause(r"No space left on device", hint=_SPACE),
    cause(
        r"/[^'\u2019\n:]{1,200}['\u2019]?: Read-only file system",
        r"Read-only file system: '[^'\n]{1,200}'",
        r"cannot \w{1,20} (?:regular file|directory) ['\u2018]/[^'\u2019\n]{1,200}['\u2019]: Permission denied",
        r"^PermissionError: \[Errno 13\] Permission denied: '[^'\n]{1,200}'",
        hint=_WRITABLE,
    ),
    cause(
        r"^(?P<said>E: Unable to locate package [\w.+:-]{1,100}+)$",
        says="apt: $said",
        hint="look up what the image's suite calls it; in build.before-all, call apt-get update first, or leave it to "
        "build: {system: {apt: […]}}",
    ),
    cause(
        r"^Do you want to continue\? \[Y/n\] (?P<said>Abort)\.$",
        says="apt: $said: it asked whether to install more packages than were named",
        hint="write apt-get install -y in build.before-all, or leave it to build: {system: {apt: […]}}",
    ),
    cause(
        r"^KeyError: (?P<said>'getpwuid\(\): uid not found: \d{1,10}')",
        r"^OSError: (?P<said>No username set in the environment)",
        r"^RuntimeError: (?P<said>Could not determine home directory)",
        hint="build: {env: {USER: build, HOME: /work/home}}",
    ),
)
