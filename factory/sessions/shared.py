"""Containers that several pieces of work of one project use, one after the other."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Self, TypeAlias, TypeVar

from factory.engine.api import ContainerSpec
from factory.errors import EngineError
from factory.failure import Failure
from factory.sessions.session import Session

_T = TypeVar("_T")
_IDLE: Final = 4

Key: TypeAlias = tuple[str, ContainerSpec]
"""The project whose work a container does, and what it was started with."""


@dataclass(slots=True, kw_only=True)
class _Kept:
    session: Session
    used_bytes: int = 0


@dataclass(slots=True)
class SharedContainers:
    """The containers that wait for more work of their project; for any number of threads.

    Each does one piece of work at a time. At most four wait; of more, the one that has waited longest is removed.
    """

    _idle: dict[int, tuple[Key, _Kept]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _most: int = _IDLE

    def use(
        self,
        key: Key,
        make: Callable[[], Session],
        work: Callable[[Session], _T | Failure],
        *,
        size_bytes: int,
        most_bytes: int,
    ) -> _T | Failure:
        """Do a piece of work in a container of its project, of its own or one that did such work before.

        `make` makes the session of a new container, which is started here. `size_bytes` is what the work brings into
        the workspace; a container that got more than `most_bytes` in all is removed, and so is one whose work failed.
        """
        kept = self._taken(key) or _Kept(session=make())
        try:
            if not kept.session.started:
                kept.session.start(key[1])
            result = work(kept.session)
        except BaseException:
            kept.session.close()
            raise
        kept.used_bytes += size_bytes
        if isinstance(result, Failure) or kept.used_bytes > most_bytes:
            kept.session.close()
        else:
            self._give_back(key, kept)
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove the containers that wait, and those that are given back later; of two errors the first counts."""
        with self._lock:
            self._most = 0
            left = [kept for _, kept in self._idle.values()]
            self._idle.clear()
        with suppress(EngineError) if kind is not None else nullcontext():
            for kept in left:
                kept.session.close()

    def _taken(self, key: Key) -> _Kept | None:
        """Take the container of this key that waited least; one that died meanwhile is removed."""
        while (kept := self._next(key)) is not None and not kept.session.container.is_running():
            kept.session.close()
        return kept

    def _next(self, key: Key) -> _Kept | None:
        with self._lock:
            number = next((number for number, (of, _) in reversed(self._idle.items()) if of == key), None)
            return None if number is None else self._idle.pop(number)[1]

    def _give_back(self, key: Key, kept: _Kept) -> None:
        with self._lock:
            self._idle[id(kept)] = (key, kept)
            surplus = self._idle.pop(next(iter(self._idle)))[1] if len(self._idle) > self._most else None
        if surplus is not None:
            surplus.session.close()
