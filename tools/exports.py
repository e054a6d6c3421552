"""Make the lists of what interpreters and system libraries export, from the images that are here.

`python -m tools.exports [FILE...]` rewrites `factory/audit/exports/*.txt`; a FILE is one more interpreter or
libpython, for versions that no image has. A symbol counts for a version when one of its builds exports it.
"""

import io
import re
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import docker
from docker.models.containers import Container
from docker.utils import kwargs_from_env

from factory.elf.read import parse
from factory.host import read_host
from factory.policy import system_libraries

_FOLDER = Path(__file__).parents[1] / "factory" / "audit" / "exports"
_ARCH = "x86_64"
_LIBRARIES_OF = "wheel-factory/trial-bullseye"
_LOADER = "ld-linux-x86-64.so.2"
_INTERPRETERS = {
    "wheel-factory/trial-bullseye": ["/usr/bin/python3.9"],
    "wheel-factory/trial-bookworm": ["/usr/bin/python3.11"],
    "wheel-factory/trial-trixie": ["/usr/bin/python3.13"],
    "wheel-factory/trial-forky": ["/usr/bin/python3.14"],
}
_BUILDS = "wheel-factory/lookalike-manylinux_2_31_x86_64"
_BUILT = {f"cp3{minor}": f"/opt/python/cp3{minor}-cp3{minor}/bin/python" for minor in (9, 11, 13, 14)}
_LINKS = 8


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


def _libraries(client: docker.DockerClient) -> Iterator[tuple[str, frozenset[str]]]:
    container = client.containers.create(_image(client, _LIBRARIES_OF), ["true"], network_mode="none")
    try:
        for soname in [_LOADER, *sorted(system_libraries())]:
            for folder in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"):
                content = _read(container, f"{folder}/{soname}")
                if content is not None:
                    yield "loader" if soname == _LOADER else soname, parse(content).exports
                    break
    finally:
        container.remove()


def _tag(path: str) -> str:
    match = re.search(r"python3\.([0-9]+)(t?)", path)
    assert match is not None, path
    return f"cp3{match[1]}{match[2]}"


def main(files: list[str]) -> None:
    """Rewrite both lists."""
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
        f"[{_ARCH} {soname}]\n" + "".join(f"{name}\n" for name in sorted(names)) for soname, names in _libraries(client)
    ]
    (_FOLDER / "libraries.txt").write_text("".join(parts), encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1:])
