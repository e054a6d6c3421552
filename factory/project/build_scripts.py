"""What build scripts of crates ask of the machine that they run on, where they mean another: found by pattern."""

import re
from collections.abc import Iterator

from factory.project.files import Files, text_of

_NAME = "build.rs"
_MOST_FILES = 100
_COMMENT = re.compile(r"//[^\n]*")
_HOSTS = re.compile(
    r"(?:#\[cfg|\bcfg!)\s*\([^\n]{0,200}?\b(?:target_arch|target_feature|target_pointer_width|target_endian)\b"
    r"|\benv::consts::ARCH\b|\bis_[a-z0-9]{1,20}_feature_detected!"
)
_TARGETS = "CARGO_CFG_TARGET_"


def host_questions(files: Files) -> tuple[str, ...]:
    """Return where a build script asks for its own machine's architecture: `build.rs:12`.

    One that also asks cargo what it compiles for is left out: it may mean both.
    """
    return tuple(_found(files))


def _found(files: Files) -> Iterator[str]:
    paths = sorted(path for path in files.paths if path.rpartition("/")[2] == _NAME)
    for path in paths[:_MOST_FILES]:
        text = _COMMENT.sub("", text_of(files, path))
        match = None if _TARGETS in text else _HOSTS.search(text)
        if match is not None:
            yield f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
