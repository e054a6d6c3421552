"""For every rule a wheel that breaks it and one that nearly does."""

import stat
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from packaging.tags import parse_tag

from factory.audit import Expectation
from factory.catalogue import Waiver
from factory.tags import PlatformTag
from tests.makers import (
    ABI3_MODULE,
    ABI3_NAME,
    MODULE,
    NAME,
    Rows,
    WheelFacts,
    make_module,
    make_object,
    make_wheel,
    wheel_text,
)

_NOTHING_SAID = Expectation()


@dataclass(frozen=True)
class Sample:
    """A wheel as `make_wheel` takes it, what is expected of it, and a last change to its bytes."""

    files: Mapping[str, bytes] | None = None
    expect: Expectation = _NOTHING_SAID
    wheel: WheelFacts = field(default_factory=WheelFacts)
    change: Callable[[Path], Path] = lambda path: path

    def make(self, folder: Path) -> Path:
        return self.change(make_wheel(folder, self.files, **self.wheel))


def _named(filename: str, files: Mapping[str, bytes] | None = None) -> Sample:
    return Sample(files, wheel={"filename": filename})


def _abi3(*undefined: str, weak: tuple[str, ...] = (), **others: bytes) -> Sample:
    module = make_module(undefined=list(undefined), weak=weak)
    return _named(ABI3_NAME, {ABI3_MODULE: module} | {f"demo.libs/{name}.so": data for name, data in others.items()})


def _listed(*paths: str) -> Rows:
    return lambda rows: [*rows, *([path, "", ""] for path in paths)]


def _with_hash(value: str) -> Rows:
    return lambda rows: [[path, value if path == MODULE else digest, size] for path, digest, size in rows]


def _replaced(old: bytes, new: bytes) -> Callable[[Path], Path]:
    def change(path: Path) -> Path:
        content = path.read_bytes()
        path.write_bytes(content.replace(old, new))
        return path

    return change


def _central(offset: int, layout: str, value: int) -> Callable[[Path], Path]:
    """Change a field of the central directory's first entry (APPNOTE 4.3.12)."""

    def change(path: Path) -> Path:
        content = bytearray(path.read_bytes())
        struct.pack_into(layout, content, content.index(b"PK\1\2") + offset, value)
        path.write_bytes(content)
        return path

    return change


def _again(archive: zipfile.ZipFile) -> None:
    with warnings.catch_warnings(action="ignore"):
        archive.writestr(MODULE, b"")


def _shaped(**attributes: int) -> Sample:
    def shape(info: zipfile.ZipInfo) -> None:
        for name, value in attributes.items():
            setattr(info, name, value)

    return Sample({MODULE: make_module(), "demo/x": b"x"}, wheel={"shape": {"demo/x": shape}})


def _waiver(rule: str, until: date | None = None, subject: str = "*") -> Expectation:
    return Expectation(waivers=(Waiver(rule=rule, subject=subject, reason="agreed", until=until),))


def _tags(text: str) -> Expectation:
    return Expectation(tags=parse_tag(text))


TODAY = date(2026, 11, 22)
GLIBC_228 = PlatformTag.parse("manylinux_2_28_x86_64")
MUSL_NAME = "demo-1.0-cp311-cp311-musllinux_1_2_x86_64.whl"
PROGRAM = "demo-1.0.data/scripts/demo"
_PLATFORM = Expectation(platform=GLIBC_228)
_RUNPATH = "$ORIGIN/../demo.libs"
_ANY = "demo-1.0-py3-none-any.whl"

