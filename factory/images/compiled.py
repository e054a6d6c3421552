"""Interpreters that no suite packages: compiled from a suite's source on the image's own suite."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from threading import Event
from typing import Final

from factory import codec
from factory.codec import JSON
from factory.digest import Artifact
from factory.errors import Interrupted
from factory.host import Host
from factory.images.assembly import compile_script, inside_script, place, source_script
from factory.images.shell import Progress, run_script
from factory.images.spec import ImageSpec
from factory.keys import document, key
from factory.store import Store
from factory.tags import Interpreter

_SOURCE: Final = "source"
_MADE: Final = "made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A tar, and the manifest of what it was made of: a line for each file or package, with its SHA-256."""

    tar: Artifact
    manifest: Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """Compiles the interpreters that one image wants compiled; `update` asks again which source the suite has."""

    spec: ImageSpec
    host: Host
    store: Store
    progress: Progress
    update: bool = False
    cancelled: Event | None = None

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

        inputs = {"script": script, "inside": inside, "source": str(source.tar.digest)}
        return self._once("interpreter", inputs, _MADE, make)

    def _source(self, interpreter: Interpreter) -> Packed:
        suite, script = self.spec.compiled[interpreter], source_script(self.spec, interpreter)

        def make(work: Path) -> None:
            self.progress(f"fetching the source of {interpreter} from {suite}")
            self._run(script, f"the source of {interpreter} could not be downloaded from {suite}", suite, work)

        return self._once("interpreter-source", {"script": script}, _SOURCE, make, anew=self.update)

    def _once(
        self, stage: str, inputs: Mapping[str, JSON], name: str, make: Callable[[Path], None], *, anew: bool = False
    ) -> Packed:
        """Return what is remembered, or make it in a folder: `<name>.tar` and `<name>.manifest`."""
        paper = document(stage, 1, inputs)
        with self.store.once(stage, key(paper), cancelled=self.cancelled, on_wait=self.progress) as held:
            if not held:
                raise Interrupted("interrupted")
            remembered = None if anew else self.store.ledger_get(stage, key(paper))
            if remembered is not None:
                return codec.load(remembered, Packed)
            with self.store.temp_folder() as work:
                make(work)
                tar, manifest = (self.store.put_file(work / f"{name}.{suffix}") for suffix in ("tar", "manifest"))
            packed = Packed(tar=tar, manifest=manifest)
            self.store.ledger_put(stage, key(paper), paper, codec.dump(packed), (tar.digest, manifest.digest))
            return packed

    def _put(self, packed: Packed, work: Path, name: str) -> None:
        for artifact, suffix in ((packed.tar, "tar"), (packed.manifest, "manifest")):
            path = work / f"{name}.{suffix}"
            with self.store.open_blob(artifact.digest) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)

    def _run(self, script: str, failing: str, suite: str, work: Path) -> None:
        folders = {"COMPILED": str(self.spec.compiled_folder), "SCRIPTS": str(self.spec.scripts_folder)}
        env = {**folders, "JOBS": str(cpu_count() or 1)}
        run_script(script, failing=failing, suite=suite, host=self.host, work=work, env=env, progress=self.progress)
