"""Compare a wheel with that of the newest older release on the index, which is fetched once."""

from dataclasses import dataclass

from factory.comparison.changes import Comparison, written
from factory.comparison.counterpart import counterpart
from factory.confined import Overrun
from factory.digest import Artifact
from factory.errors import SourceError
from factory.excerpt import listed
from factory.failure import Failure
from factory.installable import supported_tags
from factory.memory import ASKS_THE_WORLD, Stage
from factory.plan.model import Cell
from factory.recipe.model import AgainstSpec, Recipe, SdistSource
from factory.sessions.services import Services
from factory.stages.reading import Readings
from factory.steps import StepName
from factory.tags import Interpreter, PlatformTag
from factory.untrusted import parse_wheel_name

_STEP: StepName = "compare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """The wheel of an older release that is nearest to a new one; None where the index has none."""

    wheel: Artifact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOlder(Stage[Older]):
    """A new wheel by its file name, and the indexes that this machine names."""

    NAME, VERSION, REDONE_BY = "older-wheel", 1, ASKS_THE_WORLD

    wheel: str
    indexes: tuple[str, ...]


def compared_with_older(
    services: Services, recipe: Recipe, cell: Cell, wheel: Artifact, readings: Readings
) -> Comparison | Failure | None:
    """Compare a wheel as the recipe asks; None where nothing is compared, or the index has nothing older.

    A comparison that the recipe's limits refuse is a Failure. What cannot be fetched or read is one, too, if the recipe
    asks for the comparison; if it is made by default, the run says so and goes on.
    """
    spec, say = _spec_of(recipe), services.recorder.progress(cell.address)
    if spec is None:
        return None
    compared = _compared(services, spec, cell, wheel, readings)
    if recipe.audit.against is None:
        if isinstance(compared, Failure):  # by default nothing is refused, so it could not be compared
            say(f"not compared with an older release: {compared.message}")
            return None
    elif compared is None:
        say("no older release on the index has a wheel to compare this with")
    return compared


def _spec_of(recipe: Recipe) -> AgainstSpec | None:
    """Return how a recipe's wheels are compared; by default only those of a source from the index.

    The name of another project may be a private one, which no index needs to see.
    """
    spec = recipe.audit.against
    if spec is None:
        return AgainstSpec() if isinstance(recipe.source, SdistSource) else None
    return spec if spec.compare else None


def _compared(
    services: Services, spec: AgainstSpec, cell: Cell, wheel: Artifact, readings: Readings
) -> Comparison | Failure | None:
    """Compare a wheel with the older one; None where the index has none."""
    try:
        older = _older(services, cell, wheel)
    except SourceError as error:
        return Failure(step=_STEP, message=f"the older release cannot be fetched: {error.message}", hint=error.hint)
    if older is None:
        return None
    with services.recorder.step(cell.address, _STEP) as mark:
        comparison = readings.compared(wheel, older)
        mark.outcome = "failed"
        if isinstance(comparison, Overrun | None):
            reason = "is no zip archive that can be read whole" if comparison is None else comparison.reason
            return Failure(step=_STEP, message=f"{older.filename} cannot be read: it {reason}")
        failure = refused(comparison, spec)
        if failure is None:
            mark.outcome = "passed"
        return failure or comparison


def older_wheel(
    services: Services, recipe: Recipe, cell: Cell, wheel: Artifact, interpreter: Interpreter
) -> Artifact | None:
    """Return the older wheel whose imports are measured beside one's, where it runs on an interpreter too.

    That takes time, so a recipe has to ask for the comparison.
    """
    platform, spec = cell.platform, recipe.audit.against
    if spec is None or not spec.compare or not isinstance(platform, PlatformTag):
        return None
    older = _older(services, cell, wheel)
    if older is None or not parse_wheel_name(older.filename)[3].intersection(supported_tags(interpreter, platform)):
        return None
    return older


def refused(comparison: Comparison, spec: AgainstSpec) -> Failure | None:
    """Say what a recipe does not accept of a comparison, the first thing that is lost first."""
    told = [f"{each.message}: {listed(each.subjects)}" for each in comparison.lost] if spec.lost == "error" else []
    if told:
        hint = "restore it, or accept it for this release: audit: {against: {lost: note}}"
        message = f"lacks what {comparison.old} has: {'; '.join(told)}"
        return Failure(step=_STEP, message=message, hint=hint, last_lines=tuple(told))
    if spec.most_growth is not None and comparison.growth > spec.most_growth:
        grown = tuple(each.message for each in comparison.differences if each.change == "size")
        sizes = f"{written(comparison.new_bytes)}, {written(comparison.old_bytes)} in {comparison.old}"
        message = f"has {sizes}: {comparison.growth:.0%} more, where {spec.most_growth:.0%} are allowed"
        hint = "see what grew with `factory compare`, or raise audit.against.size"
        return Failure(step=_STEP, message=message, hint=hint, last_lines=grown)
    return None


def _older(services: Services, cell: Cell, wheel: Artifact) -> Artifact | None:
    store = services.memory.store

    def fetch() -> Older:
        from factory.comparison.others import published  # noqa: PLC0415 -- reading indexes costs a start 0.6 s
        from factory.web.session import open_session  # noqa: PLC0415 -- as above

        name, version, _, _ = parse_wheel_name(wheel.filename)
        with (
            services.recorder.step(cell.address, _STEP) as mark,
            store.temp_folder() as folder,
            open_session(services.host) as session,
        ):
            mark.outcome = "failed"
            release = published(name, version, "older", host=services.host, folder=folder, session=session)
            nearest = None if release is None else counterpart(wheel.filename, release.names)
            older = None if release is None or nearest is None else store.put_file(release.path(nearest), nearest)
            mark.outcome = "passed"
            return Older(wheel=older)

    stage = FetchOlder(wheel=wheel.filename, indexes=tuple(services.host.index_origins))
    return services.memory.surely(stage, fetch).wheel
