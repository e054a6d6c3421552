"""Bytes to Wheel."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from packaging.tags import Tag

from factory.archive import LIMITS, ArchiveLimits, Flaw, Member, open_archive
from factory.elf.read import MAGIC, parse
from factory.elf.shared_object import SharedObject
from factory.objects import KEPT_BYTES, Budget, ObjectError
from factory.pe import read as pe
from factory.pe.pe_file import PeFile
from factory.untrusted import (
    Headers,
    UntrustedTextError,
    compressed_tags,
    count_tags,
    parse_entry_points,
    parse_headers,
    parse_rows,
    parse_wheel_name,
    split_variant,
)
from factory.wheel.mistaken import Suspects, is_suspect
from factory.wheel.variant import VARIANT, read_variant
from factory.wheel.wheel import Metadata, RecordRow, Wheel, WheelName, WheelText

_T = TypeVar("_T")

_TEXTS = frozenset({"METADATA", "WHEEL", "RECORD", "entry_points.txt", VARIANT})
_TEXT_BYTES = 1 << 23
_PE_SUFFIXES = (".pyd", ".dll", ".exe")
_TAGS, _TAG_CHARACTERS = 1 << 10, 1000
_FIELDS = 1 << 12
_RECORD_ROWS = 1 << 17


def read_wheel(path: Path, limits: ArchiveLimits = LIMITS, *, kept_bytes: int = KEPT_BYTES) -> Wheel:
    """Read a wheel, each member once and one at a time; whatever is wrong inside is in the value.

    `kept_bytes` limits the memory for the names of all objects together.

    Raises:
        OSError: the file cannot be opened.
    """
    parts = _Parts(path, Budget(bytes_left=kept_bytes))
    with open_archive(path, limits) as archive:
        archive.visit(parts.take, parts.is_wanted)
        parts.flaws += archive.flaws
    return parts.wheel()


def _is_text(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and parts[0].endswith(".dist-info") and parts[1] in _TEXTS  # noqa: PLR2004 -- folder/file


def _is_pe(name: str, head: bytes | bytearray) -> bool:
    """Whether a file begins as a PE file does, and has a name by which Windows loads or starts one."""
    return head[: len(pe.MAGIC)] == pe.MAGIC and name.lower().endswith(_PE_SUFFIXES)


@dataclass(slots=True)
class _Parts:
    """What has been read, before it is put together."""

    path: Path
    budget: Budget
    members: dict[str, Member] = field(default_factory=dict)
    objects: dict[str, SharedObject] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    pe_files: dict[str, PeFile] = field(default_factory=dict)
    pe_broken: dict[str, str] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    suspects: Suspects = field(default_factory=Suspects)
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def is_for_windows(self) -> bool:
        """Whether the file name claims Windows; other wheels may carry Windows' programs as data."""
        name, _ = _read_name(self.path.name)
        return name is not None and any(tag.platform.startswith("win") for tag in name.tags)

    def is_wanted(self, name: str, head: bytes, size_bytes: int) -> bool:
        """Whether a member is to be read, by its name and its first bytes."""
        is_object = head == MAGIC or (_is_pe(name, head) and self.is_for_windows)
        return is_object or _is_text(name) or is_suspect(name, head, size_bytes)

    def take(self, member: Member, content: bytearray) -> None:
        """Keep what matters of a member; of two with one name the first counts, as the archive's flaws say."""
        if member.name in self.members:
            return
        self.members[member.name] = member
        if content.startswith(MAGIC):
            self._take_object(member.name, content)
        elif _is_pe(member.name, content) and self.is_for_windows:
            self._take_pe_file(member.name, content)
        elif _is_text(member.name):
            self._take_text(member.name, content)
        elif content:
            self.suspects.take(member.name, bytes(content))

    def _take_object(self, name: str, content: bytearray) -> None:
        try:
            self.objects[name] = parse(content, self.budget)
        except ObjectError as error:
            self.broken[name] = str(error)

    def _take_pe_file(self, name: str, content: bytearray) -> None:
        try:
            self.pe_files[name] = pe.parse(content, self.budget)
        except ObjectError as error:
            self.pe_broken[name] = str(error)

    def _take_text(self, name: str, content: bytearray) -> None:
        if len(content) > _TEXT_BYTES:
            self._too_large(name, f"is a text of {len(content)} bytes; at most {_TEXT_BYTES} are read")
        elif content:
            self.texts[name] = bytes(content)

    def wheel(self) -> Wheel:
        """Put the value together."""
        name, name_problem = _read_name(self.path.name)
        folders = sorted({p for m in self.members if (p := m.partition("/")[0]).endswith(".dist-info") and "/" in m})
        folder = self._folder(folders)
        record, record_problem = self._record(folder)
        variant, variant_problem = read_variant(self.texts.get(f"{folder}/{VARIANT}"))
        entry_points, entry_points_problem = read_entry_points(self.texts.get(f"{folder}/entry_points.txt", b""))
        return Wheel(
            filename=self.path.name,
            size_bytes=self.path.stat().st_size,
            name=name,
            name_problem=name_problem,
            dist_infos=tuple(folders),
            dist_info=folder,
            metadata=self._few_fields(folder, self._metadata(folder)),
            wheel_text=self._wheel_text(folder),
            record=record,
            record_problem=record_problem,
            entry_points=self._few(f"{folder}/entry_points.txt", "entry points", entry_points),
            entry_points_problem=entry_points_problem,
            variant=variant,
            variant_problem=variant_problem,
            members=MappingProxyType(dict(sorted(self.members.items()))),
            objects=MappingProxyType(dict(sorted(self.objects.items()))),
            broken=MappingProxyType(dict(sorted(self.broken.items()))),
            pe_files=MappingProxyType(dict(sorted(self.pe_files.items()))),
            pe_broken=MappingProxyType(dict(sorted(self.pe_broken.items()))),
            mistakes=MappingProxyType(dict(sorted(self.suspects.mistakes.items()))),
            flaws=tuple(self.flaws),
        )

    def _folder(self, folders: list[str]) -> str:
        wanted = "-".join(self.path.name.split("-")[:2]) + ".dist-info"
        if wanted in folders:
            return wanted
        return folders[0] if folders else ""

    def _headers(self, folder: str, name: str) -> Headers | None:
        """Read the fields of a text; where it cannot be read, a flaw says so as if it were too large."""
        content = self.texts.get(f"{folder}/{name}")
        try:
            return None if content is None else parse_headers(content)
        except UntrustedTextError as error:
            self.flaws.append(Flaw(kind="too-large", member=f"{folder}/{name}", message=str(error)))
            return None

    def _metadata(self, folder: str) -> Metadata | None:
        headers = self._headers(folder, "METADATA")
        if headers is None:
            return None
        return Metadata(
            text=self.texts[f"{folder}/METADATA"],
            metadata_version=headers.first("Metadata-Version"),
            name=headers.first("Name"),
            version=headers.first("Version"),
            requires_python=headers.first("Requires-Python"),
            requires_dist=headers.all("Requires-Dist"),
            extras=headers.all("Provides-Extra"),
            license_files=headers.all("License-File"),
            license=headers.first("License"),
            license_expression=headers.first("License-Expression"),
            classifiers=headers.all("Classifier"),
            summary=headers.first("Summary"),
            project_urls=headers.all("Project-URL"),
            urls=_present(headers, "Home-page", "Download-URL"),
            addresses=_present(headers, "Author-email", "Maintainer-email"),
            description_content_type=headers.first("Description-Content-Type"),
            description=_plain(headers.body or headers.first("Description")),
        )

    def _wheel_text(self, folder: str) -> WheelText | None:
        headers = self._headers(folder, "WHEEL")
        if headers is None:
            return None
        lines = self._few(f"{folder}/WHEEL", "Tag lines", headers.all("Tag"))
        tags = {line: _tags(line) for line in self._expandable(f"{folder}/WHEEL", lines)}
        return WheelText(
            wheel_version=headers.first("Wheel-Version"),
            root_is_purelib=headers.first("Root-Is-Purelib").lower() == "true",
            tags=frozenset().union(*tags.values()),
            bad_tags=tuple(line for line in lines if not tags.get(line)),
        )

    def _expandable(self, member: str, lines: tuple[str, ...]) -> Iterator[str]:
        """Yield Tag lines as long as all of them together name no more tags than are read."""
        left = _TAGS
        for line in lines:
            left -= count_tags(line)
            if left < 0:
                self._too_large(member, f"its Tag lines name more than {_TAGS} tags in all, the most that are read")
                return
            yield line

    def _few_fields(self, folder: str, metadata: Metadata | None) -> Metadata | None:
        if metadata is None:
            return None
        member = f"{folder}/METADATA"
        return replace(
            metadata,
            requires_dist=self._few(member, "Requires-Dist fields", metadata.requires_dist),
            extras=self._few(member, "Provides-Extra fields", metadata.extras),
            license_files=self._few(member, "License-File fields", metadata.license_files),
            classifiers=self._few(member, "Classifier fields", metadata.classifiers),
            project_urls=self._few(member, "Project-URL fields", metadata.project_urls),
        )

    def _few(self, member: str, what: str, items: tuple[_T, ...]) -> tuple[_T, ...]:
        """Keep as many as are read; a flaw, which refuses the wheel, says that there are more."""
        if len(items) > _FIELDS:
            self._too_large(member, f"has {len(items)} {what}; at most {_FIELDS} are read")
        return items[:_FIELDS]

    def _too_large(self, member: str, message: str) -> None:
        self.flaws.append(Flaw(kind="too-large", member=member, message=message))

    def _record(self, folder: str) -> tuple[tuple[RecordRow, ...] | None, str]:
        content = self.texts.get(f"{folder}/RECORD")
        return (None, "") if content is None else parse_record(content)


