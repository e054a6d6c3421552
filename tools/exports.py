"""Make the lists of what interpreters and system libraries export, from the images that are here.

`python -m tools.exports [FILE...]` rewrites `factory/audit/exports/*.txt`; a FILE is one more interpreter or
libpython, for versions that no image has, or musl of any age, named as its loader: `ld-musl-<machine>.so.1`. A symbol
counts for a version when one of its builds exports it. A system library's symbol came with the oldest of its symbol
versions; musl has none, and its newer loaders find the names ending in 64 that only older ones export (dynlink.c).
"""

import io
import re
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import docker
from docker.models.containers import Container
from docker.utils import kwargs_from_env
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection

from factory.elf.read import parse
from factory.host import read_host

_FOLDER = Path(__file__).parents[1] / "factory" / "audit" / "exports"
_ARCH = "x86_64"
_LIBRARIES_OF = "wheel-factory/trial-bullseye"
_LOADER = "ld-linux-x86-64.so.2"
_SONAMES = (
    *("libanl.so.1", "libc.so.6", "libdl.so.2", "libm.so.6", "libmvec.so.1", "libnsl.so.1", "libpthread.so.0"),
    *("libresolv.so.2", "librt.so.1", "libutil.so.1"),  # glibc's
    *("libgcc_s.so.1", "libstdc++.so.6", "libexpat.so.1", "libz.so.1"),
)
"""Libraries that have the same symbols in every distribution of that age, which those of X11, GL and GLib need not."""
_INTERPRETERS = {
    "wheel-factory/trial-bullseye": ["/usr/bin/python3.9"],
    "wheel-factory/trial-bookworm": ["/usr/bin/python3.11"],
    "wheel-factory/trial-trixie": ["/usr/bin/python3.13"],
    "wheel-factory/trial-forky": ["/usr/bin/python3.14"],
}
_BUILDS = "wheel-factory/lookalike-manylinux_2_31_x86_64"
_BUILT = {f"cp3{minor}": f"/opt/python/cp3{minor}-cp3{minor}/bin/python" for minor in (9, 11, 13, 14)}
_MUSL = re.compile(r"ld-musl-([a-z0-9_]+)\.so\.1")
_LINKS = 8
_GLIBC = re.compile(r"GLIBC_([0-9.]+)")
_INDEX = 0x7FFF  # the highest bit marks a version that is not the default (LSB, symbol versioning)


def _read(container: Container, path: str) -> bytes | None:
    """Return a file's bytes, links followed inside the image; None where there is none."""
    for _ in range(_LINKS):
        try:
            stream, _ = container.get_archive(path)
        except docker.errors.NotFound:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
            member = tar.next()
            if member is None:
                return None
            if not member.issym():
                content = tar.extractfile(member)
                return content.read() if content else None
            path = str(PurePosixPath(path).parent / member.linkname)
    return None


def _image(client: docker.DockerClient, name: str) -> str:
    return next(tag for image in client.images.list(name) for tag in image.tags)


def _interpreters(client: docker.DockerClient) -> Iterator[tuple[str, bytes]]:
    wanted = [(image, path, _tag(path)) for image, paths in _INTERPRETERS.items() for path in paths]
    wanted += [(_BUILDS, path, tag) for tag, path in _BUILT.items()]
    for image, path, tag in wanted:
        container = client.containers.create(_image(client, image), ["true"], network_mode="none")
        try:
            content = _read(container, path)
        finally:
            container.remove()
        if content is not None:
            yield tag, content


def _libraries(client: docker.DockerClient) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield each library with its symbols, and the glibc that brought them where it is not the first."""
    container = client.containers.create(_image(client, _LIBRARIES_OF), ["true"], network_mode="none")
    try:
        for soname in [_LOADER, *sorted(_SONAMES)]:
            for folder in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"):
                content = _read(container, f"{folder}/{soname}")
                if content is not None:
                    yield "loader" if soname == _LOADER else soname, _since(content)
                    break
    finally:
        container.remove()


def _since(content: bytes) -> dict[str, str]:
    oldest = _oldest_versions(ELFFile(io.BytesIO(content)))
    first = min(oldest.values(), default=())
    return {
        name: ".".join(map(str, oldest[name])) if oldest.get(name, first) > first else ""
        for name in parse(content).exports
    }


def _oldest_versions(elf: ELFFile) -> dict[str, tuple[int, ...]]:
    """Return the oldest glibc version of each defined symbol that has one."""
    symbols, versions = elf.get_section_by_name(".dynsym"), elf.get_section_by_name(".gnu.version")
    defined = elf.get_section_by_name(".gnu.version_d")
    if not (
        isinstance(symbols, SymbolTableSection)
        and isinstance(versions, GNUVerSymSection)
        and isinstance(defined, GNUVerDefSection)
    ):
        return {}  # a library without symbol versions
    names = {definition["vd_ndx"]: next(auxiliary).name for definition, auxiliary in defined.iter_versions()}
    oldest: dict[str, tuple[int, ...]] = {}
    for symbol, version in zip(symbols.iter_symbols(), versions.iter_symbols(), strict=True):
        index = version["ndx"]
        match = _GLIBC.fullmatch(names.get(index & _INDEX, "")) if isinstance(index, int) else None
        if match is not None and symbol["st_shndx"] != "SHN_UNDEF" and symbol.name not in names.values():
            since = tuple(map(int, match[1].split(".")))[:2]
            oldest[symbol.name] = min(oldest.get(symbol.name, since), since)
    return oldest


def _tag(path: str) -> str:
    match = re.search(r"python3\.([0-9]+)(t?)", path)
    assert match is not None, path
    return f"cp3{match[1]}{match[2]}"


def main(files: list[str]) -> None:
    """Rewrite both lists."""
    musls: defaultdict[str, set[str]] = defaultdict(set)
    for file in files:
        if match := _MUSL.fullmatch(Path(file).name):
            musls[match[1]] |= parse(Path(file).read_bytes()).exports
    files = [file for file in files if not _MUSL.fullmatch(Path(file).name)]
    client = docker.DockerClient(**kwargs_from_env(environment=dict(read_host().docker)), version="auto")
    exports: defaultdict[str, set[str]] = defaultdict(set)
    for tag, content in [*_interpreters(client), *((_tag(path), Path(path).read_bytes()) for path in files)]:
        exports[tag] |= {name for name in parse(content).exports if re.fullmatch(r"_?Py(_|[A-Z])\w*", name)}
    tags = sorted(exports, key=lambda tag: (len(tag), tag))
    masks = {
        name: sum(1 << bit for bit, tag in enumerate(tags) if name in exports[tag])
        for name in sorted(set().union(*exports.values()))
    }
    rows = [" ".join(tags), *(f"{name} {mask:x}" for name, mask in masks.items())]
    (_FOLDER / "interpreters.txt").write_text("\n".join(rows) + "\n", encoding="ascii")
    parts = [
        f"[{_ARCH} {soname}]\n" + "".join(f"{name} {since}".rstrip() + "\n" for name, since in sorted(symbols.items()))
        for soname, symbols in _libraries(client)
    ]
    parts += [
        f"[{arch} libc.musl-{arch}.so.1]\n" + "".join(f"{name}\n" for name in sorted(names))
        for arch, names in sorted(musls.items())
    ]
    (_FOLDER / "libraries.txt").write_text("".join(parts), encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1:])
