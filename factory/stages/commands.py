"""Commands and files as they enter keys."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from factory.codec import JSON
from factory.digest import Artifact, Digest
from factory.steps import Step

KeyedCommands: TypeAlias = tuple[Mapping[str, JSON], ...]
"""For each command its `argv`, `env` and `cwd`; and `passed`, where it has variables that may be secret."""


def commands_of(steps: Iterable[Step]) -> KeyedCommands:
    """Return what enters a key of some commands: all but their names and time limits."""
    return tuple(_command(step) for step in steps)


def digests_of(files: Iterable[Artifact]) -> tuple[Digest, ...]:
    """Return the digests of files in one order, whichever order the files came in."""
    return tuple(sorted(file.digest for file in files))


def _command(step: Step) -> Mapping[str, JSON]:
    """Return one command; of variables that may be secret, the digests, because the ledger is a file to be read."""
    command: dict[str, JSON] = {"argv": list(step.argv), "env": dict(step.env), "cwd": str(step.cwd)}
    if step.passed:
        command["passed"] = {name: str(Digest.of(value.encode())) for name, value in step.passed.items()}
    return command
