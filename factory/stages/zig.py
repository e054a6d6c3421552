"""Bring zig to an image, with what it compiles of its own libraries for a platform made once for all cells."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from factory.backends.zig import zig_program, zig_target
from factory.engine.api import ContainerSpec, FileEntry, Mount, TreeEntry
from factory.failure import Failure
from factory.images.ready import ReadyImage
from factory.keys import key
from factory.sessions.services import Services
from factory.sessions.volumes import filled_volume
from factory.source.tree import Tree
from factory.steps import MUSL, WORK, ZIG, ZIG_CACHE, ZIG_SEED, Step, search_path
from factory.tags import PlatformTag
from factory.zig_bundle import ensure_zig, musl_digest, musl_entries

_CXX = (".cc", ".cpp", ".cxx", ".hpp", ".pyx")
_TIMEOUT_S = 3600
_LIMIT_BYTES = 2 << 30
_PROBE = PurePosixPath("probe.c")
_TEXT = b"int probe(void) { return 0; }\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zig:
    """zig for a platform; `cxx` is whether C++ may be compiled, whose library takes a minute to make."""

    platform: PlatformTag
    cxx: bool

    def __str__(self) -> str:
        return f"zig-{self.platform}{'-cxx' if self.cxx else ''}"

    @classmethod
    def of(cls, tree: Tree, platform: PlatformTag) -> Self:
        """Return what a source needs: where it hides C++, each build makes the library for itself."""
        return cls(platform=platform, cxx=any(path.endswith(_CXX) for path in tree.paths))


def with_zig(services: Services, image: ReadyImage, zig: Zig) -> ReadyImage | Failure:
    """Return an image with zig mounted, and beside it a cache from which builds begin.

    Raises:
        EngineError: zig cannot be downloaded.
    """
    bundle = ensure_zig(services.host, services.memory.store, image.machine)
    volume = filled_volume(services, "zig", bundle.digest, lambda: nullcontext(bundle.entries()))
    if isinstance(volume, Failure):
        return volume
    tool = Mount(volume=volume, path=ZIG)
    content = key({"zig": str(bundle.file.digest), "for": str(zig)})
    seed = filled_volume(services, "zig-cache", content, lambda: _seed(services, tool, zig))
    if isinstance(seed, Failure):
        return seed
    ready = image.with_mounts("zig", bundle.digest, tool, Mount(volume=seed, path=ZIG_SEED))
    return _with_musl(services, ready) if zig.platform.libc == "musl" else ready


def _with_musl(services: Services, image: ReadyImage) -> ReadyImage | Failure:
    volume = filled_volume(services, "zig-musl", musl_digest(), lambda: nullcontext(musl_entries()))
    if isinstance(volume, Failure):
        return volume
    return image.with_mounts("zig-musl", musl_digest(), Mount(volume=volume, path=MUSL))


@contextmanager
def _seed(services: Services, tool: Mount, zig: Zig) -> Iterator[Iterable[TreeEntry] | Failure]:
    """Link a library of each language, in an image that no recipe chose; no package's code is there."""
    subject = f"image:{zig}"
    with services.session(subject) as session:
        session.start(ContainerSpec(image=services.helper().reference, label=str(zig), env={}, mounts=(tool,)))
        session.put([FileEntry(path=_PROBE, content=_TEXT)])
        failure = session.run_all(seed_steps(zig))
        yield failure or session.container.copy_tree(ZIG_CACHE, limit_bytes=_LIMIT_BYTES)


def seed_steps(zig: Zig) -> Iterator[Step]:
    """Yield the commands that make zig compile what it links into every library: of C, then of C++."""
    env: Mapping[str, str] = {"PATH": search_path(), "HOME": str(WORK), "ZIG_GLOBAL_CACHE_DIR": str(ZIG_CACHE)}
    for language in ("cc", "c++") if zig.cxx else ("cc",):
        options = ("-target", zig_target(zig.platform), "-fno-sanitize=undefined", "-s", "-O2")
        yield Step(
            name="zig-libraries",
            argv=(
                str(zig_program()),
                language,
                *options,
                "-shared",
                "-fPIC",
                "-o",
                str(WORK / "probe.so"),
                str(_PROBE),
            ),
            env=env,
            phase="prepare",
            timeout_s=_TIMEOUT_S,
        )
