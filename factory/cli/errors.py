"""An error as a person reads it."""

from factory.errors import FactoryError, InternalError
from factory.terminal import shown


def render_error(error: FactoryError) -> str:
    """Write the clause, every problem in its frame, and what to do next; nothing of it can steer a terminal.

    An internal error is preceded by its traceback, unless a log holds it.
    """
    lines = [f"factory: {error.message}"]
    if isinstance(error, InternalError) and error.traceback:
        lines.insert(0, error.traceback.rstrip("\n"))
    if any(problem.span for problem in error.problems):
        from factory.form.frames import render_problems  # noqa: PLC0415 -- only recipes have problems with a place

        lines[-1] = render_problems(error.problems).rstrip("\n")
    if error.hint:
        lines.append(f"  hint: {error.hint}")
    return shown("\n".join(lines))
