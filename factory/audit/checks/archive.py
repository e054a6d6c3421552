"""The archive: what its reader refused, and how large it is."""

from factory.audit.expectation import Expectation
from factory.audit.rules import WHEEL_SPECIFICATION, table
from factory.audit.verdict import Finding, Ruling
from factory.catalogue import Rule, Severity
from factory.wheel import Wheel

_ZIP_SPECIFICATION = "PKWARE APPNOTE; " + WHEEL_SPECIFICATION

RULES = table(
    Rule(
        id="elf-broken",
        severity=Severity.ERROR,
        summary="an ELF object cannot be read",
        why="It is cut short or damaged; the loader fails or crashes, and nothing else about it can be judged.",
        mend="Build again; check stripping and patching tools (patchelf before 0.14.5 damages files).",
        source="System V ABI, ELF; man 5 elf",
    ),
    Rule(
        id="pe-broken",
        severity=Severity.ERROR,
        summary="a PE file of a wheel for Windows cannot be read",
        why="It is cut short or damaged; the loader refuses it, and nothing else about it can be judged.",
        mend="Build again; check stripping and patching tools.",
        source="Microsoft, PE Format",
    ),
    Rule(
        id="wheel-too-large",
        severity=Severity.ERROR,
        summary="the wheel is larger than the recipe allows",
        why="Debug information or a forgotten file got in, or an index will refuse it.",
        mend="Strip the objects, look for what grew, or raise `audit: {max-size: …}` in the recipe.",
        source="the recipe's audit.max-size",
    ),
    Rule(
        id="archive-unreadable",
        severity=Severity.ERROR,
        summary="the archive or a member of it cannot be read",
        why="A wrong checksum or a broken structure: it cannot be installed, or not as it was built.",
        mend="Build or copy the wheel again.",
        source=_ZIP_SPECIFICATION,
    ),
    Rule(
        id="archive-name",
        severity=Severity.ERROR,
        summary="a member's name is no path inside the folder it is unpacked to",
        why="Unpackers write elsewhere, refuse it, or disagree on what it means.",
        mend="Pack relative names with forward slashes only, parts of at most 255 bytes, and nothing below a file.",
        source=_ZIP_SPECIFICATION + ", 4.4.17",
    ),
    Rule(
        id="archive-duplicate",
        severity=Severity.ERROR,
        summary="a member's name occurs twice",
        why="Unpackers disagree on which one counts, so what was checked need not be what is installed.",
        mend="Write each file once.",
        source=_ZIP_SPECIFICATION,
    ),
    Rule(
        id="archive-case",
        severity=Severity.WARNING,
        summary="two members' names differ only in case",
        why="On file systems that ignore case one overwrites the other.",
        mend="Rename one of them.",
        source=_ZIP_SPECIFICATION,
    ),
    Rule(
        id="archive-special",
        severity=Severity.ERROR,
        summary="a member is a link or a device",
        why="Wheels cannot carry links: installers write the link's target as text, or follow it out of the folder.",
        mend="Pack the file itself; for a library keep only the name that is needed.",
        source=WHEEL_SPECIFICATION,
    ),
    Rule(
        id="archive-encrypted",
        severity=Severity.ERROR,
        summary="a member is encrypted",
        why="It cannot be installed.",
        mend="Pack it without a password.",
        source=_ZIP_SPECIFICATION,
    ),
    Rule(
        id="archive-method",
        severity=Severity.ERROR,
        summary="a member needs more of an unpacker than store and deflate",
        why="Installers differ in what else they unpack, and indexes refuse it.",
        mend="Pack with deflate.",
        source=_ZIP_SPECIFICATION,
    ),
    Rule(
        id="archive-too-large",
        severity=Severity.ERROR,
        summary="the wheel cannot be read within the reader's limits",
        why="It may be made to fill disks or memory, or to keep readers busy; what is not read cannot be judged.",
        mend="Split the package, or fetch such data at run time; if a sound wheel is refused, report it.",
        source="the reader's limits",
    ),
    Rule(
        id="archive-mismatch",
        severity=Severity.ERROR,
        summary="the archive says two things of a member, or of how many it has",
        why="Unpackers that read from the start see another archive than those that read the directory at its end.",
        mend="Pack it again; do not edit archives in place.",
        source=_ZIP_SPECIFICATION + ", 4.3.7 and 4.3.12; CVE-2025-54368",
    ),
    Rule(
        id="archive-overlap",
        severity=Severity.ERROR,
        summary="members share their bytes",
        why="This is how a small archive unpacks to terabytes; nothing of it is read.",
        mend="Pack it again.",
        source=_ZIP_SPECIFICATION + "; CVE-2019-9674",
    ),
    Rule(
        id="archive-padding",
        severity=Severity.ERROR,
        summary="bytes in the file belong to no member",
        why="Something was put before, between or after the members: a program, or an archive that some tools see.",
        mend="Pack it again; add nothing to a finished wheel.",
        source=_ZIP_SPECIFICATION + ", 4.3.6",
    ),
    Rule(
        id="archive-stored-descriptor",
        severity=Severity.ERROR,
        summary="a member that is not compressed has its size only after its content",
        why="Whoever reads from the start cannot tell where it ends; installers that stream refuse it.",
        mend="Write the archive to a file rather than into a pipe.",
        source=_ZIP_SPECIFICATION + ", 4.3.9",
    ),
    Rule(
        id="archive-descriptor",
        severity=Severity.WARNING,
        summary="a member has its size only after its content",
        why="Readers that stream learn too late how much they will unpack.",
        mend="Write the archive to a file rather than into a pipe.",
        source=_ZIP_SPECIFICATION + ", 4.3.9",
    ),
    Rule(
        id="archive-mode",
        severity=Severity.ERROR,
        summary="a member's mode is 000, or would run it with its owner's rights",
        why="Unpackers that restore modes create a file that nobody can read, or one that gives rights away.",
        mend="Give files 644 or 755 before packing.",
        source=_ZIP_SPECIFICATION + ", external file attributes; man 2 chmod",
    ),
    Rule(
        id="archive-world-writable",
        severity=Severity.WARNING,
        summary="everybody may write to a member",
        why="Where modes are restored, any user of the machine can change the code.",
        mend="Set umask 022 before building.",
        source=_ZIP_SPECIFICATION + ", external file attributes; CWE-732",
    ),
    Rule(
        id="archive-date",
        severity=Severity.WARNING,
        summary="a member's date does not exist",
        why="Unpackers that restore dates fail on it, and so do repacking tools.",
        mend="Set SOURCE_DATE_EPOCH to a time from 1980 on.",
        source=_ZIP_SPECIFICATION + ", 4.4.6: MS-DOS dates begin with 1980-01-01",
    ),
)


def check(wheel: Wheel, expectation: Expectation) -> Ruling:
    """Report what the reader could not take, and a size above the agreed one."""
    findings = [
        Finding.of(RULES[f"archive-{flaw.kind}"], flaw.member or wheel.filename, flaw.message) for flaw in wheel.flaws
    ]
    findings += [
        Finding.of(RULES["elf-broken"], path, f"cannot be read as an ELF object: {reason}")
        for path, reason in wheel.broken.items()
    ]
    findings += [
        Finding.of(RULES["pe-broken"], path, f"cannot be read as a PE file: {reason}")
        for path, reason in wheel.pe_broken.items()
    ]
    limit = expectation.max_size_bytes
    if limit is not None and wheel.size_bytes > limit:
        findings.append(
            Finding.of(
                RULES["wheel-too-large"], wheel.filename, f"has {wheel.size_bytes} bytes; at most {limit} are allowed"
            )
        )
    return Ruling(check="archive", findings=tuple(findings), allows=frozenset() if wheel.broken else None)
