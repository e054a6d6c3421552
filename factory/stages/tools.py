"""The tool bundle as a volume that every cell and trial mounts, with bytecode for auditwheel."""

import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import PurePosixPath

from factory.digest import Artifact, Digest
from factory.engine.api import ContainerSpec, FileEntry
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.keys import key
from factory.memory import NEVER, Stage
from factory.repair import bytecode_step, repairer
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.steps import WORK
from factory.store import Store
from factory.tags import Interpreter
from factory.tool_bundle import ToolBundle

_COPY = WORK / "tools"
_LIMIT_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytecode:
    """The bundle's modules, compiled for one interpreter: a zip whose paths are relative to the bundle's folder."""

    file: Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileTools(Stage[Bytecode]):
    """The bundle's bytecode for one interpreter of an image of ours."""

    NAME, VERSION, REDONE_BY = "bytecode", 1, NEVER

    tools: Digest
    image: Digest
    interpreter: Interpreter


def tools_volume(services: Services, image: ReadyImage) -> str | Failure:
    """Return the volume that holds the tool bundle.

    For a build image it also holds bytecode for auditwheel, made in an image that no recipe changed. For an image that
    only a recipe names there is none; a repair then takes longer and does the same.
    """
    own, tools = image.own if image.facts.role == "build" else None, services.tools(image.machine)
    if own is None:
        return filled_volume(services, "tools", tools.digest, lambda: nullcontext(tools.entries()))
    bytecode = _bytecode(services, own, tools)
    if isinstance(bytecode, Failure):
        return bytecode
    content = key({"tools": str(tools.digest), "bytecode": str(bytecode.file.digest)})
    files = chain(tools.entries(), _unzipped(services.memory.store, bytecode))
    return filled_volume(services, "tools", content, lambda: nullcontext(files))


def _bytecode(services: Services, own: ReadyImage, tools: ToolBundle) -> Bytecode | Failure:
    """Compile a copy of the bundle in a container of its own."""
    interpreter = repairer(own.facts)

    def compile_all() -> Bytecode | Failure:
        with services.session("tools") as session:
            session.start(ContainerSpec(image=own.reference, label="tools", env={}))
            session.put(tools.entries(), _COPY)
            failure = session.run_all([bytecode_step(interpreter, _COPY)])
            taken = failure or session.take(_COPY, "compile-tools", limit_bytes=_LIMIT_BYTES)
            if isinstance(taken, Failure):
                return taken
            # The modules themselves are not taken back: they lie in the volume as we have them.
            compiled = [entry for entry in taken if entry.path.suffix == ".pyc"]
            return Bytecode(file=services.memory.store.put_bytes(_zipped(compiled), "bytecode.zip"))

    stage = CompileTools(tools=tools.digest, image=own.identity, interpreter=interpreter)
    return services.memory.once(stage, compile_all)[0]


def _zipped(entries: list[FileEntry]) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for entry in entries:
            archive.writestr(zipfile.ZipInfo(str(entry.path)), entry.content)
    return content.getvalue()


def _unzipped(store: Store, bytecode: Bytecode) -> Iterator[FileEntry]:
    with store.open_blob(bytecode.file.digest) as blob, zipfile.ZipFile(blob) as archive:
        for name in archive.namelist():
            yield FileEntry(path=PurePosixPath(name), content=archive.read(name))
