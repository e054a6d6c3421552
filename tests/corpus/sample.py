"""One wheel of the corpus, and the ways to make one."""

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Unpack

from packaging.tags import parse_tag

from factory.audit import Expectation
from factory.catalogue import Waiver
from factory.tags import PlatformTag
from tests.makers.objects import ObjectFacts, make_module
from tests.makers.wheels import ABI3_MODULE, ABI3_NAME, MODULE, NAME, Rows, WheelFacts, make_wheel, wheel_text

NOTHING_SAID = Expectation()


@dataclass(frozen=True)
class Sample:
    """A wheel as `make_wheel` takes it, what is expected of it, and a last change to its bytes."""

    files: Mapping[str, bytes] | None = None
    expect: Expectation = NOTHING_SAID
    wheel: WheelFacts = field(default_factory=WheelFacts)
    change: Callable[[Path], Path] = lambda path: path

    def make(self, folder: Path) -> Path:
        return self.change(make_wheel(folder, self.files, **self.wheel))


def named(filename: str, files: Mapping[str, bytes] | None = None) -> Sample:
    return Sample(files, wheel={"filename": filename})


def abi3(*undefined: str, weak: tuple[str, ...] = (), **others: bytes) -> Sample:
    module = make_module(undefined=list(undefined), weak=weak)
    return named(ABI3_NAME, {ABI3_MODULE: module} | {f"demo.libs/{name}.so": data for name, data in others.items()})


def listed(*paths: str) -> Rows:
    return lambda rows: [*rows, *([path, "", ""] for path in paths)]


def with_hash(value: str) -> Rows:
    return lambda rows: [[path, value if path == MODULE else digest, size] for path, digest, size in rows]


def replaced(old: bytes, new: bytes) -> Callable[[Path], Path]:
    def change(path: Path) -> Path:
        content = path.read_bytes()
        path.write_bytes(content.replace(old, new))
        return path

    return change


def central(offset: int, layout: str, value: int) -> Callable[[Path], Path]:
    """Change a field of the central directory's first entry (APPNOTE 4.3.12)."""

    def change(path: Path) -> Path:
        content = bytearray(path.read_bytes())
        struct.pack_into(layout, content, content.index(b"PK\1\2") + offset, value)
        path.write_bytes(content)
        return path

    return change


def _at(mark: bytes, *, last: bool = False) -> Callable[[int, str, int], Callable[[Path], Path]]:
    """Return what changes a field after the first or last record of a kind."""

    def field_of(offset: int, layout: str, value: int) -> Callable[[Path], Path]:
        def change(path: Path) -> Path:
            content = bytearray(path.read_bytes())
            struct.pack_into(layout, content, (content.rindex if last else content.index)(mark) + offset, value)
            path.write_bytes(content)
            return path

        return change

    return field_of


local, ended, central_of_last = _at(b"PK\3\4"), _at(b"PK\5\6"), _at(b"PK\1\2", last=True)


def _edited(edit: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    def change(path: Path) -> Path:
        path.write_bytes(edit(path.read_bytes()))
        return path

    return change


def prepended(extra: bytes) -> Callable[[Path], Path]:
    return _edited(lambda content: extra + content)


def appended(extra: bytes) -> Callable[[Path], Path]:
    return _edited(lambda content: content + extra)


def cut(count: int) -> Callable[[Path], Path]:
    return _edited(lambda content: content[: len(content) - count])


class Pipe(io.BytesIO):
    """A stream that cannot go back: zipfile writes descriptors behind the members."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, *_: int) -> int:
        raise OSError


def piped(method: int) -> Callable[[Path], Path]:
    """Pack the same members into a pipe."""

    def change(path: Path) -> Path:
        stream = Pipe()
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(stream, "w", method) as packed:
            for info in archive.infolist():
                packed.writestr(info.filename, archive.read(info))
        path.write_bytes(stream.getvalue())
        return path

    return change


def again(archive: zipfile.ZipFile) -> None:
    with warnings.catch_warnings(action="ignore"):
        archive.writestr(MODULE, b"")


def shaped(**attributes: int | bytes) -> Sample:
    def shape(info: zipfile.ZipInfo) -> None:
        for name, value in attributes.items():
            setattr(info, name, value)

    return Sample({MODULE: make_module(), "demo/x": b"x"}, wheel={"shape": {"demo/x": shape}})


def waiver(rule: str, until: date | None = None, subject: str = "*") -> Expectation:
    return Expectation(waivers=(Waiver(rule=rule, subject=subject, reason="agreed", until=until),))


def tags(text: str) -> Expectation:
    return Expectation(tags=parse_tag(text))


TODAY = date(2026, 11, 22)
GLIBC_228 = PlatformTag.parse("manylinux_2_28_x86_64")
MUSL_NAME = "demo-1.0-cp311-cp311-musllinux_1_2_x86_64.whl"
PROGRAM = "demo-1.0.data/scripts/demo"
PLATFORM = Expectation(platform=GLIBC_228)
RUNPATH = "$ORIGIN/../demo.libs"
ANY = "demo-1.0-py3-none-any.whl"
SBOM = "demo-1.0.dist-info/sboms/auditwheel.cdx.json"
LOADER = "/lib64/ld-linux-x86-64.so.2"
ABI3T_NAME = "demo-1.0-cp315-abi3.abi3t-manylinux_2_17_x86_64.whl"
META = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"


def module(**facts: Unpack[ObjectFacts]) -> Sample:
    """A wheel of one extension module."""
    return Sample({MODULE: make_module(**facts)})


def on(arch: str, policy: str = "manylinux_2_31", name: str = "demo/core.so", **facts: Unpack[ObjectFacts]) -> Sample:
    """Make a wheel for another architecture, and its module for `machine`."""
    return named(f"demo-1.0-cp311-cp311-{policy}_{arch}.whl", {name: make_module(**facts)})


def beside(name: str, content: bytes, **wheel: Unpack[WheelFacts]) -> Sample:
    """A good module, and one more file."""
    return Sample({MODULE: make_module(), name: content}, wheel=wheel)


def metadata(*lines: str, text: str = "", version: str = "2.4") -> Sample:
    """A good wheel with more in its METADATA."""
    head = f"Metadata-Version: {version}\nName: demo\nVersion: 1.0\n"
    return Sample(wheel={"metadata": head + "".join(f"{line}\n" for line in lines) + (f"\n{text}" if text else "")})


Cases = dict[str, tuple[Sample, Sample]]


def variant(
    label: str,
    *,
    level: str = "",
    inside: str | None = "",
    private: bool = False,
    text: bytes | None = None,
    isa: int = 0,
) -> Sample:
    """Make a variant of the usual wheel; `inside` is the label of variant.json: the same, or None for no such file."""
    features = {"x86_64": {"level": [level]}} if level else {}
    content = text or json.dumps({"variants": {inside or label: features}}).encode()
    files = {MODULE: make_module(isa=isa)}
    if inside is not None:
        files["demo-1.0.dist-info/variant.json"] = content
    facts: WheelFacts = {"filename": f"{NAME.removesuffix('.whl')}{f'-{label}' if label else ''}.whl"}
    facts["wheel"] = wheel_text(NAME)
    facts["metadata"] = META + ("Classifier: Private :: Do Not Upload\n" if private else "")
    return Sample(files, wheel=facts)
