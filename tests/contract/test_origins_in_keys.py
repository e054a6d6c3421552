"""What an index gave is used as long as that index is the one that is asked, and no longer."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import cast
from uuid import uuid4

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from factory.confined import confined
from factory.digest import Digest
from factory.engine.api import Engine
from factory.events.recorder import Recorder
from factory.host import Host, read_host
from factory.memory import Memory
from factory.recipe.model import SdistSource
from factory.resolve import Question, Resolution
from factory.sessions.services import Services
from factory.sessions.sources import SourceServices
from factory.stages.resolve import resolved
from factory.stages.source import tree_of
from factory.store import Store
from factory.tags import Interpreter, PlatformTag
from tests.makers.index import PASSWORD, USER, Index, make_wheel_bytes, serve_index
from tests.makers.plans import make_recipe
from tests.makers.sources import make_demo

WHEEL = "first-1.0-py3-none-any.whl"
EVIL = make_wheel_bytes("first", "1.0", "py3-none-any", requires=["first; extra == 'evil'"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def resolve(host: Host, store: Store, folder: Path) -> set[Digest]:
    """Return the digests of what a build would install; no engine is asked."""
    with Recorder(folder / f"run-{uuid4().hex}", lambda _: None) as recorder:
        services = Services(
            engine=cast("Engine", None),
            memory=Memory(store=store, cancelled=Event()),
            reader=confined,
            host=host,
            recorder=recorder,
            tools=lambda _: pytest.fail("no container is started"),
            helper=lambda: pytest.fail("no container is started"),
        )
        question = Question(
            requirements=[Requirement("first")],
            interpreter=Interpreter(13),
            platform=PlatformTag.parse("manylinux_2_31_x86_64"),
        )
        answer = resolved(services, question, "spam", lambda release: pytest.fail(f"{release} has a wheel"))
    assert isinstance(answer, Resolution), answer
    return {file.digest for file in answer.files}


def host_of(folder: Path, index: Index, *extra: Index) -> Host:
    env = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "UV_DEFAULT_INDEX": f"{index.url}/simple/"}
    return read_host({**env, "UV_EXTRA_INDEX_URL": " ".join(f"{other.url}/simple/" for other in extra)})


def test_a_requirement_from_an_index_that_lied_is_not_used_after_the_index_was_changed(
    tmp_path: Path, store: Store
) -> None:
    with serve_index() as lying, serve_index() as honest:
        lying.files[WHEEL] = EVIL
        good = Digest.of(honest.files[honest.add("first", "1.0")])
        first = resolve(host_of(tmp_path, lying), store, tmp_path)
        asked = len(lying.asked)
        again = resolve(host_of(tmp_path, lying), store, tmp_path)
        asked_again = len(lying.asked)
        mended = resolve(host_of(tmp_path, honest), store, tmp_path)
        before_the_other = resolve(host_of(tmp_path, lying, honest), store, tmp_path)

    assert first == again == {Digest.of(EVIL)}
    assert asked == asked_again, "as long as the index is the same, the answer is remembered"
    assert mended == before_the_other == {good}


def test_a_source_from_an_index_that_lied_is_not_used_after_the_index_was_changed(tmp_path: Path, store: Store) -> None:
    recipe = make_recipe(source=SdistSource(name=canonicalize_name("demo"), version=Version("1.0")))

    def taken(index: Index) -> tuple[str, ...]:
        memory = Memory(store=store, cancelled=Event())
        services = SourceServices(memory=memory, host=host_of(tmp_path, index), reader=confined)
        return tree_of(recipe, services)[0].paths

    for name in ("evil", "good"):
        (tmp_path / name).mkdir()
    with serve_index() as lying, serve_index() as honest:
        lying.files["demo-1.0.tar.gz"] = make_demo(tmp_path / "evil", {"setup.py": b"evil"}).read_bytes()
        honest.files["demo-1.0.tar.gz"] = make_demo(tmp_path / "good").read_bytes()
        evil, good = taken(lying), taken(honest)

    assert "setup.py" in evil
    assert "setup.py" not in good


def test_no_credentials_of_an_index_are_in_a_key(tmp_path: Path, store: Store) -> None:
    with serve_index(with_password=True) as index:
        index.add("first", "1.0")
        resolve(index.host(tmp_path), store, tmp_path)

    (entry,) = (store.path / "ledger/resolve").glob("*.json")
    written = entry.read_text()
    assert json.loads(written)["document"]["inputs"]["indexes"] == [f"{index.url}/simple"]
    assert PASSWORD not in written
    assert USER not in written
