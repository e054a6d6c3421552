"""Find and fetch what a build needs before it starts: the wheels of its environment, and its crates."""

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement

from factory.backends.hooks import hook_step
from factory.catalogue import BAZEL
from factory.digest import Artifact, Digest
from factory.failure import Failure
from factory.memory import Stage
from factory.redaction import Search
from factory.resolve import Question, Resolution
from factory.sessions.session import Session
from factory.stages.cell_session import CellSession
from factory.stages.commands import KeyedCommands, commands_of, digests_of
from factory.stages.crates import Crates, crates_of
from factory.stages.maturin import maturin_of
from factory.stages.resolve import resolved
from factory.steps import BUILT
from factory.tags import Interpreter
from factory.untrusted import UntrustedTextError, excerpt, parse_json, parse_requirement

_REQUIRES_LIMIT_BYTES = 1 << 20
_HOOK_TIMEOUT_S = 300
_MOST_REQUIREMENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What goes into a build beside its source: every wheel of its environment, and its crates if it has any."""

    files: tuple[Artifact, ...]
    crates: Crates | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """What the backend's hook asked for beyond the static requirements."""

    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare(Stage[Dynamic]):
    """The call of the backend's requirements hook, in an environment of the static requirements."""

    NAME, VERSION = "prepare", 3

    source: Digest
    image: Digest
    interpreter: Interpreter
    requirements: tuple[Digest, ...]
    commands: KeyedCommands
    tools: Digest


def prepare(session: CellSession, settings: Mapping[str, str | list[str]]) -> Prepared | Failure:
    """Resolve the static requirements, fetch the crates, ask the backend what else it needs, and resolve that, too."""
    build, project = session.planned.recipe.build, session.planned.project
    static = _resolved(session, (*project.build_system.requires, *build.requires))
    if isinstance(static, Failure):
        return static
    crates = crates_of(session.services, session.planned, session.image)
    if isinstance(crates, Failure):
        return crates
    if session.interpreter is None:
        maturin = maturin_of(static.files)  # No hook is called: it would run in an interpreter.
        return maturin if isinstance(maturin, Failure) else Prepared(files=(maturin,), crates=crates)
    if project.backend == BAZEL:
        return Prepared(files=static.files, crates=crates)  # Bazel has no hook that could ask for more.
    asked = _dynamic(session, session.interpreter, static, crates, settings)
    if isinstance(asked, Failure):
        return asked
    # All together once more: what the hook asks for may rule out a version that was chosen without it.
    dynamic = _resolved(session, (*project.build_system.requires, *build.requires, *asked)) if asked else static
    if isinstance(dynamic, Failure):
        return dynamic
    return Prepared(files=dynamic.files, crates=crates)


def _resolved(session: CellSession, requirements: tuple[Requirement, ...]) -> Resolution | Failure:
    question = Question(
        requirements=requirements,
        constraints=session.planned.recipe.build.constraints,
        interpreter=session.resolved_for,
        platform=session.image.facts.platform,
    )
    return resolved(session.services, question, session.cell.address, session.build_sdist)


def _dynamic(
    session: CellSession,
    interpreter: Interpreter,
    static: Resolution,
    crates: Crates | None,
    settings: Mapping[str, str | list[str]],
) -> tuple[Requirement, ...] | Failure:
    subdir = session.planned.recipe.source.subdir
    step = hook_step(
        "requires",
        session.planned.project,
        settings,
        session.env,
        session.passed,
        subdir=subdir,
        timeout_s=_HOOK_TIMEOUT_S,
    )

    def ask() -> Dynamic | Failure:
        failure = session.equip(static.files, crates)
        if failure is not None:
            return failure
        ended = session.container.run(step)
        asked = ended if isinstance(ended, Failure) else _read_requires(session.container, session.passed)
        return asked if isinstance(asked, Failure) else session.renew_source() or asked

    stage = Prepare(
        source=session.planned.tree.digest,
        image=session.image.identity,
        interpreter=interpreter,
        requirements=digests_of(static.files),
        commands=commands_of((step,)),
        tools=session.services.tools(session.image.machine).digest,
    )
    outcome, _ = session.services.memory.once(stage, ask)
    return outcome if isinstance(outcome, Failure) else outcome.requirements


def _read_requires(session: Session, passed: Mapping[str, str]) -> Dynamic | Failure:
    """Read what the hook asked for. It must hold no passed value, because the package index gets to see it."""
    taken = session.take(BUILT / "requires.json", "requirements", limit_bytes=_REQUIRES_LIMIT_BYTES)
    if isinstance(taken, Failure):
        return taken
    if len(taken) != 1:
        return Failure(step="requirements", message=f"the backend's hook left {len(taken)} files; one was expected")
    try:
        asked = parse_requires(taken[0].content)
    except UntrustedTextError as error:
        return Failure(step="requirements", message=f"the answer of the backend's requirements hook {error}")
    # The line ends keep a value from being found across two requirements that do not hold it.
    if name := Search.of(passed).first_in(f"{requirement}\n".encode() for requirement in asked):
        return Failure(step="requirements", message=f"the backend asked for what holds the value of {name}")
    return Dynamic(requirements=asked)


def parse_requires(content: bytes) -> tuple[Requirement, ...]:
    """Read what a backend's requirements hook asked for: a list of requirements, as JSON.

    Raises:
        UntrustedTextError: the content is something else.
    """
    texts = parse_json(content)
    if not isinstance(texts, list) or len(texts) > _MOST_REQUIREMENTS:
        raise UntrustedTextError(f"is not a list of at most {_MOST_REQUIREMENTS} requirements")
    return tuple(_requirement(text) for text in texts)


def _requirement(text: object) -> Requirement:
    if not isinstance(text, str):
        raise UntrustedTextError("has an item that is not text")
    try:
        return parse_requirement(text)
    except UntrustedTextError as error:
        raise UntrustedTextError(f"holds {excerpt(text)}, which {error}") from error
