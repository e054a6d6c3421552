"""`factory image list`, `show`, `build` and `pull`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from threading import Event

import click
from rich.table import Table

from factory.cli.common import err, out
from factory.cli.heartbeat import Heartbeat
from factory.cli.running import RunningSteps
from factory.cli.signals import handled_signals
from factory.clock import today
from factory.engine.api import Engine, HeldImage
from factory.engine.docker import connect
from factory.errors import EngineError, Interrupted, UsageError
from factory.farm.threads import Duties, Task, Threads
from factory.host import Host, read_host
from factory.image_facts import ImageFacts
from factory.images.age import is_old, made_on
from factory.images.foreign import machine_here
from factory.images.known import Spec, spec_named, specs
from factory.images.named import known
from factory.images.on_demand import all_brought, brought
from factory.images.prepared import PreparedHere, prepared_here
from factory.images.pulled import PulledSpec
from factory.images.ready import ensure, held
from factory.images.spec import ImageSpec
from factory.memory import Memory
from factory.pins import Pin
from factory.process import end_all
from factory.report.documents import ImagesDocument, ListedImage, render_json
from factory.report.text import line
from factory.run.own import own_run
from factory.store import Store

_WIDE = 80


def run_image_list(*, as_json: bool) -> int:
    """Print what each image declares, and whether it is here where an engine answers."""
    host = read_host()
    listed = specs(host.image_lock)
    here, prepared = _here(host, listed)
    facts_of_all = all_brought(spec.facts for spec in listed)
    if as_json:
        images = tuple(_listed(facts, here) for facts in facts_of_all)
        click.echo(render_json(ImagesDocument(images=images, prepared=prepared)))
        return 0
    table = Table(box=None, pad_edge=False, header_style="dim")
    is_wide = out().width >= _WIDE
    for column in ("image", "platform", "interpreters", "rust", "here"):
        table.add_column(column, overflow="fold", no_wrap=is_wide and column in ("image", "platform"))
    for facts in facts_of_all:
        interpreters = " ".join(str(interpreter) for interpreter in sorted(facts.interpreters))
        rust = str(facts.rust) if facts.rust else "-"
        table.add_row(facts.name, str(facts.platform), interpreters, rust, _word(here, facts.name))
    out().print(table)
    on_demand = sorted({interpreter for facts in facts_of_all for interpreter in facts.on_demand})
    out().print(line(f"on demand: {' '.join(map(str, on_demand))}, made once where a recipe lists them"))
    for image in prepared:
        out().print(line(f"prepared: {image.base} with {image.holds}, {image.id.removeprefix('sha256:')[:12]}"))
    return 0


def run_image_show(name: str) -> int:
    """Print what is known of one image, a line each."""
    host = read_host()
    spec = _pin(name) or spec_named(name, host.image_lock)
    for key, value in _shown(spec, host):
        out().print(line(f"{key}: {value}"), soft_wrap=True)
    return 0


def run_image_build(names: Sequence[str], *, update: bool) -> int:
    """Make images, saying what goes on."""
    made = [spec.facts for spec in specs(read_host().image_lock) if isinstance(spec, ImageSpec)]
    ours = [facts.name for facts in made]
    for name in names:
        if name not in ours:
            hint = f"made here: {', '.join(ours)}; `factory image pull` pulls the others"
            raise UsageError(f"{name!r} is not an image that is made here", hint=hint)
    return _ensure_all(names or [facts.name for facts in made if facts.platform.arch == machine_here()], update=update)


def run_image_pull(names: Sequence[str]) -> int:
    """Pull images and ask each what it holds, saying what goes on."""
    pulled = [spec.facts.name for spec in specs(read_host().image_lock) if isinstance(spec, PulledSpec)]
    for name in names:
        if _pin(name) is None and name not in pulled:
            hint = f"pulled: {', '.join(pulled)}, or any registry/name@sha256:…"
            raise UsageError(f"{name!r} is not an image that a registry serves", hint=hint)
    return _ensure_all(names, update=False)


def _ensure_all(names: Sequence[str], *, update: bool) -> int:
    host = read_host()
    with own_run(host) as (store, engine), handled_signals() as signals:
        work = partial(_make, engine=engine, host=host, store=store, cancelled=signals.cancelled, update=update)
        _one_by_one({name: partial(work, name) for name in dict.fromkeys(names)}, engine, signals.cancelled)
    return 0


def _make(name: str, *, engine: Engine, host: Host, store: Store, cancelled: Event, update: bool) -> None:
    console, steps = err(), RunningSteps()

    def say(text: str) -> None:
        steps.hear(name, text)
        console.print(line(f"{name}: {text}"), soft_wrap=True)

    with Heartbeat(steps=steps, write=console.file.write):
        steps.begin(name, "image")
        ready = ensure(name, engine=engine, host=host, store=store, progress=say, update=update, cancelled=cancelled)
    out().print(line(f"{name} {ready.reference}"), soft_wrap=True)


def _one_by_one(work: Mapping[str, Callable[[], None]], engine: Engine, cancelled: Event) -> None:
    """Work as `factory build` does, in a thread of its own, so that a signal ends tools and containers in order.

    Raises:
        Interrupted: a signal came before the end.
    """

    def end() -> None:
        end_all()
        engine.kill_run()

    tasks = [Task(key=name, work=make) for name, make in work.items()]
    duties: Duties[Task[None], None] = Duties(perform=Task.call, passed=lambda _: True, blocked=lambda *_: None)
    with suppress(Interrupted):  # It is raised again below, with a hint.
        Threads(count=1, cancelled=cancelled, on_cancel=end).run(tasks, duties)
    if cancelled.is_set():
        raise Interrupted("interrupted", hint="run the same command again: images that were finished are kept")


def _pin(name: str) -> Pin | None:
    """Read an image by digest.

    Raises:
        UsageError: it contains an @, but is not an image by digest.
    """
    if "@" not in name:
        return None
    try:
        return Pin.parse(name)
    except ValueError as error:
        raise UsageError(str(error), hint="a digest is sha256: and 64 hexadecimal digits") from error


def _shown(spec: Spec | Pin, host: Host) -> Iterator[tuple[str, str]]:
    if isinstance(spec, Pin):
        with Store.open(host.store) as store:
            yield from _facts(known(spec, Memory(store=store, cancelled=Event())))
        yield "pinned to", str(spec)
    else:
        yield from _facts(brought(spec.facts))
        yield from [("pinned to", str(spec.pin))] if isinstance(spec, PulledSpec) else [("made from", spec.suite)]
    yield "here", _whether_held(host, spec)


def _facts(facts: ImageFacts) -> Iterator[tuple[str, str]]:
    yield "image", facts.name
    yield "role", facts.role
    yield "platform", str(facts.platform)
    yield "interpreters", " ".join(str(interpreter) for interpreter in sorted(facts.interpreters))
    yield "on demand", " ".join(str(interpreter) for interpreter in sorted(facts.on_demand)) or "none"
    yield "rust", str(facts.rust or "none")
    yield "packages by", facts.packages or "none"


def _whether_held(host: Host, spec: Spec | Pin) -> str:
    """Say where an image is, or why that is unknown: what is declared needs no engine."""
    try:
        with connect(host, owner="images", run_id="images") as engine:
            image = engine.held_image(spec.reference) if isinstance(spec, Pin) else held(engine, spec)
    except EngineError as error:
        return f"unknown: {error.message}"
    return "no" if image is None else f"{image.id}, {image.size_bytes / 1e6:.0f} MB, {image.architecture}"


def _here(host: Host, listed: Sequence[Spec]) -> tuple[dict[str, HeldImage | None], tuple[PreparedHere, ...]]:
    """Return the images that are here, and which were prepared; nothing without an engine, which is not needed."""
    try:
        with connect(host, owner="images", run_id="images") as engine:  # it looks only: nothing is made that is owned
            return {spec.facts.name: held(engine, spec) for spec in listed}, prepared_here(engine)
    except EngineError as error:
        err().print(line(f"{error.message}: whether images are here is unknown"))
        return {}, ()


def _listed(facts: ImageFacts, here: Mapping[str, HeldImage | None]) -> ListedImage:
    image = here.get(facts.name)
    is_here = image is not None if facts.name in here else None
    return ListedImage(image=facts, here=is_here, made=None if image is None else made_on(image))


def _word(here: Mapping[str, HeldImage | None], name: str) -> str:
    """Say whether an image is here, and of which day; an exclamation mark says that it is old."""
    if name not in here:
        return "?"
    image = here[name]
    if image is None:
        return "no"
    made = made_on(image)
    return f"{made or 'yes'}{' !' if is_old(made, today()) else ''}"
