"""What Bazel keeps for the next build of the same project: put in before a build, and taken out after it."""

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from factory.digest import Artifact, Digest, chunks
from factory.engine import tarstream
from factory.errors import FactoryError
from factory.memory import Stage
from factory.stages.cell_session import CellSession
from factory.stages.commands import KeyedCommands, commands_of, digests_of
from factory.stages.crates import Crates
from factory.stages.kept_archive import EPOCH, LIMIT_BYTES, lacking, packed, replace_kept
from factory.stages.origin import origin_of
from factory.stages.prepare import Prepared
from factory.steps import BAZEL_CACHE, Step
from factory.tags import Interpreter

_READ_BYTES = 2 * LIMIT_BYTES
_FILE = "bazel-cache.tar"
_FOLDER = PurePosixPath("cache")


@dataclass(frozen=True, slots=True, kw_only=True)
class BazelCache(Stage[Artifact]):
    """What the last build of a project left, for the next whose source alone may differ; no result depends on it.

    Bazel compares what its rules read and are told. It knows nothing of the image, the interpreter and what else lies
    outside of its workspace, so that builds which have others do not share a cache.
    """

    NAME, VERSION = "bazel-cache", 1

    project: Digest
    image: Digest
    interpreter: Interpreter | None
    requirements: tuple[Digest, ...]
    crates: Crates | None
    tools: Digest
    commands: KeyedCommands


def keeps_cache(session: CellSession) -> bool:
    """Whether builds of a project keep Bazel's cache: what may hold values that a build is passed is not kept."""
    return session.planned.recipe.build.bazel is not None and not session.passed


def bazel_cache(session: CellSession, prepared: Prepared, steps: tuple[Step, ...]) -> BazelCache | None:
    """Return which cache a build may use; None where none is kept."""
    if not keeps_cache(session):
        return None
    return BazelCache(
        project=origin_of(session.planned.recipe.source, session.services.host.index_origins),
        image=session.image.identity,
        interpreter=session.interpreter,
        requirements=digests_of(prepared.files),
        crates=prepared.crates,
        tools=session.services.tools(session.image.machine).digest,
        commands=commands_of(replace(step, env=lacking(step.env, EPOCH)) for step in steps),
    )


def put_cache(session: CellSession, cache: BazelCache) -> None:
    """Put what the last build left into the container, unless the run makes everything anew."""
    memory = session.services.memory
    with memory.alone(cache.NAME, cache.key):
        if (kept := memory.recall(cache)) is None:
            return
        _say(session, f"Bazel begins with what its last build left: {kept.size_bytes / 1e6:.1f} MB")
        with memory.store.open_blob(kept.digest) as tar:
            session.container.put(tarstream.regular_files(chunks(tar), limit_bytes=_READ_BYTES), BAZEL_CACHE)


def take_cache(session: CellSession, cache: BazelCache) -> None:
    """Keep what a build leaves in place of what an earlier one did; where it is too much, that one's stays."""
    memory, store = session.services.memory, session.services.memory.store
    files = session.container.container.stream_out(BAZEL_CACHE, limit_bytes=LIMIT_BYTES)
    with memory.alone(cache.NAME, cache.key):
        old = memory.recall(cache)
        made = packed(store, cache.key, files, _FOLDER, _FILE)
        if isinstance(made, FactoryError):
            _say(session, f"Bazel's cache is not kept: {made.message}; --no-cache begins a new one")
            return
        memory.keep(cache, made)
        replace_kept(store, old, made)


def _say(session: CellSession, text: str) -> None:
    session.services.recorder.progress(session.cell.address)(text)
