"""The grammar of where a source lies elsewhere: repositories, revisions, archives."""

import re
from urllib.parse import SplitResult, unquote, urlsplit

from factory.form.kinds import RefusalError
from factory.form.problems import quote
from factory.recipe.texts import line

_REPOSITORIES = ("https", "ssh", "file")
_DOWNLOADS = ("https", "http")
_ARCHIVES = (".tar.gz", ".tgz", ".zip")
_LONGEST_NAME = 200
_LIKE_SCP = re.compile(r"(?P<host>[\w.-]+@[\w.-]+):(?P<path>[^/].*)")
_REVISION = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/+@-]*[A-Za-z0-9_+-])?")


def repository(text: str) -> str:
    """Read the URL of a git repository."""
    if match := _LIKE_SCP.fullmatch(text):
        raise RefusalError(f"{quote(text)} is not a URL", f"write ssh://{match['host']}/{match['path']}")
    parts = _split(text, "write a URL such as https://example.org/nh3; for a source tree on this machine use path")
    if parts.scheme not in _REPOSITORIES:
        hint = f"use {', '.join(_REPOSITORIES[:-1])} or {_REPOSITORIES[-1]}: the others can be tampered with in transit"
        raise RefusalError(f"git over {parts.scheme} is not supported", hint)
    if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
        raise RefusalError(
            f"{quote(text)} does not name a file on this machine", "write file:/// and the absolute path"
        )
    return _without_secret(text, parts, may_name_user=parts.scheme == "ssh")


def archive(text: str) -> str:
    """Read the URL of an archive."""
    parts = _split(text, "write a URL such as https://example.org/nh3-0.3.7.tar.gz")
    if parts.scheme not in _DOWNLOADS:
        raise RefusalError(f"downloads over {parts.scheme} are not supported", "use https or http")
    name = unquote(parts.path).rpartition("/")[2]
    if not name.endswith(_ARCHIVES) or not name.isprintable() or len(name) > _LONGEST_NAME:
        hint = f"name a file that ends in {', '.join(_ARCHIVES[:-1])} or {_ARCHIVES[-1]}"
        raise RefusalError(f"{quote(text)} is not an archive that can be read", hint)
    return _without_secret(text, parts, may_name_user=False)


def revision(text: str) -> str:
    """Read a commit, or the name of a tag or a branch (gitrevisions(7), git-check-ref-format(1))."""
    if not _REVISION.fullmatch(text) or ".." in text or "//" in text or text.endswith(".lock"):
        hint = "write the full commit hash, or the name of a tag: v0.3.7"
        raise RefusalError(f"{quote(text)} is neither a commit nor the name of one", hint)
    return text


def _split(text: str, hint: str) -> SplitResult:
    try:
        parts = urlsplit(line(text))
    except ValueError:
        raise RefusalError(f"{quote(text)} is not a URL", hint) from None
    if not parts.scheme or "://" not in text or any(character.isspace() for character in text):
        raise RefusalError(f"{quote(text)} is not a URL", hint)
    if parts.scheme != "file" and not parts.hostname:
        raise RefusalError(f"{quote(text)} names no server", hint)
    return parts


def _without_secret(text: str, parts: SplitResult, *, may_name_user: bool) -> str:
    """Refuse a password in a recipe: recipes are shared, and their content is logged."""
    if parts.password is not None or (parts.username is not None and not may_name_user):
        hint = "remove it: git takes credentials from its helpers and netrc, and an index from its URL or netrc"
        raise RefusalError("contains a user name or password", hint)
    return text
