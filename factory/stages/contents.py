"""What a wheel holds, as a remembered fact: a wheel that nothing changed is not read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from factory.audit import Audit
from factory.audit.identity import ROOMS as GATE_ROOMS
from factory.audit.identity import code_identity
from factory.confined import Overrun
from factory.digest import Artifact, Digest
from factory.failure import Failure
from factory.memory import Memory, Stage
from factory.stages.reading import Contents, Readings
from factory.tags import Interpreter
from factory.trials.subjects import Wanted, waived_members

ROOMS: Final = (*GATE_ROOMS, "trials")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadContents(Stage[Contents]):
    """A wheel that passed, what the recipe waives of it and wants of each trial, and the code that reads it."""

    NAME, VERSION, IS_MATERIAL = "contents", 1, False

    wheel: Digest
    waived: frozenset[str]
    trials: Mapping[str, Wanted]
    code: Digest


def contents_of(
    memory: Memory, readings: Readings, wheel: Artifact, verdict: Audit, trials: Mapping[Interpreter, Wanted]
) -> Contents | Failure:
    """Return what loads and trials need to know about a wheel; `trials` is what the recipe says, by interpreter."""
    waived = waived_members(verdict)

    def read() -> Contents | Failure:
        held = readings.contents(wheel, waived, trials)
        if isinstance(held, Overrun):
            hint = "please report it, with the wheel"
            return Failure(step="load", message=f"reading the wheel {held.reason}", hint=hint)
        return held

    named = {str(interpreter): wanted for interpreter, wanted in trials.items()}
    stage = ReadContents(wheel=wheel.digest, waived=waived, trials=named, code=code_identity(ROOMS))
    return memory.once(stage, read)[0]
