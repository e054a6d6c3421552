"""Resolve the requirements of a build or a trial, and keep their wheels in the store."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from factory.digest import Artifact
from factory.engine.api import StreamEntry
from factory.failure import Ended, Failure
from factory.memory import ASKS_THE_WORLD, Stage
from factory.resolve import Question, Resolution, Unresolved, download, resolve_requirements
from factory.sessions.services import Services
from factory.store import Store
from factory.tags import Interpreter, PlatformTag


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve(Stage[Resolution]):
    """Requirements and constraints, each sorted, for an interpreter on a platform, from these indexes."""

    NAME, VERSION, REDONE_BY = "resolve", 2, ASKS_THE_WORLD

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    interpreter: Interpreter
    platform: PlatformTag
    indexes: tuple[str, ...]


def resolved(services: Services, question: Question, subject: str) -> Resolution | Failure:
    """Resolve requirements, and bring every file of the answer into the store.

    The answer is reused until `--update`, or until a requirement or an index changes.
    """
    if not question.requirements:
        return Resolution(files=())

    def resolve() -> Resolution | Failure:
        store = services.memory.store
        with services.recorder.step(subject, "resolve") as mark, store.temp_folder() as folder:
            found = resolve_requirements(question, host=services.host, folder=folder)
            answer = (
                found
                if isinstance(found, Unresolved)
                else download(found, services.host, store, cancelled=services.memory.cancelled)
            )
            mark.outcome = "failed" if isinstance(answer, Unresolved) else "passed"
            return _failure(answer, services, subject) if isinstance(answer, Unresolved) else answer

    stage = Resolve(
        requirements=tuple(sorted(str(requirement) for requirement in question.requirements)),
        constraints=tuple(sorted(str(requirement) for requirement in question.constraints)),
        interpreter=question.interpreter,
        platform=question.platform,
        indexes=tuple(services.host.index_origins),
    )
    return services.memory.once(stage, resolve)[0]


def _failure(answer: Unresolved, services: Services, subject: str) -> Failure:
    ended: Ended = "lost" if answer.kind == "network" else "failed"
    log = services.session(subject).log("resolve", answer.log) if answer.log else ""
    return Failure(step="resolve", message=answer.sentence, ended=ended, log=log, hint=answer.hint)


def wheel_files(store: Store, artifacts: Iterable[Artifact]) -> Iterator[StreamEntry]:
    """Yield wheels of the store as files for a container; none is in memory as a whole."""
    for artifact in artifacts:
        pieces = store.pieces(artifact.digest)
        yield StreamEntry(path=PurePosixPath(artifact.filename), size_bytes=artifact.size_bytes, pieces=pieces)
