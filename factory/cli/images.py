"""`factory image list` and `factory image build`."""

from collections.abc import Sequence

import click
from rich.table import Table

from factory.cli.common import err, out
from factory.engine.docker import connect
from factory.errors import EngineError, UsageError
from factory.host import Host, read_host
from factory.images import declared, ensure, is_here
from factory.report.documents import ImagesDocument, ListedImage, render_json
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
    host, console = read_host(), err()
    with Store.open(host.store) as store, connect(host, owner=store.owner, run_id="images") as engine:
        for name in names or known:

            def say(text: str, name: str = name) -> None:
                console.print(f"{name}: {text}", markup=False, soft_wrap=True)

            ready = ensure(name, engine=engine, host=host, store=store, progress=say, update=update)
            out().print(f"{name} {ready.reference}", soft_wrap=True)
    return 0


def _here(host: Host) -> dict[str, bool]:
    """Tell which images are here; empty without an engine, which `image list` does not need."""
    try:
        with Store.open(host.store) as store, connect(host, owner=store.owner, run_id="images") as engine:
            return {facts.name: is_here(engine, facts.name) for facts in declared()}
    except EngineError as error:
        err().print(f"{error.message}: whether images are here is unknown", markup=False)
        return {}


def _word(here: bool | None) -> str:
    return {True: "yes", False: "no", None: "?"}[here]
