"""Commands and files as they enter keys."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from factory.codec import JSON
from factory.digest import Artifact, Digest
from factory.steps import Step

KeyedCommands: TypeAlias = tuple[Mapping[str, JSON], ...]
"""For each command its `argv`, `env` and `cwd`; and `passed`, where it has variables that may be secret."""


def commands_of(steps: Iterable[Step]) -> KeyedCommands:
    """Return commands as keys hold them: without names and time limits, which do not change what a command makes."""
    return tuple(_command(step) for step in steps)


def digests_of(files: Iterable[Artifact]) -> tuple[Digest, ...]:
    """Return the digests of files, sorted, so that the order of the files does not change the key."""
    return tuple(sorted(file.digest for file in files))


def _command(step: Step) -> Mapping[str, JSON]:
    """Return one command; of values that may be secret it holds digests, because the ledger is plain text."""
    command: dict[str, JSON] = {"argv": list(step.argv), "env": dict(step.env), "cwd": str(step.cwd)}
    if step.passed:
        command["passed"] = {name: str(Digest.of(value.encode())) for name, value in step.passed.items()}
    return command
