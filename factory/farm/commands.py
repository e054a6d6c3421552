"""The commands that build a cell's wheel, and their environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from factory.backends.bazel import bazel_step
from factory.backends.environment import build_env
from factory.backends.hooks import before_steps, hook_step
from factory.backends.maturin import steps_without_interpreter
from factory.backends.mingw import dlltool_step
from factory.backends.settings import config_settings
from factory.backends.zig import headers_step
from factory.plan.model import Cell
from factory.planned import PlannedRecipe
from factory.steps import Step
from factory.tags import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCommands:
    """What builds a cell, by an interpreter of the image whose PATH is `system`; `passed` are the recipe's variables.

    `planned` has the cell's overrides applied.
    """

    planned: PlannedRecipe
    cell: Cell
    interpreter: Interpreter | None
    system: str
    passed: Mapping[str, str]

    @property
    def env(self) -> Mapping[str, str]:
        """The whole environment of every command, but for what is passed."""
        return build_env(
            self.planned.recipe.build,
            self.planned.project,
            self.interpreter,
            epoch_s=self.planned.tree.epoch_s,
            system=self.system,
            zig_for=self.cell.zigs_platform,
            machine=self.cell.machine,
            mingw_for=self.cell.mingws_platform,
        )

    @property
    def settings(self) -> Mapping[str, str | list[str]]:
        """The settings that the backend's hooks are given."""
        cross = self.interpreter if self.cell.is_foreign else None
        return config_settings(self.planned.recipe.build, self.planned.project, self.cell.floor, cross=cross)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The commands that make the wheel, in their order."""
        recipe, project, env = self.planned.recipe, self.planned.project, self.env
        subdir, timeout_s = recipe.source.subdir, recipe.build.timeout_s
        before = before_steps(recipe.build, env, self.passed, subdir=subdir)
        if self.cell.mingws_platform is not None:
            before = (dlltool_step(env), *before)
        if (zigs := self.cell.zigs_platform) is not None and self.interpreter is not None:
            headers = headers_step(zigs, self.interpreter, env, self.cell.machine)
            before = before if headers is None else (headers, *before)
        if self.interpreter is None:
            built = steps_without_interpreter(self.settings, env, self.passed, subdir=subdir, timeout_s=timeout_s)
            return (*before, *built)
        if (bazel := recipe.build.bazel) is not None:
            return (*before, bazel_step(recipe.build, bazel, self.cell, env, self.passed, subdir=subdir))
        hook = hook_step("wheel", project, self.settings, env, self.passed, subdir=subdir, timeout_s=timeout_s)
        return (*before, hook)
