"""RECORD: what it lists is what the wheel holds."""

from collections.abc import Iterator

from factory.audit.expectation import Expectation
from factory.audit.rules import WHEEL_SPECIFICATION, table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.wheel import RecordRow, Wheel, record_hash

RULES = table(
    Rule(
        id="record-missing",
        severity=Severity.ERROR,
        summary="RECORD is absent or cannot be read",
        why="Installers refuse the wheel, or cannot uninstall it.",
        mend="Write it with the backend, or repack with `wheel pack`.",
        source=WHEEL_SPECIFICATION + ", RECORD",
    ),
    Rule(
        id="record-absent",
        severity=Severity.ERROR,
        summary="RECORD lists a file that is not in the wheel",
        why="Installers that check RECORD refuse the wheel.",
        mend="Repack with `wheel pack` after changing a wheel's content.",
        source=WHEEL_SPECIFICATION + ", RECORD",
    ),
    Rule(
        id="record-hash",
        severity=Severity.ERROR,
        summary="a file differs from what RECORD says",
        why="Installers that check RECORD refuse the wheel; the content changed after it was packed.",
        mend="Repack with `wheel pack` after changing a wheel's content.",
        source=WHEEL_SPECIFICATION + ", RECORD: sha256 or better",
    ),
    Rule(
        id="record-unlisted",
        severity=Severity.ERROR,
        summary="a file of the wheel is not in RECORD",
        why="Installers refuse it, and tools that go by RECORD never see it.",
        mend="Repack with `wheel pack` after changing a wheel's content.",
        source=WHEEL_SPECIFICATION + ", RECORD",
    ),
    Rule(
        id="record-duplicate",
        severity=Severity.WARNING,
        summary="RECORD lists a file twice",
        why="Tools disagree on which line counts.",
        mend="Repack with `wheel pack`.",
        source=WHEEL_SPECIFICATION + ", RECORD",
    ),
)

_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")  # binary distribution format: no hash of these can be written


def check(wheel: Wheel, expectation: Expectation) -> Ruling:  # noqa: ARG001 -- every check has this signature
    """RECORD lists every file with its hash, and nothing else (PEP 376, PEP 427)."""
    subject = f"{wheel.dist_info}/RECORD"
    if wheel.record is None:
        message = f"cannot be read: {wheel.record_problem}" if wheel.record_problem else "is not in the wheel"
        findings = [Finding.of(RULES["record-missing"], subject, message)] if wheel.dist_info else []
    else:
        findings = [*_rows(wheel, subject, wheel.record), *_unlisted(wheel, subject, wheel.record)]
    return Ruling(check="record", findings=tuple(findings))


def _rows(wheel: Wheel, subject: str, rows: tuple[RecordRow, ...]) -> Iterator[Finding]:
    skipped = {flaw.member for flaw in wheel.flaws}
    seen: set[str] = set()
    for row in rows:
        if row.path in seen:
            yield Finding.of(RULES["record-duplicate"], row.path, "is listed in RECORD more than once")
        elif row.path in wheel.members:
            yield from _row(wheel, row)
        elif row.path not in skipped:
            yield Finding.of(RULES["record-absent"], row.path, f"is listed in {subject} but is not in the wheel")
        seen.add(row.path)


def _row(wheel: Wheel, row: RecordRow) -> Iterator[Finding]:
    if _is_unrecorded(wheel, row.path):
        return
    member = wheel.members[row.path]
    algorithm, _, _ = row.hash.partition("=")
    if algorithm != "sha256":
        weak = f"a hash by {algorithm}" if row.hash else "no hash"
        yield Finding.of(RULES["record-hash"], row.path, f"has {weak} in RECORD; sha256 is expected")
    elif row.hash.rstrip("=") != record_hash(member.digest):
        yield Finding.of(
            RULES["record-hash"], row.path, f"has the hash {record_hash(member.digest)}; RECORD says {row.hash}"
        )
    elif row.size and row.size != str(member.size_bytes):
        yield Finding.of(RULES["record-hash"], row.path, f"has {member.size_bytes} bytes; RECORD says {row.size}")


def _unlisted(wheel: Wheel, subject: str, rows: tuple[RecordRow, ...]) -> Iterator[Finding]:
    listed = {row.path for row in rows}
    for path in wheel.members:
        if path not in listed and not _is_unrecorded(wheel, path):
            yield Finding.of(RULES["record-unlisted"], path, f"is in the wheel but is not listed in {subject}")


def _is_unrecorded(wheel: Wheel, path: str) -> bool:
    return path in {f"{wheel.dist_info}/{name}" for name in _UNRECORDED}
