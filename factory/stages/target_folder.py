"""What cargo compiled for one build, for the next of the same project: put in before it, and taken out after it.

A cell begins with what its own last build left. Without that it begins with what another cell of the project left,
but for what may depend on the interpreter; and while one cell compiles that, the others wait for it.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import assert_never

from packaging.utils import NormalizedName

from factory.digest import Artifact, Digest, chunks
from factory.engine import tarstream
from factory.engine.api import Exit, FileEntry, LinkEntry, StreamEntry, TreeEntry
from factory.errors import FactoryError
from factory.failure import Failure
from factory.guests import program
from factory.memory import Stage
from factory.stages.cell_session import CellSession
from factory.stages.commands import KeyedCommands, commands_of, digests_of
from factory.stages.compiled import Compiled, compiled_in
from factory.stages.kept_archive import EPOCH, LIMIT_BYTES, lacking, open_kept, packed, replace_kept
from factory.stages.locked import LockedCrate, by_python, digest_of, locked, outside, vendored, with_dependents
from factory.stages.origin import origin_of
from factory.stages.prepare import Prepared
from factory.steps import CARGO_HOME, TARGET, Step
from factory.tags import Interpreter
from factory.untrusted import UntrustedTextError, parse_wheel_name

_READ_BYTES = 4 << 30
_FILE = "compiled-crates.tar"
_FOLDER = PurePosixPath("target")
_SEARCH_S = 120
_SOURCES = (CARGO_HOME / "registry/src", CARGO_HOME / "git/checkouts")
_PYTHON, _TARGET = "PYO3_PYTHON", "CARGO_TARGET_DIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An archive of what cargo compiled; `by_python` are the crates that may be others for another interpreter."""

    file: Artifact
    by_python: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCrates(Stage[Kept]):
    """What a build of a project compiled, for its builds by other interpreters; no result depends on it.

    `crates` is the digest of what the locks name outside of the source, and of the source's files that decide what
    that is. Of `requirements`, those for one interpreter alone are left out.
    """

    NAME, VERSION = "shared-crates", 1

    distribution: NormalizedName
    project: Digest
    image: Digest
    requirements: tuple[Digest, ...]
    crates: Digest
    tools: Digest
    commands: KeyedCommands


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCrates(Stage[Kept]):
    """What the last build of a cell compiled, for its next, whose source alone may differ; no result depends on it."""

    NAME, VERSION = "cell-crates", 1

    distribution: NormalizedName
    project: Digest
    image: Digest
    interpreter: Interpreter | None
    requirements: tuple[Digest, ...]
    crates: Digest
    tools: Digest
    commands: KeyedCommands


def run_with_crates(session: CellSession, prepared: Prepared, steps: tuple[Step, ...]) -> Failure | None:
    """Run a build's steps, beginning with what cargo compiled before, and keep what it has compiled then."""
    folder = _folder_of(session, prepared, steps)
    return session.container.run_all(steps) if folder is None else folder.run(steps)


def keeps_crates(session: CellSession, prepared: Prepared) -> bool:
    """Whether builds of a project keep what cargo compiles.

    They do not where cargo compiles nothing or elsewhere, and where they are passed values that may be secret: what is
    compiled may hold them.
    """
    return prepared.crates is not None and not session.passed and session.env.get(_TARGET) == str(TARGET)


def _folder_of(session: CellSession, prepared: Prepared, steps: tuple[Step, ...]) -> "_TargetFolder | None":
    """Return which crates a build may begin with; None where none are kept."""
    if prepared.crates is None or not keeps_crates(session, prepared):
        return None
    store, tree = session.services.memory.store, session.planned.tree
    crates = tuple(crate for lock in prepared.crates.locks for crate in locked(store.read(lock.file.digest)))
    project = session.planned.project
    shared = SharedCrates(
        distribution=project.name,
        project=origin_of(session.planned.recipe.source, session.services.host.index_origins),
        image=session.image.identity,
        requirements=digests_of(file for file in prepared.files if _is_for_all(file)),
        crates=digest_of(tree, crates),
        tools=session.services.tools(session.image.machine).digest,
        commands=_commands(steps, EPOCH, _PYTHON),
    )
    own = CellCrates(
        distribution=project.name,
        project=shared.project,
        image=shared.image,
        interpreter=session.interpreter,
        requirements=digests_of(prepared.files),
        crates=shared.crates,
        tools=shared.tools,
        commands=_commands(steps, EPOCH),
    )
    # Of vendored crates it is not searched which depend on Python, and without an interpreter there is no other one.
    is_shared = session.interpreter is not None and not vendored(tree)
    return _TargetFolder(session=session, own=own, shared=shared if is_shared else None, crates=crates)


def _commands(steps: tuple[Step, ...], *without: str) -> KeyedCommands:
    return commands_of(replace(step, env=lacking(step.env, *without)) for step in steps)


