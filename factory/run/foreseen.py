"""What a next run would make again of a cell, as far as it can be told without an engine and without a network."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import TypeAlias

from factory import codec
from factory.audit.identity import gate_identity
from factory.codec import JSON
from factory.digest import Digest
from factory.events.model import CellRecord
from factory.farm.cell import expected
from factory.farm.commands import BuildCommands
from factory.host import Host
from factory.memory import Material
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.stages.audit import Judge
from factory.stages.build import Build
from factory.stages.changes import FileNameOf, changes
from factory.stages.commands import commands_of
from factory.stages.pass_env import passed_variables
from factory.stages.resolve import Resolve
from factory.stages.versions import VERSIONS

DocumentOf: TypeAlias = Callable[[Material], Mapping[str, JSON] | None]
"""Returns the document of a result; None where the store has it no longer."""

UNKNOWN = (
    "not known before a run: whether images are still the same, what indexes offer and the backend's hook asks for, "
    "the options of the repair, and the commands of trials"
)
_GONE = "the store no longer has the result"
_IMAGES_PATH = "(the image's PATH)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What is known before a run, besides recipes: the tools' digest, this machine, the day, and what the store has."""

    tools: Digest
    host: Host
    today: date
    document_of: DocumentOf
    file_name: FileNameOf

    def told(self, planned: PlannedRecipe, cell: Cell, before: CellRecord) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the stages of a cell's last record whose documents would be others, each with what changed.

        `planned` has the cell's overrides applied.
        """
        trials = (material for trial in before.trials for material in trial.materials)
        for material in (*before.materials, *trials):
            old = self.document_of(material)
            if old is None:
                yield material.stage, (_GONE,)
            elif told := changes(old, self._renewed(old, material.stage, planned, cell), self.file_name):
                yield material.stage, told

    def _renewed(self, old: Mapping[str, JSON], stage: str, planned: PlannedRecipe, cell: Cell) -> Mapping[str, JSON]:
        """Return a document with everything in it that is known today."""
        inputs = old.get("inputs")
        if not isinstance(inputs, Mapping):
            return old
        known: dict[str, JSON] = {"tools": str(self.tools), "gate": str(gate_identity())}
        if inputs.get("source") is not None:  # A trial without the source has none.
            known["source"] = str(planned.tree.digest)
        match stage:
            case Build.NAME:
                known["commands"] = self._commands(inputs, planned, cell)
            case Judge.NAME:
                known |= self._expectation(inputs, planned, cell)
            case Resolve.NAME:
                known |= self._question(inputs, planned)
        renewed = {name: known.get(name, value) for name, value in inputs.items()}
        return {**old, "version": VERSIONS.get(stage, old.get("version")), "inputs": renewed}

    def _commands(self, inputs: Mapping[str, JSON], planned: PlannedRecipe, cell: Cell) -> JSON:
        """Return the build's commands; the image's part of their PATH is taken from the old ones."""
        commands = BuildCommands(
            planned=planned,
            cell=cell,
            interpreter=cell.builder.interpreter if cell.builder is not None else None,
            system=_IMAGES_PATH,
            passed=passed_variables(planned.recipe.build, self.host),
        )
        old = inputs.get("commands")
        before = old if isinstance(old, list) else []
        now = codec.dump(commands_of(commands.steps))
        pairs = zip_longest(now if isinstance(now, list) else [], before)
        return [_with_path(new, previous) for new, previous in pairs if new is not None]

    def _expectation(self, inputs: Mapping[str, JSON], planned: PlannedRecipe, cell: Cell) -> Mapping[str, JSON]:
        spec, old = planned.recipe.audit, inputs.get("expectation")
        is_raw = isinstance(old, Mapping) and old.get("stage") == "built"
        dated = any(waiver.until is not None for waiver in spec.waive)
        return {
            "expectation": codec.dump(expected(cell, spec, "built" if is_raw else "repaired")),
            "today": self.today.isoformat() if dated else None,
        }

    def _question(self, inputs: Mapping[str, JSON], planned: PlannedRecipe) -> Mapping[str, JSON]:
        """Return what is resolved: the static requirements, and what a hook asked for in addition as it was."""
        static = {*map(str, planned.project.build_system.requires), *map(str, planned.recipe.build.requires)}
        old = inputs.get("requirements")
        before = {str(text) for text in old} if isinstance(old, list) else set()
        asked = sorted(static | (before if before > static else set()))
        return {
            "requirements": list(asked),
            "constraints": sorted(map(str, planned.recipe.build.constraints)),
            "indexes": list(self.host.index_origins),
        }


def _with_path(new: JSON, old: JSON) -> JSON:
    env, before = _table(_table(new).get("env")), _table(_table(old).get("env"))
    path, previous = str(env.get("PATH", "")), str(before.get("PATH", ""))
    if not previous.startswith(path.removesuffix(_IMAGES_PATH)):
        return new
    return {**_table(new), "env": {**env, "PATH": previous}}


def _table(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}
