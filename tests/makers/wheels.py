"""Makers of wheels: each states only the fact that matters to its test."""

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypedDict

from packaging.tags import parse_tag

from tests.makers.objects import make_module

MODULE = "demo/core.cpython-311-x86_64-linux-gnu.so"
NAME = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
ABI3_NAME = "demo-1.0-cp39-abi3-manylinux_2_17_x86_64.whl"
ABI3_MODULE = "demo/core.abi3.so"


class WheelFacts(TypedDict, total=False):
    """The keyword arguments of `make_wheel`, for tables."""

    filename: str
    dist_info: str
    metadata: str | None
    wheel: str | None
    record: "Rows"
    unlisted: Mapping[str, bytes]
    shape: Mapping[str, "Shape"]
    pack: Callable[[zipfile.ZipFile], None]


Rows = Callable[[list[list[str]]], list[list[str]]]
Shape = Callable[[zipfile.ZipInfo], None]


def make_wheel(
    folder: Path,
    files: Mapping[str, bytes] | None = None,
    *,
    filename: str = NAME,
    dist_info: str = "",
    metadata: str | None = "",
    wheel: str | None = "",
    record: Rows = list,
    unlisted: Mapping[str, bytes] | None = None,
    shape: Mapping[str, Shape] | None = None,
    pack: Callable[[zipfile.ZipFile], None] | None = None,
) -> Path:
    """Write a wheel that is right but for what the arguments say.

    `files` are its content, one good module by default. Empty texts are made from the file name, None leaves one out.
    `record` changes RECORD's rows, `unlisted` files stay out of them, `shape` changes members' ZipInfo, `pack` adds
    members by hand.
    """
    name, version = filename.split("-")[:2]
    info = dist_info or f"{name}-{version}.dist-info"
    content = dict({MODULE: make_module()} if files is None else files)
    if metadata is not None:
        text = metadata or f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        content[f"{info}/METADATA"] = text.encode()
    if wheel is not None:
        content[f"{info}/WHEEL"] = (wheel or wheel_text(filename)).encode()
    rows = record([_row(path, data) for path, data in content.items()] + [[f"{info}/RECORD", "", ""]])
    path = folder / filename
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**content, **(unlisted or {}), f"{info}/RECORD": _csv(rows)}.items():
            entry = zipfile.ZipInfo(member)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if shape is not None and member in shape:
                shape[member](entry)
            archive.writestr(entry, data)
        if pack is not None:
            pack(archive)
    return path


def wheel_text(filename: str, *, purelib: bool = False) -> str:
    """Write the WHEEL file that goes with a file name."""
    tags = "-".join(filename.removesuffix(".whl").split("-")[-3:])
    lines = ["Wheel-Version: 1.0", "Generator: tests", f"Root-Is-Purelib: {str(purelib).lower()}"]
    return "\n".join([*lines, *sorted(f"Tag: {tag}" for tag in parse_tag(tags))]) + "\n"


def _row(path: str, data: bytes) -> list[str]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return [path, f"sha256={digest}", str(len(data))]


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
