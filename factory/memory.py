"""Remembering: the only module that reads and writes the store's ledger."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from threading import Event
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Literal, Self, TypeAlias, TypeVar, get_args

from factory import codec
from factory.codec import JSON
from factory.digest import Artifact, Digest
from factory.errors import Interrupted
from factory.failure import Failure
from factory.keys import document, key
from factory.store import Store

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

Flag: TypeAlias = Literal["no-cache", "update"]
KEY = "name in the key document"
"""Metadata of a stage's field: its name in the key document, where that is not the field's own."""
ABSENT = codec.ABSENT
"""Metadata of a stage's field, or of a field in one: the key document leaves it out where it has its default."""

WORK: frozenset[Flag] = frozenset({"no-cache"})
"""The flags that redo a stage whose result follows from its fields alone."""
ASKS_THE_WORLD: frozenset[Flag] = frozenset({"no-cache", "update"})
"""The flags that redo a stage whose result may be another one tomorrow: what an index or a branch has today."""
NEVER: frozenset[Flag] = frozenset()
"""No flag redoes the stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Generic[T_co]):
    """A unit of work whose result is remembered. Its fields are everything that can change the result.

    `NAME` and `VERSION` are part of the key; the version rises when the stage's own code makes something else of the
    same inputs. `REDONE_BY` are the flags that make the result again although it is remembered. `IS_MATERIAL` is
    whether records name its results among what a wheel was made of: facts that are read of a source are not.
    """

    NAME: ClassVar[str]
    VERSION: ClassVar[int]
    REDONE_BY: ClassVar[frozenset[Flag]] = WORK
    IS_MATERIAL: ClassVar[bool] = True

    @property
    def document(self) -> Mapping[str, JSON]:
        """The key document: the stage's name, its version and its fields."""
        given = ((part, getattr(self, part.name)) for part in fields(self))
        inputs = {
            part.metadata.get(KEY, part.name): codec.dump(value)
            for part, value in given
            if ABSENT not in part.metadata or value != part.default
        }
        return document(self.NAME, self.VERSION, inputs)

    @property
    def key(self) -> Digest:
        """The digest of the key document."""
        return key(self.document)

    @property
    def result_type(self) -> type[T_co]:
        """What the stage makes: `Artifact` for a `Stage[Artifact]`."""
        # Python keeps a type argument only here, and a stage without it could not read its result from the ledger.
        bases: tuple[Any, ...] = getattr(type(self), "__orig_bases__", ())
        result: type[T_co] = get_args(bases[0])[0]
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A remembered result that something was made of: its stage, its key, and whether it came from the store."""

    stage: str
    key: Digest
    from_store: bool


@dataclass(slots=True)
class Memory:
    """Do a stage's work unless the store remembers its result. Failures are not remembered.

    `fresh` does all work again, `update` only what asks the world; both remember the result. `on_wait` is called with a
    message when this run has to wait for another one, `on_use` with every remembered result that is used.
    """

    store: Store
    cancelled: Event
    fresh: bool = False
    update: bool = False
    on_wait: Callable[[str], None] = lambda _: None
    on_use: Callable[[Material], object] = lambda _: None
    _made: set[Digest] = field(default_factory=set)  # so that cells which share a stage make it once under --no-cache

    def noting(self, on_use: Callable[[Material], object]) -> Self:
        """Return the same memory for one piece of work, with a function that is called with every result it uses."""
        # The copy shares `_made`: what one cell has made again is not made once more by the next.
        return replace(self, on_use=on_use)

    def once(self, stage: Stage[T], make: Callable[[], T | Failure]) -> tuple[T | Failure, bool]:
        """Return a stage's result, and whether it came from the store.

        `make` has put every blob that its result names into the store. Another run on this machine that needs the same
        result waits for this one, and reads it.

        Raises:
            Interrupted: the run was cancelled while it waited for another one.
        """
        return self._result(stage, make, lambda result: None if isinstance(result, Failure) else result)

    def surely(self, stage: Stage[T], make: Callable[[], T], *, worth: Callable[[T], bool] = lambda _: True) -> T:
        """Return the result of a stage that never fails without raising; only a result that is `worth` it is kept."""
        return self._result(stage, make, lambda result: result if worth(result) else None)[0]

    def recall(self, stage: Stage[T]) -> T | None:
        """Return a remembered result, unless a flag says to make it again and this run has not yet done so."""
        return self._recalled(stage, stage.key)

    def _recalled(self, stage: Stage[T], key: Digest) -> T | None:
        flags: set[Flag] = {*(("no-cache",) if self.fresh else ()), *(("update",) if self.update else ())}
        if flags & stage.REDONE_BY and key not in self._made:
            return None
        return _loaded(stage, self.store.ledger_get(stage.NAME, key))

    def remembered(self, stage: Stage[T]) -> T | None:
        """Return a remembered result although a flag says to make it again, whether or not its blobs are here."""
        entry = self.store.peek(stage.NAME, stage.key)
        return None if entry is None else _loaded(stage, entry.result)

    def keep(self, stage: Stage[T], result: T) -> None:
        """Remember a result."""
        document = stage.document
        self.store.ledger_put(stage.NAME, key(document), document, codec.dump(result), blobs_of(result))
        self._made.add(key(document))

    @contextmanager
    def alone(self, what: str, key: Digest, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
        """Hold a key, so that no other run on this machine makes the same meanwhile.

        Raises:
            Interrupted: the run was cancelled while another one held the key.
        """
        with self.store.once(what, key, cancelled=self.cancelled, on_wait=on_wait or self.on_wait) as is_held:
            if not is_held:
                raise Interrupted("interrupted while another run made the same thing")
            yield

    def _result(self, stage: Stage[T], make: Callable[[], R], kept: Callable[[R], T | None]) -> tuple[T | R, bool]:
        key = stage.key
        if (remembered := self._recalled(stage, key)) is None:
            with self.alone(stage.NAME, key):
                # The run that held the key until now may have made the very result.
                if (remembered := self._recalled(stage, key)) is None:
                    return self._made_now(stage, make, kept), False
        self._note(stage, key, from_store=True)
        return remembered, True

    def _made_now(self, stage: Stage[T], make: Callable[[], R], kept: Callable[[R], T | None]) -> R:
        result = make()
        if (worth_keeping := kept(result)) is not None:
            self.keep(stage, worth_keeping)
            self._note(stage, stage.key, from_store=False)
        return result

    def _note(self, stage: Stage[Any], key: Digest, *, from_store: bool) -> None:
        if stage.IS_MATERIAL:
            self.on_use(Material(stage=stage.NAME, key=key, from_store=from_store))


def _loaded(stage: Stage[T], result: JSON | None) -> T | None:
    try:
        return None if result is None else codec.load(result, stage.result_type)
    except codec.CodecError:
        return None  # An older version wrote a result of another shape; what is made now takes its place.


def versions(*stages: type[Stage[Any]]) -> Mapping[str, int]:
    """Return the versions of stages by their names."""
    return MappingProxyType({stage.NAME: stage.VERSION for stage in stages})


def blobs_of(value: object) -> tuple[Digest, ...]:
    """Return the digests of every Artifact in a frozen value."""
    if isinstance(value, Artifact):
        return (value.digest,)
    if isinstance(value, Mapping):
        return tuple(digest for part in value.values() for digest in blobs_of(part))
    if isinstance(value, tuple):
        return tuple(digest for part in value for digest in blobs_of(part))
    if is_dataclass(value):
        return tuple(digest for part in fields(value) for digest in blobs_of(getattr(value, part.name)))
    return ()
