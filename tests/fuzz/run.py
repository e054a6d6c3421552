"""Throw mutated bytes at the readers and the gate: `python -m tests.fuzz.run TARGET SECONDS`.

Coverage leads the mutations (atheris, libFuzzer). Whatever an input is, it must give a value or the reader's own
declared error, within 5 seconds and 300 MiB; anything else ends the run and leaves the input in `.fuzz/`. A found crash
becomes a test.
"""

import gzip
import re
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["factory"]):
    from factory.archive import ArchiveLimits
    from factory.audit import Expectation, audit
    from factory.elf.read import parse
    from factory.errors import FactoryError
    from factory.images.known import declared
    from factory.objects import ObjectError
    from factory.pe import read as pe
    from factory.plan.planner import plan
    from factory.project.read import read_project
    from factory.recipe.model import Recipe
    from factory.recipe.parse import parse_recipe
    from factory.resolve.cargo import fetch_folder
    from factory.source.tree import SourceLimits as TreeLimits
    from factory.source.unpack import unpack
    from factory.wheel import parse_record, read_wheel

from tests.corpus.cases import CASES
from tests.hostile import OneFile, trees
from tests.makers.objects import make_module, make_object
from tests.makers.pe import I386, make_pe
from tests.makers.sources import make_demo
from tests.makers.wheels import ABI3_NAME, NAME, make_wheel

_ARTIFACTS = Path(".fuzz")
_LIMITS = ArchiveLimits(member_bytes=1 << 22, total_bytes=1 << 24, ratio_bytes=1 << 20)
_TODAY = date(2026, 11, 22)
_MOST_BYTES = 300 << 20
_DIST_INFO = "demo-1.0.dist-info"


def _judge(path: Path) -> None:
    audit(read_wheel(path, _LIMITS), Expectation(modules=("demo.core",)), _TODAY)


def _elf(content: bytes, _: Path) -> None:
    with suppress(ObjectError):
        parse(content)


def _pe(content: bytes, _: Path) -> None:
    with suppress(ObjectError):
        pe.parse(content)


def _record(content: bytes, _: Path) -> None:
    rows, problem = parse_record(content)
    assert (rows is None) == bool(problem)


def _archive(content: bytes, folder: Path) -> None:
    path = folder / NAME
    path.write_bytes(content)
    _judge(path)


def _texts(content: bytes, folder: Path) -> None:
    """Let the input be all texts of dist-info at once."""
    texts = dict.fromkeys((f"{_DIST_INFO}/{name}" for name in ("METADATA", "WHEEL", "entry_points.txt")), content)
    _judge(make_wheel(folder, texts, metadata=None, wheel=None))


def _object(content: bytes, folder: Path) -> None:
    """Let the input be an object of an abi3 wheel, so that every check of the gate meets it."""
    _judge(make_wheel(folder, {"demo/core.abi3.so": b"\x7fELF" + content}, filename=ABI3_NAME))


def _plan(content: bytes, folder: Path) -> None:
    """Let the input be a source: files that begin with `=== NAME` lines, else the tar inside of a sdist."""
    with suppress(FactoryError):
        if content.startswith(b"=== "):
            tree = OneFile(_files(content))
            project = read_project(tree)
            manifests = [project.cargo_manifest, *project.other_manifests] if project.cargo_manifest else []
            fetch_folder(tree, *manifests)
            plan(_recipe(project.name), project, declared(), families=["lookalike"], today=_TODAY)
        else:
            path = folder / "demo-1.0.tar.gz"
            path.write_bytes(gzip.compress(content, 1))
            read_project(unpack(path, limits=TreeLimits(total_bytes=1 << 24)))


def _files(content: bytes) -> dict[str, bytes]:
    """Part an input at its `=== NAME` lines."""
    pieces = re.split(rb"(?m)^=== ([\w./-]{1,80})\n", content)[1:]
    return dict(zip((name.decode() for name in pieces[::2]), pieces[1::2], strict=True))


