"""How a recipe's tests run in threads: by pytest-run-parallel where they use pytest, else by a program of ours."""

import json
import re
from collections.abc import Sequence
from typing import Final

from packaging.requirements import Requirement

from factory.guests import program
from factory.recipe.model import TestSpec
from factory.steps import WORK
from factory.tags import Interpreter

_PYTEST = re.compile(r"(?<![\w.-])(?:pytest|py\.test)(?![\w./-])")
_RUN_PARALLEL: Final = Requirement("pytest-run-parallel>=0.5")
"""The plugin; from this version on it says which tests ran in parallel, and why others did not."""

FOLDER = WORK / "threads"
"""Where the tests run in threads, apart from what they left behind before."""


def plugins_of(test: TestSpec) -> tuple[Requirement, ...]:
    """Return what has to be installed so that a recipe's tests run in threads."""
    return (_RUN_PARALLEL,) if test.threads is not None and _uses_pytest(test) else ()


def threads_request(test: TestSpec, script: str, modules: Sequence[str], interpreter: Interpreter) -> tuple[str, str]:
    """Return the program that runs a script in threads, and what it is told."""
    may_switch = test.gil is not None and interpreter.free_threaded
    order = {
        "folder": str(FOLDER),
        "threads": test.threads,
        "pytest": _uses_pytest(test),
        "options": ["--ignore-gil-enabled"] if may_switch else [],
        "modules": list(modules),
        "script": script,
        "threaded": program("threaded.py"),
    }
    return program("threads.py"), json.dumps(order, sort_keys=True)


def _uses_pytest(test: TestSpec) -> bool:
    return any(_PYTEST.search(line) for line in test.run)
