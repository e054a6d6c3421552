"""An error as a person reads it."""

from pathlib import Path

from factory.errors import FactoryError


def render_error(error: FactoryError) -> str:
    """Write the clause, every problem in its frame, and what to do next."""
    lines = [f"factory: {error.message}"]
    if error.problems:
        from factory.recipe.frames import render_problems  # noqa: PLC0415 -- only recipes have problems

        lines = [render_problems(error.problems, _texts(error))]
    if error.hint:
        lines.append(f"  hint: {error.hint}")
    return "\n".join(lines)


def _texts(error: FactoryError) -> dict[str, str]:
    files = {problem.span.file for problem in error.problems if problem.span is not None}
    return {file: Path(file).read_text(encoding="utf-8", errors="replace") for file in files if Path(file).is_file()}
