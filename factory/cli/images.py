"""`factory image list` and `factory image build`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Event

import click
from rich.table import Table

from factory.cli.common import err, new_run_id, out
from factory.cli.signals import handled_signals
from factory.engine.api import Engine
from factory.engine.docker import connect
from factory.errors import EngineError, Interrupted, UsageError
from factory.host import Host, read_host
from factory.images import declared, ensure, is_here
from factory.process import end_all
from factory.report.documents import ImagesDocument, ListedImage, render_json
from factory.schedule import Job, run_jobs
from factory.store import Store

_WIDE = 80


def run_image_list(*, as_json: bool) -> int:
    """Print what each image declares, and whether it is here where an engine answers."""
    here = _here(read_host())
    if as_json:
        images = tuple(ListedImage(image=facts, here=here.get(facts.name)) for facts in declared())
        click.echo(render_json(ImagesDocument(images=images)))
        return 0
    table = Table(box=None, pad_edge=False, header_style="dim")
    is_wide = out().width >= _WIDE
    for column in ("image", "platform", "interpreters", "rust", "here"):
        table.add_column(column, overflow="fold", no_wrap=is_wide and column in ("image", "platform"))
    for facts in declared():
        interpreters = " ".join(str(one) for one in facts.interpreters)
        rust = str(facts.rust) if facts.rust else "-"
        table.add_row(facts.name, str(facts.platform), interpreters, rust, _word(here.get(facts.name)))
    out().print(table)
    return 0


def run_image_build(names: Sequence[str], *, update: bool) -> int:
    """Make images, saying what goes on."""
    known = [facts.name for facts in declared()]
    for name in names:
        if name not in known:
            raise UsageError(f"{name!r} is no image", hint=f"images: {', '.join(known)}")
    host, run_id = read_host(), new_run_id()
    with (
        Store.open(host.store) as store,
        store.run_lock(run_id),
        connect(host, owner=store.owner, run_id=run_id) as engine,
        handled_signals() as signals,
    ):
        engine.reap(store.is_running)
        work = partial(_make, engine=engine, host=host, store=store, cancelled=signals.cancelled, update=update)
        _one_by_one({name: partial(work, name) for name in dict.fromkeys(names or known)}, engine, signals.cancelled)
    return 0


def _make(name: str, *, engine: Engine, host: Host, store: Store, cancelled: Event, update: bool) -> None:
    console = err()

    def say(text: str) -> None:
        console.print(f"{name}: {text}", markup=False, soft_wrap=True)

    ready = ensure(name, engine=engine, host=host, store=store, progress=say, update=update, cancelled=cancelled)
    out().print(f"{name} {ready.reference}", soft_wrap=True)


def _one_by_one(work: Mapping[str, Callable[[], None]], engine: Engine, cancelled: Event) -> None:
    """Work as `factory build` does, in a thread of its own, so that a signal ends tools and containers in order.

    Raises:
        Interrupted: a signal came before the end.
    """

    def end() -> None:
        end_all()
        engine.kill_run()

    jobs = [Job(key=name, work=make) for name, make in work.items()]
    with suppress(Interrupted):  # said below, with its way out
        run_jobs(jobs, workers=1, cancelled=cancelled, passed=lambda _: True, blocked=lambda *_: None, on_cancel=end)
    if cancelled.is_set():
        raise Interrupted("interrupted", hint="type the same command again: images that were finished are kept")


def _here(host: Host) -> dict[str, bool]:
    """Tell which images are here; empty without an engine, which `image list` does not need."""
    try:
        with connect(host, owner="images", run_id="images") as engine:  # it looks only: nothing is made that is owned
            return {facts.name: is_here(engine, facts.name) for facts in declared()}
    except EngineError as error:
        err().print(f"{error.message}: whether images are here is unknown", markup=False)
        return {}


def _word(here: bool | None) -> str:
    return {True: "yes", False: "no", None: "?"}[here]
