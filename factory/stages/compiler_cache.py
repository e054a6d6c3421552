"""What the image's compiler made for a project, by ccache: put in before a build, and taken out after it."""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import PurePosixPath

from packaging.utils import NormalizedName

from factory.backends.ccache import COUNTS, takes_ccache, with_ccache
from factory.digest import Artifact, Digest, chunks
from factory.engine import tarstream
from factory.engine.api import EARLIEST_S, StreamEntry
from factory.errors import FactoryError
from factory.failure import Failure
from factory.memory import Stage
from factory.stages.cell_session import CellSession
from factory.stages.kept_archive import open_kept, packed, replace_kept
from factory.stages.origin import origin_of
from factory.stages.prepare import Prepared
from factory.steps import COMPILED, Step

WORTH_S = 3.0
"""How many seconds a build must take for its objects to be kept: to take them out and put them in costs time, too."""
LIMIT_BYTES = 256 << 20

_READ_BYTES = 4 << 30
_COUNTS_BYTES = 16 << 20
_FILE = "compiled-objects.tar"
_FOLDER = PurePosixPath("compiled")
_OBJECT = re.compile(r"(?:[0-9a-f]/){1,4}[0-9a-z]{36,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompilerCache(Stage[Artifact]):
    """What the compiler of an image made for a project, by any of its interpreters; no result depends on it.

    ccache compares what the preprocessor makes of a file, the options, and the compiler's program. The image stands for
    what it does not compare: the programs and libraries that the compiler itself uses.
    """

    NAME, VERSION = "compiler-cache", 1

    distribution: NormalizedName
    project: Digest
    image: Digest
    tools: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """The objects of one build: the stage under which they are kept."""

    session: CellSession
    stage: CompilerCache

    @property
    def are_kept(self) -> bool:
        """Whether earlier builds left some that this one may begin with."""
        memory = self.session.services.memory
        return not memory.fresh and memory.recall(self.stage) is not None

    def run(self, steps: Iterable[Step], *, begins: bool) -> Failure | None:
        """Run a build's steps, and keep what was compiled; `begins` is whether it may begin with what was kept.

        ccache is there in any case, so that builds which begin with nothing see the same compilers.
        """
        container = self.session.container
        has_begun, before_s = begins and self._put(), sum(container.seconds.values())
        failure = container.run_all(replace(step, env=with_ccache(step.env)) for step in steps)
        is_worth = sum(container.seconds.values()) - before_s >= WORTH_S or self._is_made_anew
        if (failure is None or failure.ended == "failed") and (is_worth or has_begun):
            compiled, found = self._counts()
            if has_begun:
                self._say(f"{compiled} of {compiled + found} files were compiled; ccache knew the others")
            if is_worth and compiled:
                self._keep()
        return failure

    @property
    def _is_made_anew(self) -> bool:
        """Whether what earlier runs kept is to be replaced, whatever it takes: it may be what --no-cache is to mend."""
        memory = self.session.services.memory
        return memory.fresh and memory.recall(self.stage) is None and memory.remembered(self.stage) is not None

    def _put(self) -> bool:
        """Put in what earlier builds left, where there is any; what is damaged is left alone."""
        with ExitStack() as opened:
            if (kept := self._kept(opened)) is None:
                return False
            size_bytes, files = kept
            self._say(f"the compiler begins with what its last builds compiled: {size_bytes / 1e6:.1f} MB")
            with self.session.services.recorder.step(self.session.cell.address, "kept-objects") as mark:
                self.session.container.put(_objects(files), COMPILED)
                mark.outcome = "passed"
        return True

    def _kept(self, opened: ExitStack) -> tuple[int, Iterator[StreamEntry]] | None:
        """Open what is kept: its size, and its files. Under --no-cache that is only what this run has made."""
        memory = self.session.services.memory
        if (kept := memory.recall(self.stage)) is None:
            return None
        if (tar := open_kept(memory.store, kept, "what its last builds compiled", self._say)) is None:
            return None
        opened.enter_context(tar)
        return kept.size_bytes, tarstream.regular_files(chunks(tar), limit_bytes=_READ_BYTES)

    def _counts(self) -> tuple[int, int]:
        """Return of how many files ccache says that they were compiled, and of how many that they were known."""
        taken = self.session.container.take(COUNTS, "build", limit_bytes=_COUNTS_BYTES)
        lines = [] if isinstance(taken, Failure) else [line for file in taken for line in file.content.splitlines()]
        return lines.count(b"cache_miss"), lines.count(b"preprocessed_cache_hit")

    def _keep(self) -> None:
        """Keep what this build compiled or used, before what others did; what was not used for longest goes."""
        memory, store = self.session.services.memory, self.session.services.memory.store
        with self.session.services.recorder.step(self.session.cell.address, "kept-objects") as mark:
            left = self.session.container.container.stream_out(COMPILED, limit_bytes=_READ_BYTES)
            # ccache gives what it uses a new time.
            used = (file for file in left if file.mtime_s > EARLIEST_S)
            with memory.alone(self.stage.NAME, self.stage.key), ExitStack() as opened:
                old = memory.remembered(self.stage)
                _, others = self._kept(opened) or (0, iter(()))
                files = _limited(_objects(chain(used, others)), LIMIT_BYTES)
                made = packed(store, self.stage.key, files, _FOLDER, _FILE)
                if isinstance(made, FactoryError):
                    self._say(f"what was compiled is not kept: {made.message}")
                else:
                    memory.keep(self.stage, made)
                    replace_kept(store, old, made)
            mark.outcome = "passed"

    def _say(self, text: str) -> None:
        self.session.services.recorder.progress(self.session.cell.address)(text)


def objects_of(session: CellSession, prepared: Prepared) -> Objects | None:
    """Return what remembers the objects of a build; None where another compiler than the image's makes them.

    None as well where crates are compiled, which are kept themselves, and where a build is passed values that may be
    secret: what is compiled may hold them.
    """
    cell, planned = session.cell, session.planned
    by_image = session.interpreter is not None and not cell.by_zig and cell.mingws_platform is None
    if not by_image or planned.recipe.build.bazel is not None or prepared.crates is not None or session.passed:
        return None
    if not takes_ccache(session.env):
        return None
    stage = CompilerCache(
        distribution=planned.project.name,
        project=origin_of(planned.recipe.source, session.services.host.index_origins),
        image=session.image.identity,
        tools=session.services.tools(session.image.machine).digest,
    )
    return Objects(session=session, stage=stage)


def _objects(files: Iterable[StreamEntry]) -> Iterator[StreamEntry]:
    """Choose ccache's objects among files, each once, and give them a time at which nothing is used."""
    seen: set[PurePosixPath] = set()
    for file in files:
        if file.path not in seen and _OBJECT.fullmatch(str(file.path)):
            seen.add(file.path)
            yield replace(file, mtime_s=EARLIEST_S)


def _limited(files: Iterable[StreamEntry], limit_bytes: int) -> Iterator[StreamEntry]:
    """Leave out what exceeds a limit."""
    left = limit_bytes
    for file in files:
        if file.size_bytes <= left:
            left -= file.size_bytes
            yield file
