"""`factory plan`."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import cache, partial
from threading import Event

import click
from rich.console import RenderableType

from factory.cli.common import (
    allowed_again,
    err,
    families,
    families_again,
    host_of,
    load_named,
    out,
    root_again,
)
from factory.cli.errors import render_error
from factory.cli.options import PlanOptions
from factory.cli.why import document_in, earlier_cells, file_names_in
from factory.confined import confined
from factory.engine.api import Engine
from factory.errors import FactoryError, ImageError, InternalError, UsageError, is_of_one_recipe
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.known import specs
from factory.images.named import known
from factory.images.offer import Registries
from factory.images.shell import has_bootstrapper
from factory.memory import Memory
from factory.plan.model import Plan
from factory.plan.selection import refuse_nothing
from factory.planned import PlannedRecipe, lacking_images
from factory.recipe.model import Recipe
from factory.report.documents import PlanDocument, render_json
from factory.report.plan import render_plan
from factory.report.text import line
from factory.report.why import Seen, render_foreseen
from factory.run.options import Options, Selection
from factory.run.planning import plan_recipe
from factory.sessions.sources import SourceServices
from factory.stages.pass_env import require_allowed
from factory.store import Store
from factory.tool_bundle import ToolBundle, read_pins
from factory.unexpected import internal_errors

_WITHOUT_IMAGES = (
    "hint: leave the interpreter out of `interpreters`, name an image that has it (images: {…}), or release the wheel "
    "untried by test: {untried: allow}; `factory image list` shows which image has which interpreter"
)


def run_plan(options: PlanOptions) -> int:
    """Plan the recipes and print the plans; the exit code is 1 where an image is lacking."""
    if options.ids and options.as_json:
        raise UsageError("--ids and --json cannot be combined", hint="run the command once for each")
    if options.why and (options.ids or options.as_json):
        raise UsageError("--why cannot be combined with --ids or --json", hint="run the command once for each")
    selection = Selection(families=families(options.families), only=options.only, skip=options.skip)
    loaded = load_named(options, keep_going=options.keep_going)
    failures: list[FactoryError] = list(loaded.errors)
    host, planned = host_of(options), list[PlannedRecipe]()
    listed = specs(host.image_lock)
    with Store.open(host.store) as store, ExitStack() as stack:
        connected = cache(lambda: stack.enter_context(_engine(host)))
        registries = Registries(engine=connected, can_make=has_bootstrapper(host))
        memory = Memory(store=store, cancelled=Event(), update=options.update)
        services = SourceServices(memory=memory, host=host, reader=confined)
        for recipe in loaded.recipes:
            try:
                with internal_errors():
                    require_allowed(recipe, host, "plan")
                    offer = registries.offer(selection.families, listed, recipe).with_images(_named(recipe, memory))
                    planned.append(plan_recipe(recipe, services, offer, selection))
            except FactoryError as error:
                bad = error.of(recipe.file) if isinstance(error, InternalError) else error
                if not (options.keep_going and is_of_one_recipe(error)):
                    raise bad from error
                failures.append(bad)
        foreseen = list(_foreseen(planned, store, host, selection)) if options.why else []
    plans = [recipe.plan for recipe in planned]
    if not failures:
        refuse_nothing(plans)
    lacking = tuple(text for recipe in planned for text in lacking_images(recipe))
    for part in foreseen:
        out().print(part, soft_wrap=True)
    if not options.why:
        _print(plans, options, lacking)
    for failure in failures:
        click.echo(render_error(failure), err=True)
    return max((failure.exit_code for failure in failures), default=1 if lacking else 0)


def _foreseen(
    planned: Sequence[PlannedRecipe], store: Store, host: Host, selection: Selection
) -> Iterator[RenderableType]:
    """Yield for each cell what a run would make again, and at last what cannot be told."""
    from factory.run.foreseen import UNKNOWN, Foresight  # noqa: PLC0415 -- it loads what carries out cells

    foresight = Foresight(
        tools=ToolBundle(files=read_pins(), store=store).digest,
        host=host,
        today=selection.today,
        document_of=partial(document_in, store),
        file_name=file_names_in(store),
    )
    cells = {cell.address: (recipe.at(cell), cell) for recipe in planned for cell in recipe.plan.cells}
    last = dict[str, Seen]()
    for run in earlier_cells(Options().evidence):
        last = {**run, **last}
        if last.keys() >= cells.keys():
            break
    for address, (recipe, cell) in cells.items():
        seen = last.get(address)
        yield render_foreseen(address, seen, [] if seen is None else [*foresight.told(recipe, cell, seen.record)])
    yield line(UNKNOWN, style="dim")


def _engine(host: Host) -> AbstractContextManager[Engine]:
    from factory.engine.docker import connect  # noqa: PLC0415 -- its library takes 0.2 s, and few plans ask an engine

    return connect(host, owner="plan", run_id="plan")


def _named(recipe: Recipe, memory: Memory) -> tuple[ImageFacts, ...]:
    """Return the facts of the images that a recipe names, without asking an engine.

    Raises:
        ImageError: one was never on this machine.
    """
    try:
        return tuple(known(pin, memory) for pin in recipe.images.values())
    except ImageError as error:
        raise error.of(recipe.file) from error


def _print(plans: list[Plan], options: PlanOptions, lacking: Sequence[str]) -> None:
    if options.as_json:
        click.echo(render_json(PlanDocument(plans=tuple(plans))))
    elif options.ids:
        for plan in plans:
            for cell in plan.cells:
                click.echo(cell.address)
    else:
        for plan in plans:
            out().print(render_plan(plan), soft_wrap=True)
        for text in lacking:
            err().print(line(f"not ready: {text}"), soft_wrap=True)
        if lacking:
            err().print(line(_WITHOUT_IMAGES), soft_wrap=True)
            return
        err().print(line(f"next: {shlex.join(['factory', 'build', *_again(options)])}"), soft_wrap=True)


def _again(options: PlanOptions) -> Iterator[str]:
    """Yield the arguments with which the same cells are built."""
    yield from map(str, options.recipes)
    yield from (*families_again(options.families), *root_again(options.root), *allowed_again(options.allow_env))
    for flag, values in (("--only", options.only), ("--skip", options.skip), ("--set", options.settings)):
        yield from (word for value in values for word in (flag, value))
