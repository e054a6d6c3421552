"""The store and the engine for work that is a run of its own."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from factory.engine.api import Engine
from factory.engine.docker import connect
from factory.host import Host
from factory.store import Store


def new_run_id() -> str:
    """Return a name that no other run has: the time and some random digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@contextmanager
def own_run(host: Host) -> Iterator[tuple[Store, Engine]]:
    """Open the store and the engine for a new run, after what dead runs of the store left is removed.

    The end of a run removes the containers of its id, so no two share one; after a kill, the next run removes them.

    Raises:
        StoreError: the store cannot be opened.
        EngineError: no engine answers.
    """
    run_id = new_run_id()
    with (
        Store.open(host.store) as store,
        store.run_lock(run_id),
        connect(host, owner=store.owner, run_id=run_id) as engine,
    ):
        engine.reap(store.is_running)
        yield store, engine
