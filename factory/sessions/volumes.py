"""Cache volumes, which the engine fills with files and containers mount read-only.

No program of an image runs while such a volume can be written, so that what one recipe's commands did to an image
reaches no other recipe.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from factory import codec
from factory.digest import Digest
from factory.engine.api import Engine, TreeEntry
from factory.errors import EngineError, FactoryError
from factory.failure import Failure
from factory.memory import NEVER, Stage
from factory.sessions.services import Services
from factory.store import Store
from factory.store.entry import LedgerEntry

Files = AbstractContextManager[Iterable[TreeEntry] | Failure]
"""What a volume is filled with, or why it cannot be; where the files come from is closed when the block ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(Stage[bool]):
    """Whether a cache volume was once filled completely; it may have been deleted since."""

    NAME, VERSION, REDONE_BY = "volume", 3, NEVER

    kind: str
    content: Digest

    def name_for(self, owner: str) -> str:
        """Return the engine's name of it; each store has volumes of its own, as its ledger says which are complete."""
        return f"factory-{self.kind}-{owner[:8]}-{self.content.short}"


def filled_volume(services: Services, kind: str, content: Digest, files: Callable[[], Files]) -> str | Failure:
    """Return the name of a cache volume with this content; `files` is called where the volume has to be filled.

    Deleting such volumes changes no result: the ledger only records that a volume, if it is there, is complete.
    """
    memory, volume = services.memory, Volume(kind=kind, content=content)
    name = volume.name_for(memory.store.owner)
    with memory.alone(volume.NAME, volume.key):
        # Either alone is not enough: a run may have died while it filled the volume, or someone may have deleted it.
        if memory.recall(volume) and services.engine.has_volume(name):
            return name
        with files() as given:
            if isinstance(given, Failure):
                return given
            if (failure := _fill(services, kind, name, given)) is not None:
                return failure
        memory.keep(volume, result=True)
        return name


def unknown_volumes(engine: Engine, store: Store) -> tuple[str, ...]:
    """Return the cache volumes of a store of which its ledger knows nothing (any more), so that no run will use them.

    Those that a run is filling are among them.
    """
    names = {_name_of(result.entry, store.owner) for result in store.results(Volume.NAME)}
    return tuple(name for name in engine.cache_volumes() if name not in names)


def _name_of(entry: LedgerEntry | None, owner: str) -> str | None:
    try:
        return None if entry is None else codec.load(entry.document.get("inputs"), Volume).name_for(owner)
    except codec.CodecError:
        return None  # A damaged entry is no reason to keep a volume.


def _fill(services: Services, kind: str, name: str, files: Iterable[TreeEntry]) -> Failure | None:
    with services.recorder.step(f"volume:{kind}", "fill-volume") as mark:
        try:
            services.engine.fill_volume(name, files)
        except EngineError:
            raise
        except FactoryError as error:  # A package's own fault: its files are too large, or a link leads out.
            mark.outcome = "failed"
            return Failure(step=kind, message=error.message, hint=error.hint)
        mark.outcome = "passed"
        return None
