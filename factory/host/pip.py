"""pip's configuration."""

import configparser
import os
import re
from collections.abc import Mapping
from pathlib import Path

from factory.errors import UsageError

_WAY_OUT = "correct this pip configuration (`pip config debug` lists its files), or name another in PIP_CONFIG_FILE"


def pip_settings(env: Mapping[str, str], home: Path) -> dict[str, str]:
    """Read what pip would: global, user, site, then variables; later ones win (pip's documentation, Configuration)."""
    settings: dict[str, str] = {}
    user = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"
    for path in (Path("/etc/pip.conf"), home / ".pip/pip.conf", user, Path(env.get("PIP_CONFIG_FILE", os.devnull))):
        parser = _parsed(path)
        for section in ("global", "install", "download"):
            if parser.has_section(section):
                settings.update(parser.items(section))
    for name, value in env.items():
        if match := re.fullmatch(r"PIP_(\w+)", name):
            settings[match[1].lower().replace("_", "-")] = value
    return settings


def _parsed(path: Path) -> configparser.RawConfigParser:
    """Parse one of pip's files; a file that does not exist is empty."""
    parser = configparser.RawConfigParser()
    try:
        content = path.read_bytes()
        parser.read_string(content.decode())
    except (FileNotFoundError, NotADirectoryError):
        return parser
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=_WAY_OUT) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line} is not UTF-8", hint=_WAY_OUT) from error
    except configparser.Error as error:
        raise UsageError(f"{path}:{_line_of(error)} is not a configuration of pip's", hint=_WAY_OUT) from error
    return parser


def _line_of(error: configparser.Error) -> int:
    """Return the first line that an error is about; ParsingError alone has several."""
    match error:
        case configparser.MissingSectionHeaderError(lineno=int(line)):
            return line
        case configparser.ParsingError(errors=[(int(line), _), *_]):
            return line
        case configparser.DuplicateSectionError(lineno=int(line)) | configparser.DuplicateOptionError(lineno=int(line)):
            return line
        case _:
            return 1
