"""Tokens of cargo's registries."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from factory.errors import UsageError
from factory.host.files import is_file

_CARGO_TOKEN = re.compile(r"CARGO_REGISTRIES_(?P<name>\w+)_TOKEN")


def registry_id(name: str) -> str:
    """Return a registry's name as cargo's variables spell it ("Environment variables" in the Cargo book)."""
    return name.upper().replace("-", "_")


def cargo_tokens(env: Mapping[str, str], cargo_home: Path) -> Iterator[tuple[str, str]]:
    """Yield tokens as cargo finds them: in its two files, then in variables, which win."""
    for path in (cargo_home / "credentials", cargo_home / "credentials.toml"):
        if is_file(path, "cargo's tokens"):
            yield from _tokens_in(path)
    for name, value in env.items():
        if match := _CARGO_TOKEN.fullmatch(name):
            yield match["name"], value


def _tokens_in(path: Path) -> Iterator[tuple[str, str]]:
    try:
        registries = tomllib.loads(path.read_text(encoding="utf-8")).get("registries", {})
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="cargo reads it, too") from error
    except ValueError:
        raise UsageError(f"{path} is not valid TOML", hint="write it anew with `cargo login`") from None
    for name, entry in registries.items() if isinstance(registries, dict) else ():
        if isinstance(entry, dict) and isinstance(token := entry.get("token"), str):
            yield registry_id(name), token
