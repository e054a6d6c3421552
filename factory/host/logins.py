"""Users and passwords by host name (netrc(5))."""

import netrc
from pathlib import Path

from factory.errors import UsageError


def logins_in(path: Path) -> netrc.netrc:
    """Parse a file of users and passwords; a message about it quotes none of it.

    Raises:
        UsageError: the file cannot be read, or is not a netrc file.
    """
    hint = "mend it (netrc(5)), or name another in NETRC"
    try:
        return netrc.netrc(str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except (netrc.NetrcParseError, UnicodeDecodeError) as error:
        line = error.lineno if isinstance(error, netrc.NetrcParseError) else None
        raise UsageError(f"{path}{f':{line}' if line else ''} is not a netrc file", hint=hint) from None
