"""Sentences about what may go wrong where a wheel is compiled for another machine than the one that builds."""

from collections.abc import Iterator, Sequence

from factory.plan.model import Cell
from factory.project.model import Project


def cross_notes(project: Project, cells: Sequence[Cell], machine: str) -> Iterator[str]:
    """Yield where a build script asks for its own machine's architecture, and compiles for another."""
    machines = dict.fromkeys(cell.emulated for cell in cells if cell.emulated is not None)
    if not machines or project.cargo_manifest is None:
        return
    for place in project.host_questions:
        yield (
            f"{place} asks for the architecture of the machine that it runs on, which is {machine}, and not "
            f"for that of the wheel, {' or '.join(map(str, machines))}: cargo says that in CARGO_CFG_TARGET_ARCH"
        )
