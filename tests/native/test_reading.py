"""Wheels and sdists read in processes of their own say what they say when read here, or why they cannot be."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from factory.audit import Expectation, audit
from factory.confined import Bounds, Overrun, confined
from factory.errors import SourceError
from factory.repair import compare
from factory.source.tree import SourceLimits
from factory.source.unpack import unpack, unpack_apart
from factory.stages.reading import Contents, Readings
from factory.store import Store
from factory.tags import Interpreter
from factory.trials.subjects import Wanted
from factory.wheel import read_wheel
from tests.cli.program import Program
from tests.corpus.sample import TODAY
from tests.makers.objects import make_module
from tests.makers.sources import make_sdist, member
from tests.makers.wheels import MODULE, NAME, make_wheel

_T = TypeVar("_T")


def _overrun(work: Callable[[], _T], bounds: Bounds) -> _T | Overrun:
    del work, bounds
    return Overrun(reason="used more than 30 s of CPU time")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def test_a_wheel_is_judged_as_it_is_here(store: Store, tmp_path: Path) -> None:
    path = make_wheel(tmp_path, {MODULE: make_module(needed=["libpython3.11.so.1.0"])})

    verdict = Readings(store=store, reader=confined).judge(store.put_file(path), Expectation(), TODAY)

    assert verdict == audit(read_wheel(path), Expectation(), TODAY)
    assert not verdict.passed


def test_a_wheel_whose_reader_takes_too_much_is_refused(store: Store, tmp_path: Path) -> None:
    wheel = store.put_file(make_wheel(tmp_path))

    verdict = Readings(store=store, reader=_overrun).judge(wheel, Expectation(), TODAY)

    (found,) = verdict.findings
    assert not verdict.passed
    assert (found.rule, found.subject) == ("archive-too-large", NAME)
    assert found.message == "reading it used more than 30 s of CPU time"


def test_trials_are_told_what_the_wheel_holds(store: Store, tmp_path: Path) -> None:
    path, interpreter = make_wheel(tmp_path), Interpreter(11)

    held = Readings(store=store, reader=confined).contents(store.put_file(path), frozenset(), {interpreter: Wanted()})

    assert isinstance(held, Contents)
    assert (held.name, held.loadable) == ("demo", (MODULE,))
    assert held.subjects[str(interpreter)].extensions == ("demo.core",)


def test_what_a_repair_did_is_what_it_is_here(store: Store, tmp_path: Path) -> None:
    raw = make_wheel(tmp_path)
    kept = store.put_file(raw)

    told = Readings(store=store, reader=confined).differences(kept, kept)

    assert told == ((), compare(read_wheel(raw), read_wheel(raw)))


@pytest.fixture
def sdist(tmp_path: Path) -> Path:
    return make_sdist(tmp_path, [member("demo-1.0/a.txt", b"one\n"), member("demo-1.0/b/c.py", b"pass\n")])


def test_an_sdist_is_the_same_tree(sdist: Path) -> None:
    tree = unpack_apart(sdist, confined)

    assert tree == unpack(sdist)
    assert tree.read("b/c.py") == b"pass\n"


def test_what_is_wrong_with_an_sdist_is_said_as_it_is_here(sdist: Path) -> None:
    with pytest.raises(SourceError, match="unpacks to more than 100 bytes"):
        unpack_apart(sdist, confined, limits=SourceLimits(total_bytes=100))


def test_an_sdist_whose_reader_takes_too_much_is_a_source_error(sdist: Path) -> None:
    with pytest.raises(SourceError, match=r"reading .*\.tar\.gz used more than 30 s of CPU time"):
        unpack_apart(sdist, _overrun)


def test_an_audit_without_memory_refuses_the_wheel_and_judges_the_others(tmp_path: Path) -> None:

    def store(info: zipfile.ZipInfo) -> None:
        info.compress_type = zipfile.ZIP_STORED

    make_wheel(tmp_path, {MODULE: make_module() + bytes(200 << 20)}, shape={MODULE: store})
    make_wheel(tmp_path, filename=NAME.replace("demo", "other"))
    factory = Program(folder=tmp_path)

    done = factory.shell("sh", "-c", f"ulimit -v 300000; exec {factory.program} audit *.whl")

    assert done.code == 1, done.stderr
    assert f"{NAME}: refused\n  error archive-too-large: {NAME}: reading it used more than " in done.stdout
    assert f"{NAME.replace('demo', 'other')}: passed" in done.stdout
