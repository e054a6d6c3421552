"""Plan recipes: fetch each source once, read it without running it, and plan its cells."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from factory.backends.settings import config_settings
from factory.confined import Reader
from factory.errors import FactoryError, ImageError, InternalError, PlanError, SourceError, is_of_one_recipe
from factory.events.model import Planned, Progress, RecipeFailed
from factory.events.recorder import Recorder
from factory.host import Host
from factory.image_facts import ImageFacts
from factory.images.known import specs
from factory.images.named import remembered
from factory.images.offer import Offer, Registries
from factory.images.on_demand import offered
from factory.images.ready import ReadyImage
from factory.memory import Memory
from factory.plan.model import Plan
from factory.plan.planner import plan
from factory.plan.selection import recipe_for, refuse_nothing
from factory.plan.toolchain import brought_rusts
from factory.planned import PlannedRecipe
from factory.project.metadata import Metadata
from factory.project.model import Project
from factory.project.rust import Choices
from factory.recipe.model import Recipe
from factory.recipe.parse import Loaded
from factory.redaction import redact
from factory.run.options import Options, Selection
from factory.run.wider import refuse_beyond
from factory.sessions.sources import SourceServices
from factory.stages.pass_env import require_allowed, require_passed, shown_values
from factory.stages.source import tree_of
from factory.stages.tree import project_of
from factory.unexpected import internal_errors
from factory.untrusted import parse_specifiers

MakeImage = Callable[[str], ReadyImage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans the recipes of a run before any work, and records the plans and failures."""

    memory: Memory
    host: Host
    reader: Reader
    recorder: Recorder
    options: Options

    def plan_all(self, recipes: Loaded, make_image: MakeImage, registries: Registries) -> list[PlannedRecipe]:
        """Plan every recipe; images that only a recipe names are made ready by `make_image`.

        Raises:
            FactoryError: a recipe's source or plan is at fault; with `keep_going`, one that stops all recipes.
        """
        planned_recipes, listed = [], specs(self.host.image_lock)
        for recipe in recipes.recipes:
            try:
                with internal_errors():
                    offer = registries.offer(self.options.selection.families, listed, recipe)
                    planned = self._planned(recipe, make_image, offer)
            except FactoryError as error:
                bad = self._logged(recipe, error) if isinstance(error, InternalError) else error
                if not (self.options.keep_going and is_of_one_recipe(error)):
                    raise bad from error
                self.fail(recipe.name, bad)
                continue
            planned_recipes.append(planned)
            self.recorder.emit(Planned(plan=planned.plan))
            for text in (*map(str, planned.plan.chosen), *brought_rusts(planned.plan.cells)):
                self.recorder.emit(Progress(subject=recipe.name, text=text))
        if planned_recipes:
            refuse_nothing([planned.plan for planned in planned_recipes])
        return planned_recipes

    def fail(self, recipe: str, error: FactoryError) -> None:
        """Record that a recipe failed, by its name."""
        self.recorder.emit(
            RecipeFailed(recipe=recipe, message=error.message, hint=error.hint, exit_code=error.exit_code)
        )

    def _planned(self, recipe: Recipe, make_image: MakeImage, offer: Offer) -> PlannedRecipe:
        require_allowed(recipe, self.host, "build")
        named = self._named(recipe, make_image)
        subject = f"source:{recipe.name}"
        with self.recorder.step(subject, "source") as mark:
            mark.outcome = "failed"
            progress = self.recorder.progress(subject)
            services = SourceServices(memory=self.memory, host=self.host, reader=self.reader, say=progress)
            planned = plan_recipe(recipe, services, offer.with_images(named), self.options.selection)
            passed = require_passed(planned, self.host)
            self.recorder.conceal(passed.values())  # Before anything of the recipe runs that could print them.
            if shown := shown_values(passed):
                progress(shown)
            mark.outcome = "passed"
            return planned

    def _named(self, recipe: Recipe, make_image: MakeImage) -> list[ImageFacts]:
        """Return the facts of the images that a recipe names itself, each pulled and probed the first time."""
        facts = []
        for pin in recipe.images.values():
            if (known := remembered(pin, self.memory)) is None:
                with self.recorder.step(f"image:{pin.reference}", "image") as mark:
                    mark.outcome = "failed"
                    known = make_image(pin.reference).facts
                    mark.outcome = "passed"
            facts.append(known)
        return facts

    def _logged(self, recipe: Recipe, error: InternalError) -> InternalError:
        text = redact(error.traceback, self.host.secrets)
        log = self.recorder.log(f"source:{recipe.name}", "internal-error", text)
        return error.of(recipe.file).logged(self.recorder.folder / log)


def plan_recipe(recipe: Recipe, services: SourceServices, offer: Offer, selection: Selection) -> PlannedRecipe:
    """Fetch a recipe's source, read its project, and plan it; a long download reports its progress.

    Raises:
        SourceError: the source cannot be fetched or read.
        PlanError: something that the recipe names does not exist or is impossible.
        ImageError: no image can build for a platform that the recipe asks for.
    """
    try:
        return _planned(recipe, services, offer, selection)
    except (SourceError, PlanError, ImageError) as error:
        raise error.of(recipe.file) from error


def _stated_metadata(recipe: Recipe) -> Metadata | None:
    """Return what a recipe states of a project of Bazel, whose files state nothing."""
    bazel = recipe.build.bazel
    if bazel is None:
        return None
    return Metadata(
        name=recipe.name,
        version=bazel.version,
        requires_python=parse_specifiers(bazel.requires_python),
        dependencies=bazel.dependencies,
    )


def _planned(recipe: Recipe, services: SourceServices, offer: Offer, selection: Selection) -> PlannedRecipe:
    tree, notes = tree_of(recipe, services)
    build = recipe.build
    choices = Choices(
        backend=build.backend,
        manifest=build.manifest,
        program_manifest=None if recipe.programs is None else recipe.programs.manifest,
        features=build.features,
        default_features=build.default_features,
        metadata=_stated_metadata(recipe),
    )
    project = project_of(services.memory, tree, recipe.source.subdir, choices)
    refuse_beyond(recipe, project)
    images = tuple(offered(image, services.host) for image in offer.images)
    planned = _planned_with(replace(offer, images=images), recipe, project, selection)
    for cell in planned.cells:  # Settings that the backend does not have are refused here, before any work.
        if cell.makes_wheel:
            config_settings(recipe_for(recipe, cell.id).build, project, cell.floor)
    return PlannedRecipe(
        recipe=recipe, tree=tree, project=project, plan=replace(planned, notes=(*notes, *planned.notes))
    )


def _planned_with(offer: Offer, recipe: Recipe, project: Project, selection: Selection) -> Plan:
    """Plan with official images where they are offered, and without them where they do not fit the recipe.

    Raises:
        PlanError, ImageError: with the images that are made here it cannot be planned, either.
    """

    def planned(images: Offer) -> Plan:
        answer = plan(
            recipe,
            project,
            images.images,
            families=images.families,
            machine=images.machine,
            today=selection.today,
            only=selection.only,
            skip=selection.skip,
        )
        return images.explained(answer)

    try:
        return planned(offer)
    except (PlanError, ImageError) as error:
        if not offer.has_official:
            raise
        return planned(offer.without_official(f"with official images {error.message}"))
