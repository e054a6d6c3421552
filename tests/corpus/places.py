"""Wheels whose files lie where others have theirs."""

from tests.corpus.sample import META, Cases, Sample, beside, named
from tests.makers.objects import make_module
from tests.makers.wheels import MODULE

_ENTRY_POINTS = "demo-1.0.dist-info/entry_points.txt"


def _starts(name: str, group: str = "console_scripts") -> Sample:
    return beside(_ENTRY_POINTS, f"[{group}]\n{name} = demo.core:main\n".encode())


def _floored(tag: str, requires_python: str) -> Sample:
    files = {"demo/core.abi3.so": make_module()} if "abi3" in tag else {"demo/data.bin": b""}
    metadata = f"{META}Requires-Python: {requires_python}\n"
    return Sample(files, wheel={"filename": f"demo-1.0-{tag}-manylinux_2_17_x86_64.whl", "metadata": metadata})


CASES: Cases = {
    "file-of-another": (beside("setuptools/__init__.py", b""), beside("demo/setuptools/__init__.py", b"")),
    "file-of-another/under data": (
        beside("demo-1.0.data/purelib/_distutils_hack/__init__.py", b""),
        beside("demo-1.0.data/purelib/demo/_distutils_hack/__init__.py", b""),
    ),
    "file-of-another/by the way of data": (
        beside("demo-1.0.data/data/lib/python3.11/site-packages/pip/__init__.py", b""),
        beside("demo-1.0.data/data/lib/demo/pip/__init__.py", b""),
    ),
    "file-of-another/of the interpreter": (
        beside("demo-1.0.data/data/lib/python3.11/os.py", b""),
        beside("demo-1.0.data/data/lib/python-demo/os.py", b""),
    ),
    "file-of-another/a program": (
        beside("demo-1.0.data/scripts/python3", b"#!python\n"),
        beside("demo-1.0.data/scripts/python-demo", b"#!python\n"),
    ),
    "file-of-another/an entry point": (_starts("pip3"), _starts("pip-demo")),
    "file-of-another/its own": (
        beside("pip/__init__.py", b""),
        named("pip-1.0-py3-none-any.whl", {"pip/__init__.py": b""}),
    ),
    "file-of-another/what was installed": (
        beside("demo-1.0.data/purelib/other-2.0.dist-info/METADATA", b""),
        beside("demo/other-2.0.dist-info/METADATA", b""),
    ),
    "file-of-another/of the user": (beside("sitecustomize.py", b""), beside("demo/sitecustomize.py", b"")),
    "startup-file": (beside("demo.pth", b"import demo\n"), beside("demo/demo.pth", b"weights")),
    "startup-file/under data": (
        beside("demo-1.0.data/purelib/demo.pth", b"import demo\n"),
        beside("demo-1.0.data/data/share/demo.pth", b"weights"),
    ),
    "name-of-stdlib": (beside("json/__init__.py", b""), beside("demo/json/__init__.py", b"")),
    "name-of-stdlib/an extension module": (
        Sample({"select.cpython-311-x86_64-linux-gnu.so": make_module("select")}),
        Sample({"_select.cpython-311-x86_64-linux-gnu.so": make_module("_select")}),
    ),
    "name-of-stdlib/gone since": (beside("queue.py", b""), beside("audioop/__init__.py", b"")),
    "name-too-common": (beside("tests/test_core.py", b""), beside("demo/tests/test_core.py", b"")),
    "name-too-common/a file": (beside("setup.py", b""), beside("demo_setup.py", b"")),
    "name-too-common/its own": (
        beside("utils/__init__.py", b""),
        named("utils-1.0-py3-none-any.whl", {"utils/__init__.py": b""}),
    ),
    "script-name": (_starts("../x"), _starts("x..")),
    "script-name/absolute": (_starts("/usr/bin/demo", "gui_scripts"), _starts("usr-bin-demo", "gui_scripts")),
    "script-name/a control character": (_starts("de\x07mo"), _starts("démo")),
    "script-name/a null character": (_starts("de\0mo"), _starts("demo")),
    "script-name/a program's": (
        beside("demo-1.0.data/scripts/de\x1bmo", b"#!python\n"),
        beside("demo-1.0.data/scripts/de mo", b"#!python\n"),
    ),
    "tag-unserved": (
        named("demo-1.0-py3-abi3-manylinux_2_17_x86_64.whl", {"demo/core.abi3.so": make_module()}),
        named("demo-1.0-cp39.py3-abi3-manylinux_2_17_x86_64.whl", {"demo/core.abi3.so": make_module()}),
    ),
    "tag-unserved/an ABI for any platform": (
        named("demo-1.0-cp39-abi3-any.whl", {"demo/__init__.py": b""}),
        named("demo-1.0-cp39-none-any.whl", {"demo/__init__.py": b""}),
    ),
    "tag-unserved/of two interpreters": (
        named("demo-1.0-cp39-cp310-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
        named("demo-1.0-cp39.cp310-cp310-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
    ),
    "tag-unserved/a flag of old": (
        named("demo-1.0-cp38-cp38m-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
        named("demo-1.0-cp37-cp37m-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
    ),
    "tag-unserved/no interpreter's name": (
        named("demo-1.0-python3-none-any.whl", {"demo/__init__.py": b""}),
        named("demo-1.0-py2.py3-none-any.whl", {"demo/__init__.py": b""}),
    ),
    "platform-unknown/a future policy": (
        named("demo-1.0-cp311-cp311-manylinux_2_99_x86_64.whl"),
        named("demo-1.0-cp311-cp311-manylinux_2_41_x86_64.whl"),
    ),
    "platform-unknown/a future musl": (
        named("demo-1.0-cp311-cp311-musllinux_1_9_x86_64.whl", {"demo/core.so": make_module()}),
        named("demo-1.0-cp311-cp311-musllinux_1_2_x86_64.whl", {"demo/core.so": make_module()}),
    ),
    "module-without-abi": (
        named("demo-1.0-cp39-none-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
        named("demo-1.0-cp39-cp39-manylinux_2_17_x86_64.whl", {"demo/core.so": make_module()}),
    ),
    "module-without-abi/one for each interpreter": (
        named("demo-1.0-py3-none-manylinux_2_17_x86_64.whl", {MODULE: make_module()}),
        named(
            "demo-1.0-py3-none-manylinux_2_17_x86_64.whl",
            {MODULE: make_module(), "demo/core.cpython-312-x86_64-linux-gnu.so": make_module()},
        ),
    ),
    "floor-taken-back": (_floored("cp39-abi3", ">=3.11"), _floored("cp39-abi3", ">=3.8")),
    "floor-taken-back/of a pure wheel": (_floored("py39-none", ">=3.10"), _floored("py3-none", ">=3.10")),
    "data-folder": (beside("demo-1.0.data/share/demo", b""), beside("demo-1.0.data/data/share/demo", b"")),
    "data-folder/in none": (beside("demo-1.0.data/demo.txt", b""), beside("demo/demo-1.0.data/demo.txt", b"")),
    "place-twice": (
        Sample({MODULE: make_module(), "demo/x": b"1", "demo-1.0.data/platlib/demo/x": b"2"}),
        Sample({MODULE: make_module(), "demo/x": b"1", "demo-1.0.data/data/demo/x": b"2"}),
    ),
    "place-twice/its own RECORD": (
        beside("demo-1.0.data/purelib/demo-1.0.dist-info/RECORD", b""),
        beside("demo-1.0.data/purelib/demo-1.0.dist-info/NOTICE", b""),
    ),
}
