"""Interpreters that no suite packages: compiled from a suite's source on the image's own suite."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Final

from factory.digest import Artifact, Digest
from factory.host import Host
from factory.images.assembly import compile_script, inside_script, place, source_script
from factory.images.shell import Progress, run_script
from factory.images.spec import ImageSpec
from factory.memory import NEVER, Flag, Memory, Stage
from factory.tags import Interpreter

_SOURCE: Final = "source"
_MADE: Final = "made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A tar, and the manifest of what it was made of: a line for each file or package, with its SHA-256."""

    tar: Artifact
    manifest: Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchInterpreterSource(Stage[Packed]):
    """The source of an interpreter, as a suite has it."""

    NAME, VERSION, REDONE_BY = "interpreter-source", 1, frozenset[Flag]({"update"})

    script: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileInterpreter(Stage[Packed]):
    """An interpreter, compiled from a source by a script that runs another one inside the suite."""

    # It takes minutes, and another source or script is another key.
    NAME, VERSION, REDONE_BY = "interpreter", 1, NEVER

    script: str
    inside: str
    source: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """Compiles the interpreters that one image needs compiled; an update asks again which source the suite has."""

    spec: ImageSpec
    host: Host
    memory: Memory
    progress: Progress

    def put_all(self, work: Path) -> None:
        """Put every such interpreter into a folder, as `<place>.tar` beside `<place>.manifest`.

        Raises:
            ImageError: a source cannot be downloaded, or does not compile.
            Interrupted: the run was ended meanwhile.
        """
        for interpreter in self.spec.compiled:
            self._put(self._compiled(interpreter), work, place(interpreter))

    def _compiled(self, interpreter: Interpreter) -> Packed:
        source = self._source(interpreter)
        script, inside = compile_script(self.spec, interpreter), inside_script(self.spec)

        def make(work: Path) -> None:
            self.progress(f"compiling {interpreter} on {self.spec.suite}")
            self._put(source, work, _SOURCE)
            self._run(script, f"{interpreter} could not be compiled on {self.spec.suite}", self.spec.suite, work)

        stage = CompileInterpreter(script=script, inside=inside, source=source.tar.digest)
        return self._packed(stage, _MADE, make)

    def _source(self, interpreter: Interpreter) -> Packed:
        suite, script = self.spec.compiled[interpreter], source_script(self.spec, interpreter)

        def make(work: Path) -> None:
            self.progress(f"fetching the source of {interpreter} from {suite}")
            self._run(script, f"the source of {interpreter} could not be downloaded from {suite}", suite, work)

        return self._packed(FetchInterpreterSource(script=script), _SOURCE, make)

    def _packed(self, stage: Stage[Packed], name: str, make: Callable[[Path], None]) -> Packed:
        """Return what is remembered, or make it in a folder: `<name>.tar` and `<name>.manifest`."""

        def pack() -> Packed:
            with self.memory.store.temp_folder() as work:
                make(work)
                tar, manifest = (self.memory.store.put_file(work / f"{name}.{end}") for end in ("tar", "manifest"))
                return Packed(tar=tar, manifest=manifest)

        return self.memory.surely(stage, pack)

    def _put(self, packed: Packed, work: Path, name: str) -> None:
        for artifact, suffix in ((packed.tar, "tar"), (packed.manifest, "manifest")):
            path = work / f"{name}.{suffix}"
            with self.memory.store.open_blob(artifact.digest) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)

    def _run(self, script: str, failing: str, suite: str, work: Path) -> None:
        folders = {"COMPILED": str(self.spec.compiled_folder), "SCRIPTS": str(self.spec.scripts_folder)}
        env = {**folders, "JOBS": str(cpu_count() or 1)}
        run_script(script, failing=failing, suite=suite, host=self.host, work=work, env=env, progress=self.progress)
