"""Build and run a recipe's programs on one interpreter."""

from dataclasses import replace

from factory.backends.environment import program_env
from factory.backends.hooks import before_steps
from factory.backends.programs import program_steps
from factory.digest import Digest
from factory.events.model import CellRecord
from factory.failure import Failure
from factory.farm.ending import ended
from factory.images.ready import ReadyImage
from factory.memory import Material
from factory.plan.model import Cell
from factory.plan.programs import program_project
from factory.planned import PlannedRecipe
from factory.sessions.services import Services
from factory.stages.crates import crates_of
from factory.stages.locks import made_locks
from factory.stages.pass_env import passed_variables
from factory.stages.programs import Programs
from factory.steps import Step
from factory.tags import ProgramTag


def run_programs(services: Services, planned: PlannedRecipe, cell: Cell, image: ReadyImage) -> CellRecord:
    """Do a cell's work in one container, which starts only if it is not remembered that the programs passed."""
    planned = replace(planned, project=program_project(planned.project))
    materials: dict[Digest, Material] = {}
    services = services.noting(lambda material: materials.setdefault(material.key, material))
    record = CellRecord(cell=cell, status="failed")
    crates = crates_of(services, planned, image)
    if isinstance(crates, Failure):
        return replace(record, status=crates.ended, failure=crates)
    record = replace(record, locks=made_locks(services, planned, cell.address, crates))
    with services.session(cell.address) as container:
        failure = Programs(
            services=services,
            planned=planned,
            image=image,
            container=container,
            crates=crates,
            steps=_steps(services, planned, cell, image),
        ).run()
        record = replace(record, status="passed" if failure is None else failure.ended, failure=failure)
        return ended(record, container, materials.values(), image, keep=services.keep)


def _steps(services: Services, planned: PlannedRecipe, cell: Cell, image: ReadyImage) -> tuple[Step, ...]:
    """Return the recipe's `before` lines, as before a build, and the commands of its programs."""
    recipe, subdir = planned.recipe, planned.recipe.source.subdir
    if recipe.programs is None or not isinstance(cell.product, ProgramTag):
        raise AssertionError(f"{cell.address} has no programs")
    interpreter = cell.product.interpreter
    env = program_env(recipe.build, planned.project, interpreter, epoch_s=planned.tree.epoch_s, system=image.path)
    passed = passed_variables(recipe.build, services.host)
    return (
        *before_steps(recipe.build, env, passed, subdir=subdir),
        *program_steps(recipe.programs, interpreter, env, passed, subdir=subdir),
    )