def _is_for_all(wheel: Artifact) -> bool:
    """Whether a wheel is for all interpreters."""
    try:
        _, _, _, tags = parse_wheel_name(wheel.filename)
    except UntrustedTextError:
        return False
    return any(tag.interpreter == "py3" for tag in tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TargetFolder:
    """The target folder of one build: the stages under which it is kept, and the crates of its locks."""

    session: CellSession
    own: CellCrates
    shared: SharedCrates | None
    crates: tuple[LockedCrate, ...]

    def run(self, steps: tuple[Step, ...]) -> Failure | None:
        memory, before = self.session.services.memory, None
        with ExitStack() as alone:
            if not memory.fresh and (before := self._put(self.own, "its last build")) is None:
                before = self._put_shared(alone)
            failure = self.session.container.run_all(steps)
            if (failure is None or failure.ended == "failed") and self._has_more(before):
                self._keep()
        return failure

    def _put_shared(self, alone: ExitStack) -> Kept | None:
        """Begin with what another cell compiled. Where that is nothing, hold the key until this one has compiled it."""
        if self.shared is None:
            return None
        memory, say = self.session.services.memory, self._say
        alone.enter_context(memory.alone(self.shared.NAME, self.shared.key, on_wait=say))
        kept = self._put(self.shared, "a build of another interpreter")
        if kept is not None:
            alone.close()
        elif len(self.session.planned.plan.cells) > 1:
            self.session.container.compile_jobs = lambda: None  # All processors: what would share them waits for it.
        return kept

    def _put(self, stage: Stage[Kept], whose: str) -> Kept | None:
        """Put into the container what a build left, where there is any; what is damaged is left alone."""
        services = self.session.services
        kept = services.memory.recall(stage)
        if kept is None:
            return None
        if (tar := open_kept(services.memory.store, kept.file, f"what {whose} compiled", self._say)) is None:
            return None
        crates = outside(self.crates) - (frozenset() if stage is self.own else frozenset(kept.by_python))
        self._say(f"cargo begins with the crates that {whose} compiled: {kept.file.size_bytes / 1e6:.1f} MB")
        with tar, services.recorder.step(self.session.cell.address, "kept-crates") as mark:
            files = tarstream.entries(chunks(tar), limit_bytes=_READ_BYTES)
            self.session.container.put(Compiled(crates=crates).of(files), TARGET)
            mark.outcome = "passed"
        return kept

    def _has_more(self, before: Kept | None) -> bool:
        """Whether more was compiled than the source's own crates, as far as cargo tells."""
        if before is None or before != self.session.services.memory.remembered(self.own):
            return True
        compiled = compiled_in(self.session.container.last_output)
        return compiled is None or not compiled.isdisjoint(outside(self.crates))

    def _keep(self) -> None:
        """Keep what was compiled in the place of what an earlier build left; where it is too much, that one's stays."""
        memory = self.session.services.memory
        with self.session.services.recorder.step(self.session.cell.address, "kept-crates") as mark:
            kept = self._taken()
            mark.outcome = "passed"
        if kept is None:
            return
        with memory.alone(self.own.NAME, self.own.key):
            old = memory.remembered(self.own)
            memory.keep(self.own, kept)
            if self.shared is not None and memory.remembered(self.shared) in (None, old):
                memory.keep(self.shared, kept)
            replace_kept(memory.store, None if old is None else old.file, kept.file)

    def _taken(self) -> Kept | None:
        store, container = self.session.services.memory.store, self.session.container.container
        argv = ("sh", "-c", program("python_crates.sh"), "python-crates", *map(str, _SOURCES))
        found = container.run(argv, env=self.session.env, timeout_s=_SEARCH_S)
        if found.ended != "exited":  # The build has exceeded a limit, and its container is gone.
            return None
        entries = container.copy_tree(TARGET, limit_bytes=_READ_BYTES)
        files = within(Compiled(crates=outside(self.crates)).of(entries), LIMIT_BYTES)
        made = packed(store, self.own.key, files, _FOLDER, _FILE)
        if isinstance(made, FactoryError):
            self._say(f"what cargo compiled is not kept: {made.message}")
            return None
        return Kept(file=made, by_python=tuple(sorted(self._by_python(found))))

    def _by_python(self, found: Exit) -> frozenset[str]:
        """Return the crates whose build scripts may ask an interpreter, and all that need them."""
        if found.code != 0 or found.truncated:
            return frozenset(crate.name for crate in self.crates)
        return with_dependents(by_python(found.output, self.crates), self.crates)

    def _say(self, text: str) -> None:
        self.session.services.recorder.progress(self.session.cell.address)(text)


def within(entries: Iterable[TreeEntry], limit_bytes: int) -> Iterator[TreeEntry]:
    """Pass entries on.

    Raises:
        FactoryError: they hold more than so many bytes.
    """
    left = limit_bytes
    for entry in entries:
        match entry:
            case FileEntry():
                left -= len(entry.content)
            case StreamEntry():
                left -= entry.size_bytes
            case LinkEntry():
                pass
            case _:
                assert_never(entry)
        if left < 0:
            raise FactoryError(f"the crates take more than {limit_bytes / 1e6:.0f} MB")
        yield entry
