"""Wheels that work and cost their users."""

from tests.corpus.sample import RUNPATH, SBOM, Cases, Sample, beside, module
from tests.makers.objects import make_module, make_object
from tests.makers.wheels import MODULE


def _graft(name: str, soname: str, *more: str) -> Sample:
    files = {MODULE: make_module(needed=[soname], runpath=RUNPATH), f"demo.libs/{name}": make_object(soname=soname)}
    return Sample(files | dict.fromkeys(more, b"{}"))


_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 131072000\n"
_CONFLICT = b"\n<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> theirs\n"

CASES: Cases = {
    "debug-info": (module(sections=[".debug_info"]), module(sections=[".gnu_debuglink"])),
    "debug-info/compressed": (module(sections=[".zdebug_info"]), module(sections=[".debug_frame"])),
    "build-path": (
        Sample({MODULE: make_module() + b"\0/home/me/demo/core.c\0"}),
        Sample({MODULE: make_module() + b"\0/root/.cargo/registry/src/x/lib.rs\0demo/core.c\0"}),
    ),
    "static-archive": (beside("demo/libdemo.a", b"!<arch>\n"), beside("demo/data.bin", b"!<arch>\n")),
    "static-archive/object file": (beside("demo/core.o", b"x"), beside("demo/core.obj.txt", b"x")),
    "junk-file": (
        beside("demo/__pycache__/core.cpython-311.pyc", b"x"),
        beside("demo/pycache/core.py", b"x"),
    ),
    "junk-file/of an editor": (beside("demo/core.py~", b"x"), beside("demo/core.py", b"x")),
    "junk-file/of a system": (beside("demo/.DS_Store", b"x"), beside("demo/.hidden", b"x")),
    "lfs-pointer": (beside("demo/model.onnx", _POINTER), beside("demo/model.onnx", b"#" + _POINTER)),
    "lfs-pointer/of a module": (beside("demo/fast.so", _POINTER), beside("demo/fast.so", _POINTER * 9)),
    "html-page": (
        beside("demo/table.csv", b"\n<!DOCTYPE html>\n<title>404</title>"),
        beside("demo/table.html", b"\n<!DOCTYPE html>\n<title>404</title>"),
    ),
    "html-page/for a library": (
        beside("demo/libfast.so.1", b"<html><body>Sign in</body></html>"),
        beside("demo/feed.json", b'"<html>"'),
    ),
    "conflict-marks": (beside("demo/a.py", _CONFLICT), beside("demo/a.py", b'"""' + _CONFLICT + b'"""\n')),
    "conflict-marks/in data": (
        beside("demo/a.json", b"{\n" + _CONFLICT + b"}\n"),
        beside("demo/a.json", b'{"a":\n"=======\n"}\n'),
    ),
    "exports-extra": (module(exports=["helper"]), module(exports=["PyInit_other", "_init"])),
    "graft-without-sbom": (
        _graft("libfoo-1a2b3c4d.so", "libfoo-1a2b3c4d.so"),
        _graft("libfoo-1a2b3c4d.so", "libfoo-1a2b3c4d.so", SBOM),
    ),
    "graft-unhashed": (
        _graft("libfoo.so.1", "libfoo.so.1", SBOM),
        _graft("libfoo-1a2b3c4d.so.1", "libfoo-1a2b3c4d.so.1", SBOM),
    ),
    "soname-twice": (
        Sample(
            {
                MODULE: make_module(),
                "demo/a/libd.so": make_object(soname="libd.so", exports=["a"]),
                "demo/b/libd.so": make_object(soname="libd.so", exports=["b"]),
            }
        ),
        Sample(
            {
                MODULE: make_module(),
                "demo/a/libd.so": make_object(soname="libd.so", exports=["a"]),
                "demo/b/libd.so": make_object(soname="libd.so", exports=["a"]),
            }
        ),
    ),
    "library-copied": (
        Sample(
            {
                MODULE: make_module(),
                "demo/lib/libd.so.1": make_object(soname="libd.so.1"),
                "demo/lib/libd.so.1.2.3": make_object(soname="libd.so.1"),
            }
        ),
        Sample(
            {
                MODULE: make_module(),
                "demo/lib/libd.so.1": make_object(soname="libd.so.1"),
                "demo/lib/libe.so.1.2.3": make_object(soname="libe.so.1"),
            }
        ),
    ),
    "junk-file/of macOS": (beside("demo/._core.py", b"x"), beside("demo/_core.py", b"x")),
    "junk-file/of a notebook": (
        beside("demo/.ipynb_checkpoints/a-checkpoint.ipynb", b"{}"),
        beside("demo/ipynb_checkpoints/a-checkpoint.ipynb", b"{}"),
    ),
    "html-page/behind a comment": (
        beside("demo/a.json", b'<?xml version="1.0"?>\n<!-- mirror -->\n<!DOCTYPE html>\n<html></html>'),
        beside("demo/a.json", b'<?xml version="1.0"?>\n<!-- mirror -->\n<data></data>'),
    ),
    "conflict-marks/in a notebook": (
        beside("demo/a.ipynb", b"\xef\xbb\xbf" + _CONFLICT),
        beside("demo/a.ipynb", b'{"cells": ["<<<<<<< HEAD", "=======", ">>>>>>> main"]}'),
    ),
}
