"""The steps that build and run programs which link libpython."""

from collections.abc import Mapping

from factory.guests import program
from factory.recipe.model import ProgramsSpec
from factory.steps import SOURCE, Step, trial_python
from factory.tags import Interpreter


def program_steps(
    programs: ProgramsSpec, interpreter: Interpreter, env: Mapping[str, str], passed: Mapping[str, str], *, subdir: str
) -> tuple[Step, ...]:
    """Return a step for each of the recipe's commands, run by `sh -e` in the project's folder of the source.

    The interpreter says where its libpython is, and the command's loader looks there.
    """
    return tuple(
        Step(
            name="programs",
            argv=(str(trial_python(interpreter)), "-I", "-c", program("libpython.py"), line),
            env=env,
            phase="build",
            timeout_s=programs.timeout_s,
            cwd=SOURCE / subdir,
            passed=passed,
        )
        for line in programs.run
    )
