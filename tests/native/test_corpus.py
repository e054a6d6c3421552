"""The corpus that a compiler makes: the loader or the interpreter refuses each bad one, and the gate says why."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from factory.audit import Expectation, audit
from factory.wheel import read_wheel
from tests.corpus.cases import rule_of
from tests.corpus.compiled import PAIRS, Built
from tests.makers.wheels import make_wheel

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="gcc and g++ are not installed")

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Every wheel of the corpus, compiled side by side: the wheel's path, its objects in a folder beside it."""
    root = tmp_path_factory.mktemp("corpus")
    wanted = [(name, kind, getattr(pair, kind)) for name, pair in PAIRS.items() for kind in ("bad", "near")]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        jobs = [workers.submit(_make, root / f"{index}", wheel) for index, (_, _, wheel) in enumerate(wanted)]
        return {(name, kind): job.result() for (name, kind, _), job in zip(wanted, jobs, strict=True)}


def _make(folder: Path, built: Built) -> Path:
    objects = folder / "objects"
    objects.mkdir(parents=True)
    content = built.build(objects)
    return make_wheel(folder, content, filename=built.filename)


def _errors(wheel: Path) -> set[str]:
    return {finding.rule for finding in audit(read_wheel(wheel), Expectation(), TODAY).findings if finding.fails}


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_refused_does_not_work(name: str, built: dict[tuple[str, str], Path]) -> None:
    wheel, pair = built[name, "bad"], PAIRS[name]

    assert rule_of(name) in _errors(wheel)
    assert not pair.works(wheel.parent / "objects", list(pair.bad.parts)[_loaded(pair.bad)])


@pytest.mark.parametrize("name", PAIRS)
def test_what_nearly_breaks_the_rule_works_and_passes(name: str, built: dict[tuple[str, str], Path]) -> None:
    wheel, pair = built[name, "near"], PAIRS[name]

    assert _errors(wheel) == set()
    assert pair.works(wheel.parent / "objects", list(pair.near.parts)[_loaded(pair.near)])


def _loaded(built: Built) -> int:
    """Find the part that is loaded: the module."""
    return next(index for index, name in enumerate(built.parts) if name.startswith("demo/core"))