def _recipe(name: str) -> Recipe:
    text = (
        f"factory: 1\nname: {name}\nsource: {{path: .}}\ninterpreters: [cp313, cp314t]\n"
        "platforms: [manylinux_2_31_x86_64]\n"
    )
    return parse_recipe(text.encode(), Path("recipe.yaml"), today=_TODAY)


def _audit(content: bytes, folder: Path) -> None:
    """Let the input be a wheel: files that begin with `=== NAME` lines, else the zip itself."""
    if content.startswith(b"=== "):
        _judge(make_wheel(folder, _files(content), metadata=None, wheel=None))
    else:
        _archive(content, folder)


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    "elf": _elf,
    "pe": _pe,
    "record": _record,
    "zip": _archive,
    "texts": _texts,
    "object": _object,
    "plan": _plan,
    "audit": _audit,
}


def _seeds(target: str, folder: Path) -> list[bytes]:
    """Begin with what the corpus has: mutations of nothing find nothing."""
    if target == "plan":
        sources = [tree for unit in ("", "a", "1", "a.b") for _, tree in trees(unit)]
        return [*map(_text, sources), *(gzip.decompress(make_demo(folder, tree).read_bytes()) for tree in sources[:9])]
    if target == "audit":
        return [*_wheel_texts(), *_seeds("zip", folder)]
    if target == "zip":
        return [sample.make(folder).read_bytes() for pair in CASES.values() for sample in pair][:80]
    if target in ("elf", "object"):
        skip = 4 if target == "object" else 0
        facts = make_object(needed=["liba.so"], undefined=["Py_IncRef", "f@GLIBC_2.34"], exports=["b"], hashes="gnu")
        return [content[skip:] for content in (make_module(isa=3), facts, make_object(elf_class=32, machine=3))]
    if target == "pe":
        facts = make_pe(imports={"python3.dll": ["Py_IncRef", 7]}, exports=["PyInit_core"], sections=[".debug_info"])
        return [facts, make_pe(machine=I386, imports={"a.dll": ["f"]}, exports=["a", "b"])]
    if target == "record":
        return [b'demo/x.py,sha256=AAAA,3\n"a,b",,\n']
    return [
        b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nWheel-Version: 1.0\nTag: cp39-abi3-any\n\n[a]\nb = c:d\n"
    ]


def _text(files: dict[str, bytes]) -> bytes:
    return b"".join(b"=== %s\n%s\n" % (name.encode(), content) for name, content in files.items())


def _wheel_texts() -> list[bytes]:
    metadata = (
        b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nRequires-Python: >=3.9\nRequires-Dist: a; os_name == 'x'\n"
        b"License-Expression: MIT AND (BSD-3-Clause OR ISC)\nDescription-Content-Type: text/x-rst\n\na_\n=\n"
    )
    texts = {
        "METADATA": metadata,
        "WHEEL": b"Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n",
        "entry_points.txt": b"[console_scripts]\na = demo:b\n",
    }
    named = {f"{_DIST_INFO}/{name}": content for name, content in texts.items()}
    return [_text(named), _text({**named, "demo/core.so": make_module(isa=3)})]


def _measured(target: str, folder: Path) -> Callable[[bytes], None]:
    """Return what runs a target, and ends the run where an input makes the process 300 MiB larger."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def run(content: bytes) -> None:
        TARGETS[target](content, folder)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if grown << 10 > _MOST_BYTES + len(content):
            raise MemoryError(f"the process grew by {grown} KiB")

    return run


def main(target: str, seconds: str) -> None:
    """Run one target for so many seconds."""
    _ARTIFACTS.mkdir(exist_ok=True)
    with TemporaryDirectory() as name:
        folder, seeds = Path(name) / "work", Path(name) / "seeds"
        folder.mkdir()
        seeds.mkdir()
        for index, seed in enumerate(_seeds(target, folder)):
            (seeds / str(index)).write_bytes(seed)
        flags = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=5", "-max_len=20000"]
        flags += [f"-artifact_prefix={_ARTIFACTS}/{target}-", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *flags, str(seeds)], _measured(target, folder))
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
