"""A channel manifest of the Rust project: which components a release has, and their hashes.

Its format is rustup's own (`manifest-version = "2"`). Of the components' addresses only what follows `/dist/` is used,
so that they come from the server that this machine names, as rustup takes them from RUSTUP_DIST_SERVER.
"""

import re
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

from factory.catalogue import STABLE
from factory.digest import Digest
from factory.errors import ImageError
from factory.tables import Table
from factory.untrusted import UntrustedTextError, decoded, excerpt, parse_specifiers, parse_version

MANIFEST_BYTES: Final = 4 << 20
"""Four times a manifest of today."""

_FORMAT = "2"
_PLACE = re.compile(
    r"https?://[^?#\s]{1,300}/dist/(?P<place>[0-9A-Za-z][\w.-]{0,40}/[0-9A-Za-z][\w.+-]{0,200})", re.ASCII
)
_VERSION = re.compile(r"(?P<version>[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4})( \([^)]{0,100}\))?")
_PACKED = (("xz_url", "xz_hash", ".tar.xz"), ("url", "hash", ".tar.gz"))
_ANOTHER = "name another server in RUSTUP_DIST_SERVER, or another release"


class SilentServerError(ImageError):
    """The server did not give an answer that could be used as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One file of a release: `place` is its path below the server's `dist/`; `folder` is what it holds to install."""

    package: str
    target: str
    place: str
    digest: Digest

    @property
    def folder(self) -> str:
        """The folder below the archive's top folder; rust-std's has the name of its target."""
        return f"{self.package}-{self.target}" if self.package == "rust-std" else self.package

    @property
    def filename(self) -> str:
        """The file's name."""
        return self.place.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A manifest, as far as it is read: the version of its rustc, and its packages."""

    version: Version
    packages: Table

    def components(self, host: str, targets: tuple[str, ...]) -> tuple[Component, ...]:
        """Return rustc and cargo for a machine that they run on, and the standard library of each target, by triples.

        Raises:
            ImageError: the release lacks one, or what is said of it cannot be used.
        """
        wanted = (("rustc", host), ("cargo", host), *(("rust-std", target) for target in dict.fromkeys(targets)))
        return tuple(self._component(package, target) for package, target in wanted)

    def _component(self, package: str, target: str) -> Component:
        table = self.packages.table(package, "target", target)
        if not table.flag("available", default=False):
            raise ImageError(f"Rust {self.version} has no {package} for {target}", hint=_ANOTHER)
        for url, digest, suffix in _PACKED:
            if url in table:
                return _packed(package, target, table, url, digest, suffix)
        raise ImageError(f"{table.place} names no file", hint=_ANOTHER)


def _packed(package: str, target: str, table: Table, url: str, digest: str, suffix: str) -> Component:
    address = table.required_text(url)
    match = _PLACE.fullmatch(address)
    if match is None or not match["place"].endswith(suffix):
        raise ImageError(f"{table.place}: {url} is {excerpt(address)}, not the address of a {suffix}", hint=_ANOTHER)
    try:
        return Component(
            package=package, target=target, place=match["place"], digest=Digest(table.required_text(digest))
        )
    except ValueError as error:
        raise ImageError(f"{table.place}: {digest} is not a sha256", hint=_ANOTHER) from error


def read_channel(content: bytes, name: str) -> Channel:
    """Read the manifest of a release or of `stable`.

    Raises:
        ImageError: it is not such a manifest, or that of another release.
    """
    place = f"the manifest of Rust {name}"
    try:
        text = decoded(content, MANIFEST_BYTES)
    except UntrustedTextError as error:
        raise ImageError(f"{place} {error}", hint=_ANOTHER) from error
    table = Table.parse(text, place, _refused)
    if (said := table.text("manifest-version")) != _FORMAT:
        shown = "no version" if said is None else f"version {excerpt(said)}"
        raise ImageError(f"{place} has {shown} of the format; {_FORMAT} is read", hint=_ANOTHER)
    packages = table.table("pkg")
    said = packages.table("rustc").required_text("version")
    match = _VERSION.fullmatch(said)
    if match is None:
        raise ImageError(f"{place} gives rustc the version {excerpt(said)}", hint=_ANOTHER)
    version = match["version"]
    if name != STABLE and not f"{version}.".startswith(f"{name}."):
        raise ImageError(f"{place} is that of {version}", hint=_ANOTHER)
    return Channel(version=parse_version(version), packages=packages)


def refuse_unfit(channel: Channel, name: str, wanted: str) -> None:
    """Refuse a release that turns out not to meet what it has to.

    Raises:
        ImageError: it does not.
    """
    if channel.version not in parse_specifiers(wanted):
        raise ImageError(
            f"Rust {name} is {channel.version} on this machine, and {wanted} is needed",
            hint="`--update` asks the server for the newest release again; or name a release: "
            "build: {toolchain: {rust: '1.89'}}",
        )


def _refused(message: str) -> ImageError:
    return ImageError(message, hint=_ANOTHER)
