"""Names and texts: the file name, the dist-info folder, METADATA, WHEEL and RECORD must agree with one another."""

import re
from collections.abc import Iterator

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.audit.model import Expectation, Finding, Ruling
from factory.audit.rules import finding
from factory.untrusted import UntrustedTextError, parse_specifiers, parse_version
from factory.wheel import RecordRow, Wheel, WheelName, record_hash

_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")  # binary distribution format: no hash of these can be written
_MICROS = range(100)


def check_names(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- a Check's signature
    """File name, dist-info folder and METADATA name one project in one version."""
    if wheel.name is None:
        found = [finding("name-unreadable", wheel.filename, wheel.name_problem)]
    else:
        found = [
            *_folders(wheel, wheel.name),
            *_metadata(wheel, wheel.name),
            *_wheel_text(wheel),
            *_requires_python(wheel),
        ]
    return Ruling(check="names", findings=tuple(found))


def _folders(wheel: Wheel, named: WheelName) -> Iterator[Finding]:
    if len(wheel.dist_infos) != 1 and not wheel.is_unread:
        count = len(wheel.dist_infos) or "no"
        message = f"holds {count} .dist-info folders; exactly one is due"
        yield finding("dist-info-count", wheel.filename, message, wheel.dist_infos)
    for folder in wheel.dist_infos:
        name, _, version = folder.removesuffix(".dist-info").rpartition("-")
        yield from _same(named, "dist-info-mismatch", folder, name, version)


def _metadata(wheel: Wheel, named: WheelName) -> Iterator[Finding]:
    if not wheel.dist_info:
        return
    subject = f"{wheel.dist_info}/METADATA"
    if wheel.metadata is None:
        yield finding("metadata-missing", subject, "is not in the wheel")
    else:
        yield from _same(named, "metadata-mismatch", subject, wheel.metadata.name, wheel.metadata.version)


def _same(named: WheelName, rule: str, subject: str, name: str, version: str) -> Iterator[Finding]:
    if canonicalize_name(name) != named.name or _version(version) != named.version:
        said = f"{name or 'no name'} {version or 'no version'}"
        message = f"says {said}; the file name says {named.name} {named.version}"
        yield finding(rule, subject, message)


def _version(text: str) -> Version | None:
    try:
        return parse_version(text)
    except UntrustedTextError:
        return None


def _wheel_text(wheel: Wheel) -> Iterator[Finding]:
    subject = f"{wheel.dist_info}/WHEEL"
    if wheel.wheel_text is None:
        if wheel.dist_info:
            yield finding("wheel-text-missing", subject, "is not in the wheel")
        return
    objects = tuple(sorted({*wheel.objects, *wheel.broken}))
    if objects and all(tag.platform == "any" for tag in wheel.tags):
        yield finding(
            "any-wheel-with-objects", wheel.filename, f"is tagged for any platform; {objects[0]} is for one", objects
        )
        return
    rooted = tuple(path for path in objects if ".data/" not in path)
    pure = tuple(path for path in objects if path.partition(".data/")[2].startswith("purelib/"))
    if wheel.wheel_text.root_is_purelib and rooted:
        message = f"says Root-Is-Purelib: true; {rooted[0]} belongs to platlib"
        yield finding("purelib-with-objects", subject, message, rooted)
    if pure:
        yield finding("purelib-with-objects", pure[0], "lies in purelib; compiled objects belong to platlib", pure)


def _requires_python(wheel: Wheel) -> Iterator[Finding]:
    """Only a version-specific tag can be contradicted: an abi3 wheel's lower tags may be idle without harm."""
    if wheel.metadata is None or not wheel.metadata.requires_python:
        return
    subject, text = f"{wheel.dist_info}/METADATA", wheel.metadata.requires_python
    minors = sorted({int(m[1]) for t in wheel.tags if (m := re.fullmatch(r"cp3([0-9]+)t?", t.abi))})
    try:
        specifiers = parse_specifiers(text)
    except UntrustedTextError:
        yield finding("requires-python", subject, f"Requires-Python {text[:80]!r} is not a version specifier")
        return
    for minor in (minor for minor in minors if not _admits(specifiers, minor)):
        message = f"Requires-Python {text[:80]!r} excludes Python 3.{minor}; the file name claims cp3{minor}"
        yield finding("requires-python", subject, message)


def _admits(specifiers: SpecifierSet, minor: int) -> bool:
    return any(specifiers.contains(f"3.{minor}.{micro}", prereleases=True) for micro in _MICROS)


def check_record(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- a Check's signature
    """RECORD lists every file with its hash, and nothing else (PEP 376, PEP 427)."""
    subject = f"{wheel.dist_info}/RECORD"
    if wheel.record is None:
        message = f"cannot be read: {wheel.record_problem}" if wheel.record_problem else "is not in the wheel"
        found = [finding("record-missing", subject, message)] if wheel.dist_info else []
    else:
        found = [*_rows(wheel, subject, wheel.record), *_unlisted(wheel, subject, wheel.record)]
    return Ruling(check="record", findings=tuple(found))


def _rows(wheel: Wheel, subject: str, rows: tuple[RecordRow, ...]) -> Iterator[Finding]:
    skipped = {flaw.member for flaw in wheel.flaws}
    seen: set[str] = set()
    for row in rows:
        if row.path in seen:
            yield finding("record-duplicate", row.path, "stands in RECORD more than once")
        elif row.path in wheel.members:
            yield from _row(wheel, row)
        elif row.path not in skipped:
            yield finding("record-absent", row.path, f"is listed in {subject} and not in the wheel")
        seen.add(row.path)


def _row(wheel: Wheel, row: RecordRow) -> Iterator[Finding]:
    if _is_unrecorded(wheel, row.path):
        return
    member = wheel.members[row.path]
    algorithm, _, _ = row.hash.partition("=")
    if algorithm != "sha256":
        weak = f"a hash by {algorithm}" if row.hash else "no hash"
        yield finding("record-hash", row.path, f"has {weak} in RECORD; sha256 is due")
    elif row.hash.rstrip("=") != record_hash(member.digest):
        yield finding("record-hash", row.path, f"is {record_hash(member.digest)}; RECORD says {row.hash}")
    elif row.size and row.size != str(member.size_bytes):
        yield finding("record-hash", row.path, f"has {member.size_bytes} bytes; RECORD says {row.size}")


def _unlisted(wheel: Wheel, subject: str, rows: tuple[RecordRow, ...]) -> Iterator[Finding]:
    listed = {row.path for row in rows}
    for path in wheel.members:
        if path not in listed and not _is_unrecorded(wheel, path):
            yield finding("record-unlisted", path, f"is in the wheel and not listed in {subject}")


def _is_unrecorded(wheel: Wheel, path: str) -> bool:
    return path in {f"{wheel.dist_info}/{name}" for name in _UNRECORDED}
