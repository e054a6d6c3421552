"""A root filesystem as a docker-archive, which names its architecture.

`docker import` ignores a foreign platform; `docker load` uses the archive's own configuration.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from factory.digest import Digest, chunks
from factory.engine.posture import Json
from factory.errors import ImageError

_SPECIMENS: Final = frozenset({"sleep", "busybox", "coreutils", "dash", "bash"})
_ARCHITECTURES: Final[Mapping[int, Json]] = {
    3: {"architecture": "386"},
    21: {"architecture": "ppc64le"},
    22: {"architecture": "s390x"},
    40: {"architecture": "arm", "variant": "v7"},
    62: {"architecture": "amd64"},
    183: {"architecture": "arm64", "variant": "v8"},
    243: {"architecture": "riscv64"},
    258: {"architecture": "loong64"},
}
_EPOCH: Final = "1970-01-01T00:00:00Z"  # no real time, so that equal files give an image of equal id
_ELF_HEADER_BYTES: Final = 20


@contextmanager
def spooled(tar: Iterable[bytes]) -> Iterator[tuple[BinaryIO, Digest]]:
    """Keep a layer in an unnamed file: the archive holds its digest and its size before its bytes."""
    state = hashlib.sha256()
    with TemporaryFile() as spool:
        for chunk in tar:
            state.update(chunk)
            spool.write(chunk)
        yield spool, Digest(state.hexdigest())


def docker_archive(
    spool: BinaryIO,
    layer: Digest,
    *,
    reference: str,
    architecture: Json,
    labels: Mapping[str, str],
    env: Mapping[str, str],
) -> Iterator[bytes]:
    """Stream an archive of one image with one layer; equal input gives an image of equal id."""
    config = json.dumps(_config(architecture, layer, labels, env), sort_keys=True).encode()
    config_name = f"{Digest.of(config).hex}.json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [reference], "Layers": ["layer.tar"]}]).encode()
    yield from _member(config_name, len(config), [config])
    size_bytes = spool.seek(0, os.SEEK_END)
    spool.seek(0)
    yield from _member("layer.tar", size_bytes, chunks(spool))
    yield from _member("manifest.json", len(manifest), [manifest])
    yield bytes(2 * tarfile.BLOCKSIZE)


def _config(architecture: Json, layer: Digest, labels: Mapping[str, str], env: Mapping[str, str]) -> Json:
    return {
        **architecture,
        "os": "linux",
        "created": _EPOCH,
        "config": {
            "Env": [f"{name}={value}" for name, value in env.items()],
            "Labels": dict(labels),
            "Cmd": ["/bin/sh"],
        },
        "rootfs": {"type": "layers", "diff_ids": [str(layer)]},
        "history": [{"created": _EPOCH, "created_by": "factory"}],
    }


def architecture_of(spool: BinaryIO) -> Json:
    """Read a layer's architecture from the ELF header of a program that every root filesystem of ours must hold.

    Only these names count: an image with cross compilers holds objects of other machines.

    Raises:
        ImageError: the layer is not a tar stream, or holds no such program.
    """
    spool.seek(0)
    try:
        with tarfile.open(fileobj=spool, mode="r:") as layer:
            for member in layer:
                folder, _, name = member.name.rpartition("/")
                if member.isreg() and name in _SPECIMENS and folder.removeprefix("./") in {"bin", "usr/bin"}:
                    stream = layer.extractfile(member)
                    if stream and (machine := _machine(stream.read(_ELF_HEADER_BYTES))):
                        return machine
    except tarfile.TarError as error:
        raise ImageError(f"the root filesystem is not a tar stream: {error}") from error
    raise ImageError(
        "cannot tell the root filesystem's architecture: it holds no program to wait with",
        hint=f"it needs one of {', '.join(sorted(_SPECIMENS))} in bin or usr/bin, for a known machine",
    )


def _machine(header: bytes) -> Json | None:
    if len(header) < _ELF_HEADER_BYTES or not header.startswith(b"\x7fELF"):
        return None
    order: Final = "big" if header[5] == 2 else "little"  # noqa: PLR2004 -- ELFDATA2MSB
    return _ARCHITECTURES.get(int.from_bytes(header[18:20], order))


def _member(name: str, size_bytes: int, content: Iterable[bytes]) -> Iterator[bytes]:
    entry = tarfile.TarInfo(name)
    entry.size = size_bytes
    yield entry.tobuf(tarfile.GNU_FORMAT)
    yield from content
    if surplus := size_bytes % tarfile.BLOCKSIZE:
        yield bytes(tarfile.BLOCKSIZE - surplus)
