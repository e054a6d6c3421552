"""A file tree in memory that takes and gives tar streams, as an engine does for a container or a volume."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from factory.engine.faults import MissingError

ROOT = PurePosixPath("/")
_BLOCK = 10_240


@dataclass(slots=True)
class FileTree:
    """Members by their absolute paths: files and links with their contents, and the folders that lead to them."""

    members: dict[PurePosixPath, tuple[tarfile.TarInfo, bytes]] = field(default_factory=dict)

    def write(self, path: PurePosixPath | str, content: bytes, mode: int = 0o644, mtime_s: int = 0) -> None:
        """Put one file, as a command would."""
        member = tarfile.TarInfo(str(path).lstrip("/"))
        member.size, member.mode, member.mtime = len(content), mode, mtime_s
        self._put(PurePosixPath(path), member, content)

    def link(self, path: PurePosixPath | str, target: str) -> None:
        """Put one symbolic link, as a command would."""
        member = tarfile.TarInfo(str(path).lstrip("/"))
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, target, 0o777
        self._put(PurePosixPath(path), member, b"")

    def remove(self, path: PurePosixPath | str) -> None:
        """Remove a file, or a folder with all that it holds; what does not exist is no error."""
        self.members = {known: held for known, held in self.members.items() if not known.is_relative_to(path)}

    def read(self, path: PurePosixPath | str) -> bytes | None:
        """Return a file's bytes; None where there is no file."""
        member, content = self.members.get(PurePosixPath(path), (None, b""))
        return None if member is None or not (member.isreg() or member.islnk()) else content

    def below(self, path: PurePosixPath | str) -> dict[str, bytes]:
        """Return the files at or below a path by their paths relative to it."""
        held = {known: self.read(known) for known in self.members if known.is_relative_to(path)}
        return {str(known.relative_to(path)): content for known, content in held.items() if content is not None}

    def unpack(self, tar: Iterable[bytes], at: PurePosixPath) -> None:
        """Put every member of a tar stream below a folder."""
        with tarfile.open(fileobj=io.BytesIO(b"".join(tar))) as archive:
            for member in archive:
                self._put(at / member.name, member, self._content(archive, member, at))

    def pack(self, path: PurePosixPath) -> Iterator[bytes]:
        """Write a path as an engine does: the first member is the path itself, and all below it.

        Raises:
            MissingError: there is no such path.
        """
        wanted = sorted(known for known in self.members if known.is_relative_to(path))
        if not wanted:
            raise MissingError(f"no such file or directory: {path}")
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for known in wanted:
                self._add(archive, known, path)
        whole = stream.getvalue()
        yield from (whole[start : start + _BLOCK] for start in range(0, len(whole), _BLOCK))

    def _add(self, archive: tarfile.TarFile, known: PurePosixPath, path: PurePosixPath) -> None:
        member, content = self.members[known]
        copy = tarfile.TarInfo(str(known.relative_to(path.parent)))
        copy.type, copy.size, copy.mode, copy.mtime = member.type, member.size, member.mode, member.mtime
        copy.linkname = member.linkname
        if member.islnk():
            copy.linkname = str((ROOT / member.linkname).relative_to(path.parent))
        archive.addfile(copy, io.BytesIO(content) if member.isreg() else None)

    def _content(self, archive: tarfile.TarFile, member: tarfile.TarInfo, at: PurePosixPath) -> bytes:
        if member.islnk():
            original = at / member.linkname
            member.linkname = str(original.relative_to(ROOT))
            return self.read(original) or b""
        stream = archive.extractfile(member) if member.isreg() else None
        return b"" if stream is None else stream.read()

    def _put(self, path: PurePosixPath, member: tarfile.TarInfo, content: bytes) -> None:
        for folder in path.parents:
            if folder not in self.members:
                self.members[folder] = (_folder(folder), b"")
        self.members[path] = (member, content)


def _folder(path: PurePosixPath) -> tarfile.TarInfo:
    member = tarfile.TarInfo(str(path).lstrip("/") or ".")
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member
