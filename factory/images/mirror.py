"""The Debian mirror: from our variable, else from this machine's sources, else the bootstrapper's default."""

import re
from collections.abc import Iterator
from pathlib import Path

from factory.errors import SourceError
from factory.host import Host, checked_url
from factory.redaction import bare

_INDEX_BYTES = 16 << 20
_ONE_LINE = re.compile(r"deb\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)")
_SNAPSHOT = re.compile(r"/[0-9]{8}T[0-9]{6}Z(?:/|$)")
_SIGNED = b"-----BEGIN PGP SIGNED MESSAGE-----"
_ARCHIVE = re.compile(r"https?://.+/debian(?:/[0-9TZ]+)?/?")


def apt_mirror(host: Host, etc: Path = Path("/etc")) -> str | None:
    """Choose the mirror; None leaves the choice to the bootstrapper.

    It enters no digest, and no image keeps it.

    Raises:
        UsageError: this machine's sources send a password by plain http.
    """
    own = host.apt_mirror or next(_debian_archives(etc), None)
    return None if own is None else checked_url(own, "the Debian mirror")


def is_snapshot(mirror: str | None) -> bool:
    """Whether a mirror is a snapshot, whose address names its time as snapshot.debian.org does.

    The indexes of a snapshot expire and are never renewed; on any other mirror an expired index means that updates are
    held back.
    """
    return mirror is not None and _SNAPSHOT.search(mirror) is not None


def mirror_fault(host: Host, suite: str) -> str | None:
    """Ask the mirror for a suite's signed index, and say what is wrong with the answer; the bootstrapper does not.

    None where nothing is wrong, or where the mirror is the bootstrapper's default.
    """
    from factory.web.bodies import body  # noqa: PLC0415 -- a plan asks no server, and `requests` takes long to import
    from factory.web.session import attempt, open_session  # noqa: PLC0415

    mirror = apt_mirror(host)
    if mirror is None:
        return None

    what = f"the index of {suite}"

    def signed_index() -> bytes:
        url = f"{bare(mirror).rstrip('/')}/dists/{suite}/InRelease"
        return b"".join(body(session, url, what, most_bytes=_INDEX_BYTES))

    try:
        with open_session(host) as session:
            answer = attempt(what, signed_index)
    except SourceError as error:
        return error.message
    return None if answer.startswith(_SIGNED) else f"the mirror's dists/{suite}/InRelease is not a signed Debian index"


def _debian_archives(etc: Path) -> Iterator[str]:
    """Yield the addresses of Debian's own suite in this machine's sources, as sources.list(5) writes them."""
    suite = _os_release(etc).get("VERSION_CODENAME")
    if _os_release(etc).get("ID") != "debian" or suite is None:
        return
    for uri, suites, components in _sources(etc / "apt"):
        if suite in suites and "main" in components and _ARCHIVE.fullmatch(uri):
            yield uri


def _os_release(etc: Path) -> dict[str, str]:
    path = etc / "os-release"
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {key: value.strip('"') for key, separator, value in (line.partition("=") for line in lines) if separator}


def _sources(apt: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]:
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            if match := _ONE_LINE.fullmatch(line.partition("#")[0].strip()):
                yield match["uri"], [match["suite"]], match["components"].split()
    for path in sorted((apt / "sources.list.d").glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            yield from _stanza(stanza)


def _stanza(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    fields = {key.strip().lower(): value.split() for key, _, value in (line.partition(":") for line in lines)}
    if "deb" in fields.get("types", ()) and fields.get("enabled") != ["no"]:
        for uri in fields.get("uris", ()):
            yield uri, fields.get("suites", []), fields.get("components", [])
