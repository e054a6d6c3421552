"""Headers and libraries that the image lacks."""

from typing import Final

from factory.diagnoses.causes.cause import CMAKE_ERROR, NEWER_COMPILER, PLACE, SUBMODULE, cause

CAUSES: Final = (
    cause(
        PLACE + r"fatal error: (?P<wanted>format|expected|print|source_location|stacktrace|mdspan|generator|flat_map):"
        r" No such file",
        hint=NEWER_COMPILER,
    ),
    cause(
        PLACE + r"fatal error: (?P<wanted>\S{1,200}): No such file or directory",
        lacks="header",
    ),
    cause(
        r"^cc1(?:plus)?: fatal error: (?P<wanted>\S{1,200}): No such file or directory",
        hint=SUBMODULE,
    ),
    cause(
        r"(?:/|\b)ld(?:\.\w{1,10})?: cannot find -l(?P<wanted>[\w.+-]{1,100})",
        r"rust-lld: error: unable to find library -l(?P<wanted>[\w.+-]{1,100})",
        lacks="library",
    ),
    cause(
        r"^[ \t]{0,20}Package '(?P<wanted>[^'\n]{1,100})', required by '[^'\n]{1,100}', not found",
        r"^[ \t]{0,20}No package '(?P<wanted>[^'\n]{1,100})' found",
        r"The system library `(?P<wanted>[^`\n]{1,100})` required by crate `[^`\n]{1,100}` was not found",
        CMAKE_ERROR + r"The following required packages were not found:\n\s{1,40}- (?P<wanted>\S{1,100})",
        says="pkg-config does not know $wanted",
        lacks="pkg-config",
    ),
    cause(
        r"^[ \t]{0,20}Package '(?P<wanted>[^'\n]{1,100})' has version '(?P<has>[^'\n]{1,40})', required version is "
        r"'(?P<asked>[^'\n]{1,40})'",
        says="$wanted $has is installed, but $asked is required",
        hint="build in an image of a newer distribution: images: {…}, or use a release that works with it",
    ),
    cause(
        r"^[^\n]{0,200}?ERROR: Dependency \"(?P<wanted>[^\"\n]{1,100})\" not found",
        lacks="pkg-config",
    ),
    cause(
        r"^[^\n]{0,200}?ERROR: C(?:\+\+)? (?:shared or static )?library '(?P<wanted>[^'\n]{1,100})' not found",
        lacks="library",
    ),
    cause(
        r"^[^\n]{0,200}?ERROR: (?P<said>C(?:\+\+)? header '(?P<wanted>[^'\n]{1,100})' not found)",
        lacks="header",
    ),
    cause(
        r"Unable to find libclang: \"(?P<wanted>[^\n\"]{1,100})",
        hint="build: {system: {apt: [libclang-dev], dnf: [clang-devel], apk: [clang-dev]}}",
    ),
)
