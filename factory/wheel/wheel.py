"""What a wheel is: its name, texts, members and compiled objects."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from packaging.tags import Tag
from packaging.utils import NormalizedName
from packaging.version import Version

from factory.archive import UNREAD, Flaw, Member
from factory.digest import Digest
from factory.elf.shared_object import SharedObject
from factory.pe.pe_file import PeFile
from factory.wheel.mistaken import Mistake


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelName:
    """What the file name says (binary distribution format, "File name convention").

    `label` is a variant's (PEP 825, a draft), and empty for other wheels.
    """

    name: NormalizedName
    version: Version
    build: str
    tags: frozenset[Tag]
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """METADATA's fields as they are written; an absent field is empty.

    `text` is the whole file, `urls` are Home-page and Download-URL, `addresses` those of author and maintainer.
    """

    text: bytes
    metadata_version: str
    name: str
    version: str
    requires_python: str
    requires_dist: tuple[str, ...]
    extras: tuple[str, ...]
    license_files: tuple[str, ...]
    license: str
    license_expression: str
    classifiers: tuple[str, ...]
    summary: str
    project_urls: tuple[str, ...]
    urls: tuple[str, ...]
    addresses: tuple[str, ...]
    description_content_type: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelText:
    """The WHEEL file's fields; `tags` are its expanded Tag lines, `bad_tags` the lines that cannot be read as tags."""

    wheel_version: str
    root_is_purelib: bool
    tags: frozenset[Tag]
    bad_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """One line of RECORD as it is written."""

    path: str
    hash: str
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What `variant.json` says (PEP 825, a draft): a label, and properties as `x86_64 :: level :: v3`."""

    label: str
    properties: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One wheel. Texts are None when absent; `broken` maps ELF members that cannot be parsed to the reason.

    `pe_files` are read of a wheel for Windows alone, and `pe_broken` are those among them that cannot be.
    `mistakes` maps members that are not what their names promise to what they are.
    `dist_infos` are the names of all `*.dist-info` folders; texts are read from `dist_info`, the one that the file name
    calls for, else the first. `entry_points` are group, name and value.
    """

    filename: str
    size_bytes: int
    name: WheelName | None
    name_problem: str = ""
    dist_infos: tuple[str, ...] = ()
    dist_info: str = ""
    metadata: Metadata | None = None
    wheel_text: WheelText | None = None
    record: tuple[RecordRow, ...] | None = None
    record_problem: str = ""
    entry_points: tuple[tuple[str, str, str], ...] = ()
    entry_points_problem: str = ""
    variant: Variant | None = None
    variant_problem: str = ""
    members: Mapping[str, Member] = field(default_factory=lambda: MappingProxyType({}))
    objects: Mapping[str, SharedObject] = field(default_factory=lambda: MappingProxyType({}))
    broken: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    pe_files: Mapping[str, PeFile] = field(default_factory=lambda: MappingProxyType({}))
    pe_broken: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    mistakes: Mapping[str, Mistake] = field(default_factory=lambda: MappingProxyType({}))
    flaws: tuple[Flaw, ...] = ()

    def binary(self, path: str) -> SharedObject | PeFile:
        """Return a compiled member, whichever system's."""
        return self.objects[path] if path in self.objects else self.pe_files[path]

    @property
    def has_unread(self) -> bool:
        """Whether something in the archive could not be read, so that what seems absent may be in there."""
        return any(flaw.kind in UNREAD for flaw in self.flaws)

    @property
    def is_unread(self) -> bool:
        """Whether nothing in the archive could be read, so that nothing can be said of what it holds."""
        return self.has_unread and not self.members

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags of the file name, which is what installers go by."""
        return self.name.tags if self.name else frozenset()


def record_hash(digest: Digest) -> str:
    """Write a digest as RECORD does: urlsafe base64 without padding."""
    return "sha256=" + base64.urlsafe_b64encode(bytes.fromhex(digest.hex)).decode().rstrip("=")
