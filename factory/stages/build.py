"""Build the raw wheel by the backend's hook, in the cell's container."""

from dataclasses import dataclass, field, replace

from factory.digest import Artifact, Digest
from factory.failure import Failure
from factory.memory import ABSENT, Stage
from factory.stages.bazel_cache import bazel_cache, keeps_cache, put_cache, take_cache
from factory.stages.cell_session import CellSession
from factory.stages.commands import KeyedCommands, commands_of, digests_of
from factory.stages.compiler_cache import objects_of
from factory.stages.crates import Crates
from factory.stages.origin import origin_of
from factory.stages.outcome import refuse_secrets, take_wheel
from factory.stages.prepare import Prepared
from factory.stages.target_folder import keeps_crates, run_with_crates
from factory.steps import BUILT, Step
from factory.tags import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class Build(Stage[Artifact]):
    """A source, built by these commands in an environment of these wheels; without an interpreter it is None.

    `project` is the origin of the project if the build may have begun with what an earlier one left: an edit may have
    spoilt that, so that no other project gets the wheel, even if its source is the same by now.
    """

    NAME, VERSION = "build", 3

    source: Digest
    image: Digest
    interpreter: Interpreter | None
    requirements: tuple[Digest, ...]
    crates: Crates | None
    tools: Digest
    commands: KeyedCommands
    project: Digest | None = field(default=None, metadata={ABSENT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A raw wheel and the key of its build; `is_here` is whether the cell's container holds what the build left.

    `unlike` is the wheel that an earlier run built of the same inputs, where this one was made anew and is another.
    """

    wheel: Artifact
    key: Digest
    is_here: bool
    unlike: Artifact | None = None


def build(
    session: CellSession, prepared: Prepared, steps: tuple[Step, ...], kind: type[Build] = Build
) -> Built | Failure:
    """Return the one wheel that the steps leave."""
    clean = kind(
        source=session.planned.tree.digest,
        image=session.image.identity,
        interpreter=session.interpreter,
        requirements=digests_of(prepared.files),
        crates=prepared.crates,
        tools=session.services.tools(session.image.machine).digest,
        commands=commands_of(steps),
    )
    memory, own = session.services.memory, replace(clean, project=_origin_of_kept(session, prepared))
    stage = own if _begins(session, prepared, clean, own) else clean
    earlier = (memory.remembered(own), memory.remembered(clean)) if memory.fresh else ()

    def work() -> Artifact | Failure:
        begins = stage.project is not None
        return run_build(session, prepared, steps, begins=begins) or take_wheel(session, BUILT, "build")

    outcome, from_store = memory.once(stage, work)
    # The run that remembered the wheel may have passed other secret values than this one; a new wheel was searched.
    wheel = refuse_secrets(session, outcome, "build") if from_store and isinstance(outcome, Artifact) else outcome
    if isinstance(wheel, Failure):
        return wheel
    unlike = (old for old in earlier if old is not None and old.digest != wheel.digest and not from_store)
    return Built(wheel=wheel, key=stage.key, is_here=not from_store, unlike=next(unlike, None))


def _begins(session: CellSession, prepared: Prepared, clean: Build, own: Build) -> bool:
    """Whether a wheel is, or was, built with what an earlier build left, and so belongs to its project alone."""
    memory = session.services.memory
    if memory.fresh or memory.recall(clean) is not None:
        return False
    if keeps_cache(session) or keeps_crates(session, prepared) or memory.recall(own) is not None:
        return own.project is not None
    objects = objects_of(session, prepared)
    return objects is not None and objects.are_kept


def _origin_of_kept(session: CellSession, prepared: Prepared) -> Digest | None:
    """Return the origin of the project; None where no build of it begins with what an earlier one left."""
    keeps = keeps_cache(session) or keeps_crates(session, prepared) or objects_of(session, prepared) is not None
    return origin_of(session.planned.recipe.source, session.services.host.index_origins) if keeps else None


def run_build(
    session: CellSession, prepared: Prepared, steps: tuple[Step, ...], *, begins: bool = False
) -> Failure | None:
    """Run the build's steps, and leave what they made in the container.

    `begins` is whether the image's compiler may begin with what it compiled for earlier builds of the project.
    """
    if (failure := session.equip(prepared.files, prepared.crates)) is not None:
        return failure
    if (cache := bazel_cache(session, prepared, steps)) is not None:
        put_cache(session, cache)
        if (failure := session.container.run_all(steps)) is None:
            take_cache(session, cache)
        return failure
    if (objects := objects_of(session, prepared)) is not None:
        return objects.run(steps, begins=begins)
    return run_with_crates(session, prepared, steps)