def _present(headers: Headers, *names: str) -> tuple[str, ...]:
    return tuple(text for name in names if (text := headers.first(name)))


def _plain(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _tags(line: str) -> frozenset[Tag]:
    """Expand a Tag line; a line that cannot be read gives no tags."""
    try:
        return compressed_tags(line)
    except UntrustedTextError:
        return frozenset()


def _read_name(filename: str) -> tuple[WheelName | None, str]:
    plain, label = split_variant(filename)
    try:
        name, version, build, tags = parse_wheel_name(plain)
    except UntrustedTextError as error:
        return None, f"the file name {error}"
    return WheelName(name=name, version=version, build="".join(map(str, build)), tags=tags, label=label), ""


def parse_record(content: bytes) -> tuple[tuple[RecordRow, ...] | None, str]:
    """Read RECORD's rows, or say why they cannot be read."""
    try:
        rows = parse_rows(content, _RECORD_ROWS)
    except UntrustedTextError as error:
        return None, f"it {error}"
    for line, row in enumerate(rows, start=1):
        if row and len(row) != 3:  # noqa: PLR2004 -- path, hash, size
            return None, f"row {line} has {len(row)} fields; three are expected"
    return tuple(RecordRow(path=row[0], hash=row[1], size=row[2]) for row in rows if row), ""


def read_entry_points(content: bytes) -> tuple[tuple[tuple[str, str, str], ...], str]:
    """Read groups, names and values as the entry points specification has it, or say why they cannot be read."""
    try:
        groups = parse_entry_points(content)
    except UntrustedTextError as error:
        return (), f"it {error}"
    return tuple((group, name, value) for group, entries in groups.items() for name, value in entries.items()), ""
