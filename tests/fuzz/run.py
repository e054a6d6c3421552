"""Throw mutated bytes at the readers and the gate: `python -m tests.fuzz.run TARGET SECONDS`.

Coverage leads the mutations (atheris, libFuzzer). Whatever an input is, it must give a value or the reader's own
declared error; anything else ends the run and leaves the input in `.fuzz/`. A found crash becomes a test.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["factory"]):
    from factory.archive import Limits
    from factory.audit import Expectation, audit
    from factory.elf.model import ElfError
    from factory.elf.read import parse
    from factory.wheel import parse_record, read_wheel

from tests.corpus.cases import CASES
from tests.makers import ABI3_NAME, NAME, make_wheel
from tests.object_makers import make_module, make_object

_ARTIFACTS = Path(".fuzz")
_LIMITS = Limits(member_bytes=1 << 22, total_bytes=1 << 24, ratio_bytes=1 << 20)
_TODAY = date(2026, 11, 22)
_DIST_INFO = "demo-1.0.dist-info"


def _judge(path: Path) -> None:
    audit(read_wheel(path, _LIMITS), Expectation(modules=("demo.core",)), _TODAY)


def _elf(content: bytes, _: Path) -> None:
    with suppress(ElfError):
        parse(content)


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


TARGETS: dict[str, Callable[[bytes, Path], None]] = {
    "elf": _elf,
    "record": _record,
    "zip": _archive,
    "texts": _texts,
    "object": _object,
}


def _seeds(target: str, folder: Path) -> list[bytes]:
    """Begin with what the corpus has: mutations of nothing find nothing."""
    if target == "zip":
        return [sample.make(folder).read_bytes() for pair in CASES.values() for sample in pair][:80]
    if target in ("elf", "object"):
        skip = 4 if target == "object" else 0
        facts = make_object(needed=["liba.so"], undefined=["Py_IncRef", "f@GLIBC_2.34"], exports=["b"], hashes="gnu")
        return [content[skip:] for content in (make_module(isa=3), facts, make_object(elf_class=32, machine=3))]
    if target == "record":
        return [b'demo/x.py,sha256=AAAA,3\n"a,b",,\n']
    return [
        b"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nWheel-Version: 1.0\nTag: cp39-abi3-any\n\n[a]\nb = c:d\n"
    ]


def main(target: str, seconds: str) -> None:
    """Run one target for so many seconds."""
    _ARTIFACTS.mkdir(exist_ok=True)
    with TemporaryDirectory() as name:
        folder, seeds = Path(name) / "work", Path(name) / "seeds"
        folder.mkdir()
        seeds.mkdir()
        for index, seed in enumerate(_seeds(target, folder)):
            (seeds / str(index)).write_bytes(seed)
        flags = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=20", "-max_len=20000"]
        flags += [f"-artifact_prefix={_ARTIFACTS}/{target}-", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *flags, str(seeds)], lambda content: TARGETS[target](content, folder))
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
