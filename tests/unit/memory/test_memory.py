"""A stage's outcome is made once for everybody: who makes it, who waits, and what is never remembered."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from factory.digest import Digest
from factory.errors import Interrupted, SourceError, StoreError
from factory.failure import Failure
from factory.memory import ABSENT, KEY, Stage
from factory.store import Store, locks
from tests.doubles.run import Outcome, ToyAsk, ToyImage, ToyImageOfTheWorld, ToyStage, make_memory

BUILD, RESOLVE, BYTECODE, RUST = ToyStage(), ToyAsk(), ToyImage(), ToyImageOfTheWorld()
FAILURE = Failure(step="build", message="no")
GOOD = Outcome(word="good")


@dataclass
class Maker:
    """Makes an outcome, and counts how often."""

    outcome: Outcome | Failure = GOOD
    times: int = 0

    def __call__(self) -> Outcome | Failure:
        self.times += 1
        return self.outcome


@dataclass
class Opened:
    """An open store, and what it said of damage."""

    store: Store
    damage: list[str] = field(default_factory=list)

    def entry(self, stage: Stage[Outcome]) -> Path:
        return self.store.path / "ledger" / stage.NAME / f"{stage.key.hex}.json"

    def blob(self, digest: Digest) -> Path:
        return self.store.path / "blobs" / digest.hex[:2] / digest.hex


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    damage: list[str] = []
    with Store.open(tmp_path / "store", on_damage=damage.append) as store:
        yield Opened(store=store, damage=damage)


@pytest.fixture
def store(opened: Opened) -> Store:
    return opened.store


def test_what_one_run_made_the_next_one_remembers(store: Store) -> None:
    maker = Maker()

    first = make_memory(store).once(BUILD, maker)
    second = make_memory(store).once(BUILD, maker)

    assert (first, second) == ((GOOD, False), (GOOD, True))
    assert maker.times == 1


@pytest.mark.parametrize("other", [ToyStage(input="other"), RESOLVE])
def test_another_input_or_another_stage_is_another_key(store: Store, other: Stage[Outcome]) -> None:
    make_memory(store).once(BUILD, Maker())

    assert make_memory(store).once(other, Maker(Outcome(word="other"))) == (Outcome(word="other"), False)


def test_a_failure_is_not_remembered(store: Store, opened: Opened) -> None:
    memory = make_memory(store)

    failed = memory.once(BUILD, Maker(FAILURE))
    again = memory.once(BUILD, Maker())

    assert (failed, again) == ((FAILURE, False), (GOOD, False))
    assert opened.damage == []


def test_what_make_raises_is_raised_and_the_key_is_free_again(store: Store) -> None:
    def fail() -> Outcome:
        raise SourceError("gone")

    with pytest.raises(SourceError, match="gone"):
        make_memory(store).once(BUILD, fail)

    assert make_memory(store).once(BUILD, Maker()) == (GOOD, False)


@pytest.mark.parametrize(
    ("stage", "fresh", "update", "is_remembered"),
    [
        pytest.param(BUILD, True, False, False, id="fresh does work again"),
        pytest.param(RESOLVE, True, False, False, id="fresh asks the world again"),
        pytest.param(BYTECODE, True, False, True, id="fresh makes no image again"),
        pytest.param(RUST, True, False, True, id="fresh makes no image of the world again"),
        pytest.param(BUILD, False, True, True, id="update does no work again"),
        pytest.param(RESOLVE, False, True, False, id="update asks the world again"),
        pytest.param(BYTECODE, False, True, True, id="update makes no image again"),
        pytest.param(RUST, False, True, False, id="update makes an image of the world again"),
    ],
)
def test_what_is_made_again(
    store: Store, stage: Stage[Outcome], fresh: bool, update: bool, is_remembered: bool
) -> None:
    make_memory(store).once(stage, Maker())

    _, from_store = make_memory(store, fresh=fresh, update=update).once(stage, Maker())

    assert from_store == is_remembered


@pytest.mark.parametrize(("fresh", "update"), [(True, False), (False, True), (True, True)])
def test_what_is_made_again_is_made_once_in_a_run_and_remembered_for_the_next(
    store: Store, fresh: bool, update: bool
) -> None:
    make_memory(store).once(RESOLVE, Maker(Outcome(word="old")))
    memory, maker = make_memory(store, fresh=fresh, update=update), Maker(Outcome(word="new"))

    in_one_run = [memory.once(RESOLVE, maker) for _ in range(2)]
    later = make_memory(store).once(RESOLVE, maker)

    assert in_one_run == [(Outcome(word="new"), False), (Outcome(word="new"), True)]
    assert later == (Outcome(word="new"), True)
    assert maker.times == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="another value"),
    ],
)
def test_a_broken_entry_is_reported_and_made_again(store: Store, opened: Opened, content: str) -> None:
    make_memory(store).once(BUILD, Maker())
    opened.entry(BUILD).chmod(0o600)
    opened.entry(BUILD).write_text(content)

    again = make_memory(store).once(BUILD, Maker())

    assert again == (GOOD, False)
    assert make_memory(store).once(BUILD, Maker()) == (GOOD, True)
    assert all(text.startswith("build ") for text in opened.damage)
    assert opened.damage


def test_an_entry_of_another_shape_is_made_again_without_a_message(store: Store, opened: Opened) -> None:
    store.ledger_put(BUILD.NAME, BUILD.key, BUILD.document, {"words": ["an older version's"]})

    again = make_memory(store).once(BUILD, Maker())

    assert again == (GOOD, False)
    assert make_memory(store).once(BUILD, Maker()) == (GOOD, True)
    assert opened.damage == []


def gone(blob: Path) -> None:
    blob.unlink()


def changed(blob: Path) -> None:
    blob.chmod(0o600)
    blob.write_bytes(b"other bytes")


@pytest.mark.parametrize("harm", [gone, changed])
def test_an_outcome_whose_file_is_not_whole_is_reported_and_made_again(
    store: Store, opened: Opened, harm: Callable[[Path], None]
) -> None:
    file = store.put_bytes(b"bytes", "a.whl")
    make_memory(store).once(BUILD, Maker(Outcome(word="good", file=file)))
    harm(opened.blob(file.digest))

    with Store.open(store.path, on_damage=opened.damage.append) as later:
        again = make_memory(later).once(BUILD, Maker())

    assert again == (GOOD, False)
    assert len(opened.damage) == 2, "it is looked for before the lock, and once it is held"


def test_every_file_of_an_outcome_must_be_whole_however_deep_it_lies(store: Store, opened: Opened) -> None:
    files = [store.put_bytes(name.encode(), f"{name}.whl") for name in ("one", "two", "three", "four")]
    inner = Outcome(word="inner", file=files[0], files=(files[1],), named={"a": files[2]}, inner=Outcome(word="none"))
    make_memory(store).once(BUILD, Maker(Outcome(word="good", inner=inner, file=files[3])))

    made_again = []
    for file in files:
        gone(opened.blob(file.digest))
        with Store.open(store.path) as later:
            made_again.append(make_memory(later).once(BUILD, Maker(Failure(step="build", message="no")))[1])
        store.put_bytes(file.filename.removesuffix(".whl").encode(), file.filename)

    assert made_again == [False] * 4
    assert make_memory(store).once(BUILD, Maker(FAILURE))[1]


def test_an_outcome_whose_file_was_never_kept_is_refused(store: Store, tmp_path: Path) -> None:
    with Store.open(tmp_path / "other") as other:
        file = other.put_bytes(b"bytes", "a.whl")

    with pytest.raises(StoreError, match="is not in the store"):
        make_memory(store).once(BUILD, Maker(Outcome(word="good", file=file)))


def test_two_runs_at_one_key_make_it_once(store: Store) -> None:
    is_making, may_end = Event(), Event()
    maker = Maker(Outcome(word="theirs"))

    def make() -> Outcome:
        is_making.set()
        assert may_end.wait(60)
        return GOOD

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(make_memory(store).once, BUILD, make)
        assert is_making.wait(60)
        second = threads.submit(make_memory(store).once, BUILD, maker)
        may_end.set()

    assert (first.result(), second.result()) == ((GOOD, False), (GOOD, True))
    assert maker.times == 0


def test_a_run_that_waits_for_one_that_fails_makes_it(store: Store) -> None:
    is_making, may_end = Event(), Event()

    def fail() -> Failure:
        is_making.set()
        assert may_end.wait(60)
        return FAILURE

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(make_memory(store).once, BUILD, fail)
        assert is_making.wait(60)
        second = threads.submit(make_memory(store).once, BUILD, Maker())
        may_end.set()

    assert (first.result(), second.result()) == ((FAILURE, False), (GOOD, False))


def test_other_keys_are_made_meanwhile(store: Store) -> None:
    def make() -> Outcome:
        assert make_memory(store).once(ToyStage(input="other"), Maker()) == (GOOD, False)
        return GOOD

    assert make_memory(store).once(BUILD, make) == (GOOD, False)


def test_a_run_that_waits_says_so_and_stops_when_the_run_is_ended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "TELL_AFTER_S", 0.01)
    cancelled, maker = Event(), Maker()
    messages: list[str] = []

    def on_wait(text: str) -> None:
        messages.append(text)
        cancelled.set()

    def make() -> Outcome:
        with pytest.raises(Interrupted):
            make_memory(store, cancelled=cancelled, on_wait=on_wait).once(BUILD, maker)
        return GOOD

    assert make_memory(store).once(BUILD, make) == (GOOD, False)
    assert maker.times == 0
    assert messages == [f"waiting for build {BUILD.key.short}, which another run or job is making"]


def test_an_ended_run_still_reads_what_is_remembered(store: Store) -> None:
    make_memory(store).once(BUILD, Maker())
    cancelled = Event()
    cancelled.set()

    assert make_memory(store, cancelled=cancelled).once(BUILD, Maker()) == (GOOD, True)


def test_a_result_that_is_not_worth_it_is_returned_and_made_again(store: Store) -> None:
    words = iter(["bad", "good"])

    def make() -> Outcome:
        return Outcome(word=next(words))

    outcomes = [make_memory(store).surely(BUILD, make, worth=lambda outcome: outcome.word == "good") for _ in range(3)]

    assert [outcome.word for outcome in outcomes] == ["bad", "good", "good"]


def test_what_raises_instead_of_failing_is_not_remembered(store: Store) -> None:
    def fail() -> Outcome:
        raise SourceError("gone")

    with pytest.raises(SourceError, match="gone"):
        make_memory(store).surely(BUILD, fail)

    assert make_memory(store).surely(BUILD, lambda: GOOD) == GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Described(Stage[Outcome]):
    """A stage with every kind of field."""

    NAME, VERSION = "build", 7

    made_of: str = field(metadata={KEY: "made of"})
    always: str | None = None
    sometimes: str | None = field(default=None, metadata={ABSENT: True})
    digest: Digest = field(default_factory=lambda: Digest.of(b"a"))


def test_a_stages_document_is_its_name_its_version_and_its_fields() -> None:
    assert Described(made_of="b").document == {
        "factory": 1,
        "stage": "build",
        "version": 7,
        "inputs": {"made of": "b", "always": None, "digest": str(Digest.of(b"a"))},
    }


def test_a_field_that_is_absent_where_it_is_none_is_there_otherwise() -> None:
    inputs = Described(made_of="b", sometimes="c").document["inputs"]

    assert isinstance(inputs, dict)
    assert inputs["sometimes"] == "c"


def test_a_result_that_was_kept_is_recalled_by_every_stage_of_equal_fields(store: Store) -> None:
    make_memory(store).keep(BUILD, GOOD)

    assert make_memory(store).recall(ToyStage()) == GOOD
    assert make_memory(store).recall(ToyStage(input="other")) is None


def test_a_key_that_is_held_alone_is_waited_for(store: Store) -> None:
    cancelled = Event()
    cancelled.set()
    memory = make_memory(store)

    with (
        memory.alone("volume", BUILD.key),
        pytest.raises(Interrupted),
        make_memory(store, cancelled=cancelled).alone("volume", BUILD.key),
    ):
        pytest.fail("two held one key")

    with memory.alone("volume", BUILD.key):
        pass
