"""The only place where the store meets work: once(stage, inputs, make)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from threading import Event
from types import MappingProxyType
from typing import TypeVar

from factory import codec
from factory.codec import JSON
from factory.confined import Reader, confined
from factory.digest import Artifact, Digest
from factory.errors import Interrupted
from factory.failure import Failure
from factory.keys import document, key
from factory.store import Store

T = TypeVar("T")

VERSIONS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("image", "rust", "bytecode", "audit", "load"), 1),
        **dict.fromkeys(("commit", "resolve", "crates"), 2),
        **dict.fromkeys(("source", "volume", "prepare", "build"), 3),
        **dict.fromkeys(("repair", "trial"), 4),
    }
)
"""A stage's number rises when its own code changes what it makes of the same inputs."""

_ASKS_THE_WORLD = frozenset({"source", "resolve", "crates", "rust"})
_LIKE_IMAGES = frozenset({"rust", "bytecode"})  # made anew where the world is asked again, not where work is done again


@dataclass(slots=True)
class Memory:
    """Do a stage's work unless the store remembers it. Only passes are remembered.

    `fresh` does everything again, `update` only what asks the world; both remember the outcome. `on_wait` is called
    with a message when another run holds what this one wants. `reader` reads what strangers made; one that forks is for
    a process with one thread.
    """

    store: Store
    cancelled: Event
    fresh: bool = False
    update: bool = False
    on_wait: Callable[[str], None] = lambda _: None
    reader: Reader = confined
    _made: set[Digest] = field(default_factory=set)

    def once(
        self, stage: str, inputs: Mapping[str, JSON], kind: type[T], make: Callable[[], T | Failure]
    ) -> tuple[T | Failure, bool]:
        """Return the stage's outcome, and whether it came from the store.

        `inputs` say everything that can change the outcome; blobs that the outcome names must lie in the store.
        Whoever else on this machine wants the same key waits and reads.

        Raises:
            Interrupted: the run was cancelled while somebody else held the key.
        """
        paper = document(stage, VERSIONS[stage], inputs)
        digest = key(paper)
        if (remembered := self._remembered(stage, digest, kind)) is not None:
            return remembered, True
        with self.store.once(stage, digest, cancelled=self.cancelled, on_wait=self.on_wait) as held:
            if not held:
                raise Interrupted("interrupted while another run made the same thing")
            if (remembered := self._remembered(stage, digest, kind)) is not None:
                return remembered, True
            outcome = make()
            if not isinstance(outcome, Failure):
                self.store.ledger_put(stage, digest, paper, codec.dump(outcome), blobs_of(outcome))
                self._made.add(digest)
            return outcome, False

    def surely(
        self,
        stage: str,
        inputs: Mapping[str, JSON],
        kind: type[T],
        make: Callable[[], T],
        *,
        worth: Callable[[T], bool] = lambda _: True,
    ) -> T:
        """Return the outcome of a stage that ends well or raises; one that is not `worth` it is not remembered."""
        made: list[T] = []

        def make_or_forget() -> T | Failure:
            made.append(make())
            return made[0] if worth(made[0]) else Failure(step=stage, message="not worth remembering")

        outcome, _ = self.once(stage, inputs, kind, make_or_forget)
        return made[0] if isinstance(outcome, Failure) else outcome

    @contextmanager
    def volume(self, kind: str, content: Digest) -> Iterator["VolumeEntry"]:
        """Hold a cache volume's ledger entry, which says that the volume was filled to its end."""
        paper = document("volume", VERSIONS["volume"], {"kind": kind, "content": str(content)})
        with self.store.once("volume", key(paper), cancelled=self.cancelled, on_wait=self.on_wait) as held:
            if not held:
                raise Interrupted("interrupted while another run filled the same volume")
            yield VolumeEntry(self.store, paper)

    def _remembered(self, stage: str, digest: Digest, kind: type[T]) -> T | None:
        """Look the key up, unless the user wants it made anew; what this very run made counts always."""
        anew = (self.fresh and stage not in _LIKE_IMAGES) or (self.update and stage in _ASKS_THE_WORLD)
        if anew and digest not in self._made:
            return None
        result = self.store.ledger_get(stage, digest)
        try:
            return None if result is None else codec.load(result, kind)
        except codec.CodecError:
            return None  # an entry of another version's shape is none; what is made now takes its place


@dataclass(frozen=True, slots=True)
class VolumeEntry:
    """What the ledger says of one cache volume, held by its lock."""

    store: Store
    document: Mapping[str, JSON]

    @property
    def is_full(self) -> bool:
        """Whether the volume was filled to its end; it may have been deleted since."""
        return self.store.ledger_get("volume", key(self.document)) is not None

    def set_full(self) -> None:
        """Note that the volume is full."""
        self.store.ledger_put("volume", key(self.document), self.document, result=True)


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
