"""A plan as a table."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from factory.plan.model import Cell, Plan, Trial
from factory.plan.toolchain import brought_rusts
from factory.report.text import line
from factory.tags import ProgramTag


def render_plan(plan: Plan) -> RenderableType:
    """Render one plan."""
    version = f" {plan.version}" if plan.version is not None else ""
    parts: list[RenderableType] = [line(f"{plan.recipe}{version}: {_count(plan)}", style="bold")]
    if plan.cells:
        parts.append(_cells(plan.cells))
        parts += [line(text) for text in (*_images(plan), *brought_rusts(plan.cells))]
    parts.append(line(f"floor: {plan.floor_source}"))
    for cell in plan.cells:
        if cell.untried:
            parts.append(line(f"not tried: {cell.id}: {' '.join(map(str, cell.untried))}"))
    parts += [line(f"skipped: {skip.subject}: {skip.reason}") for skip in plan.skips]
    parts += [line(f"note: {note}") for note in plan.notes]
    if any(cell.builder is None for cell in plan.cells):
        parts.append(
            line("note: a wheel that no image here can build fails the run; `factory image list` shows what can be")
        )
    return Group(*parts, Text())


def _count(plan: Plan) -> str:
    wheels = sum(cell.makes_wheel for cell in plan.cells)
    trials = sum(len(cell.trials) for cell in plan.cells)
    programs = len(plan.cells) - wheels
    counted = [f"{wheels} wheel{'s' * (wheels != 1)} owed", f"{trials} trial{'s' * (trials != 1)}"]
    return ", ".join(counted + ([f"programs on {programs} interpreter{'s' * (programs != 1)}"] if programs else []))


def _cells(cells: Iterable[Cell]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("wheel", overflow="fold")
    table.add_column("built by")
    table.add_column("tried on", overflow="fold")
    for cell in cells:
        table.add_row(line(cell.id), line(_builder(cell)), line(_trials(cell)))
    return table


def _builder(cell: Cell) -> str:
    if cell.builder is None:
        return "unbuildable: no image here has it"
    return "no interpreter" if cell.builder.interpreter is None else str(cell.builder.interpreter)


def _images(plan: Plan) -> Iterable[str]:
    """Yield which image serves each platform and why, and the programs of each interpreter.

    In a column of its own it would break ids on a terminal of 80 columns.
    """
    reasons = {(chosen.platform, chosen.image): f": {chosen.why}" for chosen in plan.chosen}
    served = dict.fromkeys(
        (
            _purpose(cell),
            cell.builder.image,
            cell.builder.preparation,
            reasons.get((cell.platform, cell.builder.image), "") if cell.makes_wheel else "",
        )
        for cell in plan.cells
        if cell.builder is not None
    )
    for purpose, image, added, why in served:
        yield f"image: {image}{f' with {added}' if added is not None else ''} {purpose}{why}"


def _purpose(cell: Cell) -> str:
    if isinstance(cell.product, ProgramTag):
        return f"runs programs on {cell.product.interpreter}, whose libpython they link"
    return f"builds for {cell.platform}{' by zig' if cell.by_zig else ''}"


def _trials(cell: Cell) -> str:
    return " ".join(f"{trial.interpreter}{_place(trial)}" for trial in cell.trials) or "-"


def _place(trial: Trial) -> str:
    if trial.image is None:
        return " (no image)"
    return " (build image)" if trial.where_built else ""
