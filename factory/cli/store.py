"""`factory store show`, `gc` and `verify`."""

from collections.abc import Iterable
from contextlib import ExitStack

from factory.cli.common import err, out
from factory.engine.api import Engine
from factory.engine.docker import connect
from factory.errors import EngineError, UsageError
from factory.excerpt import listed
from factory.form.kinds import RefusalError
from factory.form.texts import size
from factory.host import read_host
from factory.report.store import render_store, shares, swept_text
from factory.report.text import line
from factory.sessions.volumes import unknown_volumes
from factory.stages.projects import project_of, projects_of
from factory.store import Store
from factory.store.inventory import Result

_DAMAGED = "(damaged)"
_OTHERS = "another process has the store open: what it used is kept, and so are the engine's volumes"


def run_store_show(limit: str) -> int:
    """Print what the store holds by stage and by project, and what the engine keeps for it."""
    limit_bytes = _size(limit)
    with Store.open(read_host().store) as store:
        results, blobs = list(store.results()), list(store.blobs())
        projects = projects_of(result.entry for result in results if result.entry is not None)

        def project(result: Result) -> str:
            return _DAMAGED if result.entry is None else project_of(result.entry, projects)

        by_stage, by_project = shares(results, lambda result: result.stage), shares(results, project)
        out().print(render_store(str(store.path), by_stage, by_project, blobs, limit_bytes=limit_bytes))
        with ExitStack() as stack:
            if (engine := _engine(store, stack)) is not None:
                _show_volumes(engine.cache_volumes(), unknown_volumes(engine, store))
    return 0


def run_store_gc(limit: str, *, dry: bool) -> int:
    """Remove what was not used for longest, and the engine's volumes that no result names any more."""
    limit_bytes = _size(limit)
    with Store.open(read_host().store) as store:
        swept = store.sweep(limit_bytes, dry=dry)
        out().print(line(swept_text(swept, dry=dry)), soft_wrap=True)
        if swept.is_shared:
            err().print(line(_OTHERS), soft_wrap=True)
            return 0
        with ExitStack() as stack:
            if (engine := _engine(store, stack)) is not None:
                for name in unknown_volumes(engine, store):
                    if not dry:
                        engine.remove_volume(name)
                    out().print(line(f"{'would remove' if dry else 'removed'} volume {name}"))
    return 0


def run_store_verify() -> int:
    """Read everything in the store; 1 where something of it is damaged or gone."""
    with Store.open(read_host().store) as store:
        faults = tuple(dict.fromkeys(store.faults()))
        for fault in faults:
            out().print(line(f"✗ {fault}"), soft_wrap=True)
        if faults:
            err().print(line("hint: what is damaged is not used; a run that needs it makes it again"), soft_wrap=True)
            return 1
        count = sum(1 for _ in store.blobs())
        out().print(line(f"{count} blobs have their digests, and all results have their blobs"), soft_wrap=True)
    return 0


def _size(text: str) -> int:
    """Read `--limit`.

    Raises:
        UsageError: it is not a size.
    """
    try:
        return size(text)
    except RefusalError as error:
        raise UsageError(f"--limit: {error.message}", hint=error.hint) from error


def _engine(store: Store, stack: ExitStack) -> Engine | None:
    """Connect to the engine; without one, say that its volumes are not looked at."""
    try:
        return stack.enter_context(connect(read_host(), owner=store.owner, run_id="store"))
    except EngineError as error:
        err().print(line(f"the engine's volumes are not looked at: {error.message}"), soft_wrap=True)
        return None


def _show_volumes(volumes: Iterable[str], unknown: Iterable[str]) -> None:
    """List the volumes that the engine keeps for this store, by kind."""
    known = [name for name in volumes if name not in set(unknown)]
    if known:
        out().print(line(f"volumes of the engine: {listed(known)}"), soft_wrap=True)
    if unknown:
        out().print(line(f"volumes that `factory store gc` removes: {listed(list(unknown))}"), soft_wrap=True)
