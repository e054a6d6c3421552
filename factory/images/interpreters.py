"""Interpreters that no image holds: compiled from a suite's source, or moved out of a suite's packages, each once."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from factory.digest import Artifact, Digest
from factory.host import Host
from factory.images.assembly import header_package, interpreter_packages, machine_variables, rendered, suite_options
from factory.images.bootstrap import assembly_env
from factory.images.foreign import require_running_here
from factory.images.on_demand import OnDemandSpec
from factory.images.scripts import scripts_for
from factory.images.shell import DOWNLOADS, Progress, run_script
from factory.memory import KEY, NEVER, Flag, Memory, Stage
from factory.system import processors
from factory.tags import Interpreter

_SOURCE: Final = "source"
_MADE: Final = "made"
_DAY_S: Final = 24 * 3600
MOVERS: Final = ("interpreters/packed.py", "rust/tools.lock", *(
    f"scripts/{name}.py" for name in ("bootstrap", "bytecode", "downloads", "relocate", "unprivileged")
))  # fmt: skip
"""What moves an interpreter, below the images' folder, besides its script."""


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
class MoveInterpreter(Stage[Packed]):
    """An interpreter, moved out of a suite's packages by a script and our helpers."""

    NAME, VERSION, REDONE_BY = "interpreter-moved", 1, frozenset[Flag]({"update"})

    script: str
    made_of: Digest = field(metadata={KEY: "made of"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes interpreters; an update asks again what the suites have."""

    spec: OnDemandSpec
    host: Host
    memory: Memory
    progress: Progress

    def made(self, interpreter: Interpreter) -> Packed:
        """Return an interpreter, made unless the store remembers it: a tar of one folder, as it lies in /opt/python.

        Raises:
            ImageError: packages or a source cannot be downloaded, or the source does not compile.
            Interrupted: the run was ended meanwhile.
        """
        return self._moved(interpreter) if interpreter in self.spec.packed else self._compiled(interpreter)

    def _moved(self, interpreter: Interpreter) -> Packed:
        suite, script = self.spec.packed[interpreter], move_script(self.spec, interpreter)
        parts = (self.spec.folder.parent / name for name in MOVERS)
        made_of = Digest.of_chunks(hashlib.sha256(part.read_bytes()).digest() for part in parts)

        def make(work: Path) -> None:
            self.progress(f"unpacking {interpreter} of {suite}")
            self._run(script, f"{interpreter} could not be unpacked from {suite}", suite, work)

        return packed(self.memory, MoveInterpreter(script=script, made_of=made_of), _MADE, make)

    def _compiled(self, interpreter: Interpreter) -> Packed:
        suite, source = self.spec.suite, self._source(interpreter)
        inside = (self.spec.folder / "cpython.sh").read_text(encoding="utf-8")
        script = compile_script(self.spec, interpreter)

        def make(work: Path) -> None:
            self.progress(f"compiling {interpreter} on {suite}")
            self._put(source, work, _SOURCE)
            self._run(script, f"{interpreter} could not be compiled on {suite}", suite, work)

        stage = CompileInterpreter(script=script, inside=inside, source=source.tar.digest)
        return packed(self.memory, stage, _MADE, make)

    def _source(self, interpreter: Interpreter) -> Packed:
        suites, script = self.spec.compiled[interpreter], source_script(self.spec, interpreter)
        named = " or ".join(suites)

        def make(work: Path) -> None:
            self.progress(f"fetching the source of {interpreter} from {named}")
            self._run(script, f"the source of {interpreter} could not be downloaded from {named}", suites[0], work)

        return packed(self.memory, FetchInterpreterSource(script=script), _SOURCE, make)

    def _put(self, packed: Packed, work: Path, name: str) -> None:
        for artifact, suffix in ((packed.tar, "tar"), (packed.manifest, "manifest")):
            path = work / f"{name}.{suffix}"
            with self.memory.store.open_blob(artifact.digest) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)

    def _run(self, script: str, failing: str, suite: str, work: Path) -> None:
        machine = self.spec.platform.arch
        require_running_here(failing.partition(" could not")[0], machine)
        env = {
            **assembly_env(self.spec.folder, self.host, scripts_for(machine, self.spec.folder.parent, work)),
            "COMPILED": str(self.spec.folder),
            "JOBS": str(processors()),
        }
        run_script(
            script,
            failing=failing,
            suite=suite,
            host=self.host,
            work=work,
            downloads=self.memory.store.lasting_folder(DOWNLOADS),
            env=env,
            progress=self.progress,
        )


def packed(memory: Memory, stage: Stage[Packed], name: str, make: Callable[[Path], None]) -> Packed:
    """Return what is remembered, or make it in a folder: `<name>.tar` and `<name>.manifest`."""

    def pack() -> Packed:
        with memory.store.temp_folder() as work:
            make(work)
            tar, manifest = (memory.store.put_file(work / f"{name}.{end}") for end in ("tar", "manifest"))
            return Packed(tar=tar, manifest=manifest)

    return memory.surely(stage, pack)


def source_script(spec: OnDemandSpec, interpreter: Interpreter) -> str:
    """Render the shell script that fetches an interpreter's source."""
    suites = spec.compiled[interpreter]
    delay_s = max(spec.delays.get(suite, 0) for suite in suites) * _DAY_S
    return _script(spec, interpreter, "source", {"suites": suites, "delay_s": delay_s})


def compile_script(spec: OnDemandSpec, interpreter: Interpreter) -> str:
    """Render the shell script that compiles an interpreter."""
    options = ["--disable-gil"] if interpreter.free_threaded else []
    return _script(spec, interpreter, "compile", {"suite": spec.suite, "packages": spec.packages, "options": options})


def move_script(spec: OnDemandSpec, interpreter: Interpreter) -> str:
    """Render the shell script that moves an interpreter out of a suite's packages."""
    packages = [*interpreter_packages(interpreter), header_package(interpreter), "libstdc++6"]
    variables = {
        "suite": spec.packed[interpreter],
        "packages": packages,
        "glibc": f"{spec.platform.major}.{spec.platform.minor}",
        **suite_options(spec.fallbacks, spec.delays),
    }
    return _script(spec, interpreter, "packed", variables)


def _script(spec: OnDemandSpec, interpreter: Interpreter, name: str, variables: Mapping[str, object]) -> str:
    named = {
        "package": f"python{interpreter.version}",
        "program": interpreter.program,
        "tag": f"{interpreter.python_tag}-{interpreter.abi_tag}",
        **machine_variables(spec.platform.arch),
    }
    return rendered(spec.folder / f"{name}.sh.j2", {**named, **variables})
