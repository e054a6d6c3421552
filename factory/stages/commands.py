"""Commands as they enter keys."""

from collections.abc import Iterable

from factory.codec import JSON
from factory.digest import Digest
from factory.steps import Step


def commands_of(steps: Iterable[Step]) -> list[JSON]:
    """Return what enters a key of some commands: all but their names and time limits."""
    return [_command(step) for step in steps]


def _command(step: Step) -> JSON:
    """Return one command; of variables that may be secret, the digests, because the ledger is a file to be read."""
    command: dict[str, JSON] = {"argv": list(step.argv), "env": dict(step.env), "cwd": str(step.cwd)}
    if step.passed:
        command["passed"] = {name: str(Digest.of(value.encode())) for name, value in step.passed.items()}
    return command
