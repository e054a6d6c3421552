"""Wheels whose archive or RECORD is wrong, and waivers."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

from factory.audit import Expectation
from tests.corpus.sample import (
    TODAY,
    Cases,
    Sample,
    again,
    appended,
    beside,
    central,
    central_of_last,
    cut,
    ended,
    listed,
    local,
    piped,
    prepended,
    replaced,
    shaped,
    waiver,
    with_hash,
)
from tests.makers.objects import make_module
from tests.makers.wheels import MODULE


def _unicode_path(name: bytes, other: bytes) -> bytes:
    """Make the extra field that gives a member another name (APPNOTE 4.6.9)."""
    return struct.pack("<HHBI", 0x7075, 5 + len(other), 1, zlib.crc32(name)) + other


def _flagged(flags: int) -> Callable[[Path], Path]:
    return lambda path: local(6, "<H", flags)(central(8, "<H", flags)(path))


CASES: Cases = {
    "record-missing": (
        Sample(change=replaced(b"demo-1.0.dist-info/RECORD", b"demo-1.0.dist-info/recorD")),
        Sample(),
    ),
    "record-missing/a row of nothing": (
        Sample(change=replaced(b"demo-1.0.dist-info/RECORD", b"demo-1.0.dist-info/recorD")),
        Sample(wheel={"record": lambda rows: [*rows, []]}),
    ),
    "record-absent": (Sample(wheel={"record": listed("demo/gone.py")}), Sample()),
    "record-hash": (Sample(wheel={"record": with_hash("sha256=AAAA")}), Sample()),
    "record-unlisted": (
        Sample(wheel={"unlisted": {"demo/extra.py": b""}}),
        Sample(wheel={"unlisted": {"demo-1.0.dist-info/RECORD.jws": b""}}),
    ),
    "record-duplicate": (Sample(wheel={"record": lambda rows: [*rows, rows[0]]}), Sample()),
    "archive-unreadable": (Sample(change=central(16, "<I", 0)), Sample()),
    "archive-name": (
        Sample({MODULE: make_module(), "../x": b""}),
        Sample({MODULE: make_module(), "demo/..x": b""}),
    ),
    "archive-duplicate": (
        Sample(wheel={"pack": again}),
        Sample({MODULE: make_module(), "other/core.so": make_module()}),
    ),
    "archive-case": (
        Sample({MODULE: make_module(), "demo/a": b"", "demo/A": b""}),
        Sample({MODULE: make_module(), "demo/a": b"", "Demo2/A": b""}),
    ),
    "archive-special": (shaped(external_attr=stat.S_IFLNK << 16), shaped(external_attr=(stat.S_IFREG | 0o644) << 16)),
    "archive-encrypted": (Sample(change=central(8, "<H", 1)), Sample(change=central(8, "<H", 2))),
    "archive-method": (shaped(compress_type=zipfile.ZIP_LZMA), shaped(compress_type=zipfile.ZIP_STORED)),
    "archive-too-large": (
        Sample(wheel={"metadata": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\n" + "x" * (9 << 20)}),
        Sample({MODULE: make_module(), "demo/METADATA": bytes(9 << 20)}),
    ),
    "wheel-too-large": (
        Sample(expect=Expectation(max_size_bytes=100)),
        Sample(expect=Expectation(max_size_bytes=100_000)),
    ),
    "waiver-unused": (
        Sample({MODULE: make_module(needed=["libfoo.so"])}, waiver("wrong-libc")),
        Sample({MODULE: make_module(needed=["libfoo.so"])}, waiver("library-missing", subject="demo/*")),
    ),
    "waiver-expired": (
        Sample({MODULE: make_module(needed=["libfoo.so"])}, waiver("library-missing", date(2026, 11, 21))),
        Sample({MODULE: make_module(needed=["libfoo.so"])}, waiver("library-missing", TODAY)),
    ),
    "archive-unreadable/no archive": (
        Sample(change=lambda path: path.with_name(path.name) if path.write_bytes(b"no zip") else path),
        Sample(),
    ),
    "archive-unreadable/cut short": (Sample(change=cut(60)), Sample(change=cut(0))),
    "archive-unreadable/deflated badly": (Sample(change=replaced(b"PK\1\2", b"PK\1\3")), Sample()),
    "archive-mismatch": (Sample(change=local(14, "<I", 0)), Sample(change=local(10, "<H", 0))),
    "archive-mismatch/name": (Sample(change=local(30, "<B", 120)), Sample(change=local(30, "<B", ord("d")))),
    "archive-mismatch/method": (Sample(change=local(8, "<H", 0)), Sample(change=local(8, "<H", 8))),
    "archive-mismatch/count": (Sample(change=ended(10, "<H", 9)), Sample(change=ended(20, "<H", 0))),
    "archive-overlap": (Sample(change=central_of_last(42, "<I", 0)), Sample()),
    "archive-padding": (Sample(change=prepended(b"#!/bin/sh\n")), Sample(change=prepended(b""))),
    "archive-padding/appended": (Sample(change=appended(b"\n")), Sample(change=appended(b""))),
    "archive-stored-descriptor": (Sample(change=piped(zipfile.ZIP_STORED)), Sample()),
    "archive-descriptor": (Sample(change=piped(zipfile.ZIP_DEFLATED)), Sample()),
    "archive-mode": (shaped(external_attr=stat.S_IFREG << 16), shaped(external_attr=0)),
    "archive-mode/setuid": (shaped(external_attr=0o104755 << 16), shaped(external_attr=0o100755 << 16)),
    "archive-world-writable": (shaped(external_attr=0o100666 << 16), shaped(external_attr=0o100664 << 16)),
    "archive-date": (Sample(change=central(14, "<H", 0)), Sample(change=central(14, "<H", 0x21))),
    "archive-date/time": (Sample(change=central(12, "<H", 0xFFFF)), Sample(change=central(12, "<H", 0xBF7D))),
    "archive-name/absolute": (beside("/etc/x", b""), beside("demo/etc/x", b"")),
    "archive-name/backslash": (beside("demo\\x", b""), beside("demo/x", b"")),
    "archive-name/drive": (beside("C:/x", b""), beside("demo/C/x", b"")),
    "archive-name/empty part": (beside("demo//x", b""), beside("demo/x", b"")),
    "archive-special/device": (
        shaped(external_attr=(stat.S_IFCHR | 0o644) << 16),
        shaped(external_attr=(stat.S_IFREG | 0o644) << 16),
    ),
    "archive-method/bzip2": (shaped(compress_type=zipfile.ZIP_BZIP2), shaped(compress_type=zipfile.ZIP_DEFLATED)),
    "archive-too-large/a bomb": (
        beside("demo/zeros", bytes((1 << 26) + 1)),
        beside("demo/zeros", bytes(1 << 20)),
    ),
    "record-hash/size": (
        Sample(wheel={"record": lambda rows: [[path, digest, size and "1"] for path, digest, size in rows]}),
        Sample(wheel={"record": lambda rows: [[path, digest, ""] for path, digest, size in rows]}),
    ),
    "record-hash/none": (Sample(wheel={"record": with_hash("")}), Sample()),
    "record-hash/md5": (Sample(wheel={"record": with_hash("md5=AAAA")}), Sample()),
    "record-missing/unreadable": (Sample(wheel={"record": lambda rows: [*rows, ["a", "b"]]}), Sample()),
    "record-unlisted/an object": (
        Sample(wheel={"unlisted": {"demo/extra.so": make_module("extra")}}),
        Sample({MODULE: make_module(), "demo/extra.so": make_module("extra")}),
    ),
    "archive-name/a long part": (beside(f"demo/{'x' * 256}", b""), beside(f"demo/{'x' * 255}/x", b"")),
    "archive-name/a file and a folder": (
        Sample({MODULE: make_module(), "demo/x": b"", "demo/x-y": b"", "demo/x/y": b""}),
        Sample({MODULE: make_module(), "demo/x": b"", "demo/x-y": b"", "demo/x-/y": b""}),
    ),
    "archive-mismatch/a Unicode path": (
        shaped(extra=_unicode_path(b"demo/x", b"demo/y")),
        shaped(extra=_unicode_path(b"demo/x", b"demo/x")),
    ),
    "archive-mismatch/a folder with content": (
        Sample(wheel={"pack": lambda archive: archive.writestr("demo/", b"x")}),
        Sample(wheel={"pack": lambda archive: archive.writestr("demo/", b"")}),
    ),
    "archive-mismatch/a folder by its mode": (
        shaped(external_attr=(stat.S_IFDIR | 0o755) << 16),
        shaped(external_attr=(stat.S_IFREG | 0o755) << 16),
    ),
    "archive-method/a newer format": (Sample(change=central(6, "<H", 64)), Sample(change=central(6, "<H", 45))),
    "archive-method/patched data": (Sample(change=_flagged(0x20)), Sample(change=_flagged(0x06))),
}
