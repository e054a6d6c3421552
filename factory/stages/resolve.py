"""Resolve the requirements of a build or a trial, and keep their wheels in the store."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from factory.digest import Artifact, Digest
from factory.engine.api import StreamEntry
from factory.failure import Ended, Failure
from factory.memory import ABSENT, ASKS_THE_WORLD, Stage
from factory.resolve import (
    Offered,
    Question,
    Release,
    Resolution,
    Unresolved,
    download,
    resolve_requirements,
)
from factory.sessions.services import Services
from factory.stages.commands import digests_of
from factory.stages.reading import Readings
from factory.store import Store
from factory.tags import Interpreter, PlatformTag

BuildSdist = Callable[[Release], Artifact | Failure]
"""What builds the wheel of a release that the indexes have only as an sdist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve(Stage[Resolution]):
    """Requirements and constraints, each sorted, for an interpreter on a platform, from these indexes.

    `wheels` are those that were built of releases which the indexes have only as sdists. `oldest` asks for the oldest
    versions that the requirements allow.
    """

    NAME, VERSION, REDONE_BY = "resolve", 2, ASKS_THE_WORLD

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    interpreter: Interpreter
    platform: PlatformTag
    indexes: tuple[str, ...]
    wheels: tuple[Digest, ...] | None = field(default=None, metadata={ABSENT: True})
    oldest: bool = field(default=False, metadata={ABSENT: True})


def resolved(services: Services, question: Question, subject: str, build: BuildSdist) -> Resolution | Failure:
    """Resolve requirements, and bring every file of the answer into the store.

    What the indexes have only as an sdist is built by `build`. The answer is reused until `--update`, or until a
    requirement or an index changes.
    """
    if not question.requirements:
        return Resolution(files=())
    wheels: tuple[Artifact, ...] = ()
    while True:
        answer = _answer(services, question, subject, wheels)
        if isinstance(answer, Failure) or answer.sdists is None:
            return answer
        for release in answer.sdists:
            if isinstance(wheel := build(release), Failure):
                return wheel
            wheels = (*wheels, wheel)


def _answer(services: Services, question: Question, subject: str, wheels: tuple[Artifact, ...]) -> Resolution | Failure:
    """Resolve requirements with the wheels that were built so far."""

    def resolve() -> Resolution | Failure:
        with services.recorder.step(subject, "resolve") as mark:
            answer = _asked(services, question, wheels)
            mark.outcome = "failed" if isinstance(answer, Unresolved) else "passed"
            return _failure(answer, services, subject) if isinstance(answer, Unresolved) else answer

    stage = Resolve(
        requirements=tuple(sorted(str(requirement) for requirement in question.requirements)),
        constraints=tuple(sorted(str(requirement) for requirement in question.constraints)),
        interpreter=question.interpreter,
        platform=question.platform,
        indexes=tuple(services.host.index_origins),
        wheels=digests_of(wheels) or None,
        oldest=question.oldest,
    )
    return services.memory.once(stage, resolve)[0]


def _asked(services: Services, question: Question, wheels: Iterable[Artifact]) -> Resolution | Unresolved:
    """Ask the indexes, and choose the sdists to build where they have no wheels."""
    memory, host, offered = services.memory, services.host, list[Offered]()
    readings = Readings(store=memory.store, reader=services.reader)
    for wheel in wheels:
        text = readings.metadata(wheel)
        if text is None:
            return Unresolved(kind="refused", sentence=f"{wheel.filename} has no METADATA that can be read")
        offered.append(Offered(file=wheel, metadata=text))
    question = replace(question, offered=tuple(offered))
    with memory.store.temp_folder() as folder:
        found = resolve_requirements(question, host=host, folder=folder)
        if isinstance(found, Unresolved) and found.lacking:
            from factory.resolve.sdists import choose_sdists  # noqa: PLC0415 -- reading indexes costs a start 0.2 s

            sdists = choose_sdists(question, found.lacking, host=host, folder=folder)
            return sdists if isinstance(sdists, Unresolved) else Resolution(files=(), sdists=sdists)
    return found if isinstance(found, Unresolved) else download(found, host, memory.store, cancelled=memory.cancelled)


def _failure(answer: Unresolved, services: Services, subject: str) -> Failure:
    ended: Ended = "lost" if answer.kind == "network" else "failed"
    log = services.session(subject).log("resolve", answer.log) if answer.log else ""
    return Failure(step="resolve", message=answer.sentence, ended=ended, log=log, hint=answer.hint)


def wheel_files(store: Store, artifacts: Iterable[Artifact]) -> Iterator[StreamEntry]:
    """Yield wheels of the store as files for a container; none is in memory as a whole."""
    for artifact in artifacts:
        pieces = store.pieces(artifact.digest)
        yield StreamEntry(path=PurePosixPath(artifact.filename), size_bytes=artifact.size_bytes, pieces=pieces)
