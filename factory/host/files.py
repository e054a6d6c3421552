"""Files that the environment names."""

from pathlib import Path

from factory.errors import UsageError

_BUNDLE_HINT = "name a PEM bundle that you may read in SSL_CERT_FILE"


def is_file(path: Path, what: str) -> bool:
    """Whether a path is a file.

    Raises:
        UsageError: this user may not look.
    """
    try:
        return path.is_file()
    except OSError as error:
        hint = _BUNDLE_HINT if what == "certificates" else f"name a path that can be read for {what}"
        raise UsageError(f"the {what} {path} cannot be read: {error.strerror}", hint=hint) from error
