"""Sentences about interpreters that no image holds and that are made where a recipe lists them."""

from collections.abc import Iterator, Sequence

from factory.image_facts import ImageFacts
from factory.plan.model import Cell
from factory.tags import has_musl


def held_by(image: ImageFacts) -> str:
    """Say which interpreters an image holds, and which can be made for it."""
    held = ", ".join(map(str, image.interpreters)) or "no interpreter"
    others = ", ".join(map(str, image.on_demand))
    return f"it has {held}" + (f"; {others} are made where a recipe lists them" if others else "")


def on_demand_notes(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield which interpreters of a plan have to be made first."""
    builders = (cell.builder for cell in cells if cell.builder is not None)
    building = {builder.interpreter for builder in builders if builder.on_demand}
    tried = {trial.interpreter for cell in cells for trial in cell.trials if trial.on_demand}
    if brought := sorted(name for name in building | tried if name is not None):
        yield f"no image holds {', '.join(map(str, brought))}: made once on this machine, in some minutes, and kept"


def weaker_notes(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield which interpreters are tried where their wheels are built, and how to have them tried on a plain image."""
    weaker = {
        (trial.interpreter, has_musl(cell.platform)) for cell in cells for trial in cell.trials if trial.where_built
    }
    for interpreter, musl in sorted(weaker):
        note = f"no plain image has {interpreter}: its wheel is tried on its build image, without compilers"
        if interpreter.implementation == "cp" and not interpreter.free_threaded:  # Docker has no images of the others.
            image = f"python:{interpreter.version}-{'alpine' if musl else 'slim'}"
            note += f"; to have one: `factory image pin --trial {image}`"
        yield note