SAMPLES: dict[str, tuple[Sample, Sample]] = {
    "libpython-linked": (
        Sample({MODULE: make_module(needed=["libpython3.11.so.1.0"])}),
        Sample(
            {
                MODULE: make_module(needed=["libpython_like.so"], runpath=_RUNPATH),
                "demo.libs/libpython_like.so": make_object(),
            }
        ),
    ),
    "libpython-reached": (
        Sample(
            {
                MODULE: make_module(needed=["libfoo.so"], runpath=_RUNPATH),
                "demo.libs/libfoo.so": make_object(needed=["libpython3.so"]),
            }
        ),
        Sample({MODULE: make_module(needed=["libfoo.so"], runpath=_RUNPATH), "demo.libs/libfoo.so": make_object()}),
    ),
    "libpython-embedded": (
        Sample({MODULE: make_module(exports=["Py_Initialize"])}),
        Sample({MODULE: make_module(undefined=["Py_Initialize"], exports=["Py_InitializeDemo"])}),
    ),
    "program-without-libpython": (
        Sample({MODULE: make_module(), PROGRAM: make_object(program=True, undefined=["Py_Initialize"])}),
        Sample({MODULE: make_module(), PROGRAM: make_object(program=True, weak=["Py_Initialize"], undefined=["puts"])}),
    ),
    "abi3-symbol-above-floor": (_abi3("PyType_GetName"), _abi3("PyType_FromModuleAndSpec")),
    "abi3-symbol-unstable": (_abi3("PyUnicode_New"), _abi3(weak=("PyUnicode_New",))),
    "abi3-suffix": (_named(ABI3_NAME, {MODULE: make_module()}), _named(ABI3_NAME, {"demo/core.so": make_module()})),
    "suffix-interpreter": (
        Sample({"demo/core.cpython-313-x86_64-linux-gnu.so": make_module()}),
        Sample({"demo/core.abi3.so": make_module()}),
    ),
    "init-missing": (
        Sample({MODULE: make_object(exports=["PyInit_other"])}),
        Sample({MODULE: make_object(exports=["PyModExport_core"])}),
    ),
    "module-missing": (
        Sample({MODULE: make_module(), "demo/fast.py": b""}, Expectation(modules=("demo.fast",))),
        Sample(expect=Expectation(modules=("demo.core",))),
    ),
    "pure-wheel": (
        Sample({"demo/__init__.py": b""}),
        _named("demo-1.0-py3-none-manylinux_2_17_x86_64.whl", {"demo/data.bin": b""}),
    ),
    "requires-python": (
        Sample(wheel={"metadata": "Name: demo\nVersion: 1.0\nRequires-Python: >=3.12\n"}),
        Sample(wheel={"metadata": "Name: demo\nVersion: 1.0\nRequires-Python: >=3.11.4,!=3.11.5\n"}),
    ),
    "platform-policy": (
        Sample({MODULE: make_module(undefined=["qsort_r@GLIBC_2.34"])}),
        Sample({MODULE: make_module(undefined=["memcpy@GLIBC_2.14"], weak=["qsort_r@GLIBC_2.17"])}),
    ),
    "platform-unknown": (
        _named("demo-1.0-cp311-cp311-linux_x86_64.whl"),
        Sample(expect=Expectation(stage="built"), wheel={"filename": "demo-1.0-cp311-cp311-linux_x86_64.whl"}),
    ),
    "platform-unjudged": (_named("demo-1.0-cp311-cp311-win_amd64.whl", {"demo/core.pyd": b"MZ"}), Sample()),
    "platform-above-ceiling": (
        Sample(expect=_PLATFORM, wheel={"filename": "demo-1.0-cp311-cp311-manylinux_2_31_x86_64.whl"}),
        Sample(expect=_PLATFORM, wheel={"filename": "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"}),
    ),
    "library-missing": (
        Sample({MODULE: make_module(needed=["libssl.so.3"])}),
        Sample({MODULE: make_module(needed=["libssl.so.3"], runpath=_RUNPATH), "demo.libs/libssl.so.3": make_object()}),
    ),
    "wrong-machine": (
        Sample({MODULE: make_module(), "demo/other.so": make_object(machine=183)}),
        Sample({MODULE: make_module(), "demo/kernel.cubin": make_object(machine=190)}),
    ),
    "wrong-libc": (
        _named(MUSL_NAME, {"demo/core.so": make_module(needed=["libc.so.6"])}),
        _named(MUSL_NAME, {"demo/core.so": make_module(needed=["libc.so"])}),
    ),
    "elf-broken": (
        Sample({MODULE: make_module(), "demo/x.so": b"\x7fELF"}),
        Sample({MODULE: make_module(), "demo/x.so": b"ELF"}),
    ),
    "tag-mismatch": (
        Sample(wheel={"wheel": wheel_text(ABI3_NAME)}),
        _named("demo-1.0-cp310.cp311-cp311-manylinux_2_17_x86_64.whl"),
    ),
    "tag-unexpected": (
        Sample(expect=_tags("cp39-abi3-manylinux_2_17_x86_64")),
        Sample(expect=_tags("cp311-cp311-manylinux2014_x86_64")),
    ),
    "name-unreadable": (Sample(change=lambda path: path.rename(path.with_name("demo-1.0.whl"))), Sample()),
    "dist-info-count": (
        Sample({MODULE: make_module(), "demo-1.0.0.dist-info/x": b""}),
        Sample({MODULE: make_module(), "demo/vendored-1.0.dist-info/METADATA": b""}),
    ),
    "dist-info-mismatch": (
        Sample(wheel={"dist_info": "other-1.0.dist-info"}),
        Sample(wheel={"dist_info": "Demo-1.0.0.dist-info"}),
    ),
    "metadata-missing": (Sample(wheel={"metadata": None}), Sample()),
    "metadata-mismatch": (
        Sample(wheel={"metadata": "Name: demo\nVersion: 1.1\n"}),
        Sample(wheel={"metadata": "Name: DEMO\nVersion: 1.0.0\n"}),
    ),
    "wheel-text-missing": (Sample(wheel={"wheel": None}), Sample()),
    "any-wheel-with-objects": (_named(_ANY, {"demo/core.so": make_module()}), _named(_ANY, {"demo/core.so": b"text"})),
    "purelib-with-objects": (
        Sample(wheel={"wheel": wheel_text(NAME, purelib=True)}),
        Sample({f"demo-1.0.data/platlib/{MODULE}": make_module()}, wheel={"wheel": wheel_text(NAME, purelib=True)}),
    ),
    "record-missing": (
        Sample(change=_replaced(b"demo-1.0.dist-info/RECORD", b"demo-1.0.dist-info/recorD")),
        Sample(wheel={"record": lambda rows: [*rows, []]}),
    ),
    "record-absent": (Sample(wheel={"record": _listed("demo/gone.py")}), Sample()),
    "record-hash": (Sample(wheel={"record": _with_hash("sha256=AAAA")}), Sample()),
    "record-unlisted": (
        Sample(wheel={"unlisted": {"demo/extra.py": b""}}),
        Sample(wheel={"unlisted": {"demo-1.0.dist-info/RECORD.jws": b""}}),
    ),
    "record-duplicate": (Sample(wheel={"record": lambda rows: [*rows, rows[0]]}), Sample()),
    "archive-unreadable": (Sample(change=_central(16, "<I", 0)), Sample()),
    "archive-name": (
        Sample({MODULE: make_module(), "../x": b""}),
        Sample({MODULE: make_module(), "demo/..x": b""}),
    ),
    "archive-duplicate": (
        Sample(wheel={"pack": _again}),
        Sample({MODULE: make_module(), "other/core.so": make_module()}),
    ),
    "archive-case": (
        Sample({MODULE: make_module(), "demo/a": b"", "demo/A": b""}),
        Sample({MODULE: make_module(), "demo/a": b"", "Demo2/A": b""}),
    ),
    "archive-special": (_shaped(external_attr=stat.S_IFLNK << 16), _shaped(external_attr=stat.S_IFREG << 16)),
    "archive-encrypted": (Sample(change=_central(8, "<H", 1)), Sample(change=_central(8, "<H", 2))),
    "archive-method": (_shaped(compress_type=zipfile.ZIP_LZMA), _shaped(compress_type=zipfile.ZIP_STORED)),
    "archive-too-large": (
        Sample(wheel={"metadata": "Name: demo\nVersion: 1.0\n\n" + "x" * (9 << 20)}),
        Sample({MODULE: make_module(), "demo/METADATA": bytes(9 << 20)}),
    ),
    "wheel-too-large": (
        Sample(expect=Expectation(max_size_bytes=100)),
        Sample(expect=Expectation(max_size_bytes=100_000)),
    ),
    "waiver-unused": (
        Sample(expect=_waiver("wrong-libc")),
        Sample({MODULE: make_module(needed=["libfoo.so"])}, _waiver("library-missing", subject="demo/*")),
    ),
    "waiver-expired": (
        Sample({MODULE: make_module(needed=["libfoo.so"])}, _waiver("library-missing", date(2026, 11, 21))),
        Sample({MODULE: make_module(needed=["libfoo.so"])}, _waiver("library-missing", TODAY)),
    ),
}

# What a sample cannot help breaking beside its own rule.
COMPANIONS = {
    "libpython-reached": {"libpython-linked"},
    "archive-too-large": {"metadata-missing"},
    "waiver-expired": {"library-missing"},
    "record-missing": {"record-absent"},
}
