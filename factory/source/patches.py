"""Patches, applied by git to an index with the files that they name, never to a folder that a source has written.

`git apply` requires each hunk's context exactly, applies a patch as a whole or not at all, and refuses names that leave
the tree. An index has no links to follow, and no repository of the source's to trust.
"""

import os
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from factory.diagnoses.git import explain_patch
from factory.errors import SourceError
from factory.host import Host
from factory.regular import open_regular
from factory.source.git import ask, contents, first_line, require, sizes
from factory.source.names import Names, resolve_links
from factory.source.tree import Extent, SourceLimits, Tree, TreeFile

_PATCH_BYTES = 16 << 20
_PATCHES_BYTES = 64 << 20
_HEADER = re.compile(rb"^(?:--- |\+\+\+ |diff --git |(?:rename|copy) (?:from|to) ).*$", re.MULTILINE)
_WORD = re.compile(rb"\S+")
_MOST_WORDS = 500_000  # in headers of patches; a line that a patch removes may look like a header
_WORDS_BYTES = 16 << 20
_NAMED_BYTES = 256 << 20  # git gets them all at once
_CHANGES_BYTES = 64 << 20
_PLAIN = re.compile(r"[!#-\[\]-~]+")  # what git writes into a patch as one word, unquoted
_MODES = {"100644": False, "100755": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch, its bytes read once; `name` is the last part of its path in the recipe."""

    name: str
    content: bytes


def read_patches(paths: Sequence[Path]) -> tuple[Patch, ...]:
    """Read the patches of a recipe.

    Raises:
        SourceError: one does not exist, cannot be read, or is listed twice, or they are too large.
    """
    patches: list[Patch] = []
    names: dict[str, Path] = {}
    left_bytes = _PATCHES_BYTES
    for path in paths:
        if (other := names.setdefault(os.path.realpath(path), path)) is not path:
            raise SourceError(f"the patches {other} and {path} are the same file", hint="list each patch once")
        patches.append(_read(path, left_bytes))
        left_bytes -= len(patches[-1].content)
    return tuple(patches)


def _read(path: Path, left_bytes: int) -> Patch:
    most_bytes = min(_PATCH_BYTES, left_bytes)
    try:
        with open_regular(path) as stream:
            content = stream.read(most_bytes + 1)
    except OSError as error:
        raise SourceError(
            f"the patch {path} cannot be read: {error.strerror}", hint="patches lie beside the recipe"
        ) from error
    if len(content) > _PATCH_BYTES:
        raise SourceError(f"the patch {path} is larger than {_PATCH_BYTES} bytes")
    if len(content) > left_bytes:
        raise SourceError(f"the patches up to {path} have more than {_PATCHES_BYTES} bytes together")
    return Patch(name=path.name, content=content)


def patched(tree: Tree, patches: Sequence[Patch], host: Host, folder: Path) -> Tree:
    """Return the tree with patches applied in order; its epoch stays. `folder` is empty and the caller's own.

    Raises:
        SourceError: git is missing, or a patch does not apply, makes a link, or names what is not a file of the tree.
    """
    if not patches:
        return tree
    require(host, "patching")
    _import(tree, patches, host, folder)
    for patch in patches:
        completed = ask(folder, host, "apply", "--cached", "--whitespace=nowarn", "-", stdin=patch.content)
        if completed.returncode != 0:
            raise _refusal(patch, completed.stderr)
        _refuse_links(patch, _changes(host, folder))
    return _edited(tree, _changes(host, folder), host, folder, patches[-1].name)


def _import(tree: Tree, patches: Sequence[Patch], host: Host, folder: Path) -> None:
    """Make a repository whose index has every file of the tree that a patch could name."""
    words = _words(patches)
    named = [path for path in tree.paths if _may_be_named(path, words)]
    size_bytes = sum(tree.files[path].size_bytes for path in named)
    if size_bytes > _NAMED_BYTES:
        raise SourceError(
            f"the files that the patches may change have {size_bytes} bytes; at most {_NAMED_BYTES} are allowed"
        )
    stream = [b"commit refs/heads/source\ncommitter factory <> 0 +0000\ndata 0\n"]
    for path in named:
        content, mode = tree.read(path) or b"", "100755" if tree.files[path].executable else "100644"
        quoted = path.replace("\\", "\\\\").replace('"', '\\"')
        stream.append(f'M {mode} inline "{quoted}"\ndata {len(content)}\n'.encode() + content + b"\n")
    for arguments, stdin in (
        (("init", "--quiet", "--bare", "--template=", "."), b""),
        (("fast-import", "--quiet"), b"".join(stream)),
        (("read-tree", "source"), b""),
    ):
        completed = ask(folder, host, *arguments, stdin=stdin)
        if completed.returncode != 0:
            raise SourceError(f"git cannot import the source: {first_line(completed)}")


def _words(patches: Sequence[Patch]) -> list[str]:
    """Return every word in the headers of patches, with and without its first folder, in order."""
    words = set(_header_words(patches))
    return sorted(words | {word.partition("/")[2] for word in words})


def _header_words(patches: Sequence[Patch]) -> Iterator[str]:
    """Yield every word in the headers of patches.

    Raises:
        SourceError: they are too many, or too long together.
    """
    count = size_bytes = 0
    for patch in patches:
        for line in _HEADER.finditer(patch.content):
            for word in _WORD.finditer(patch.content, line.start(), line.end()):
                count, size_bytes = count + 1, size_bytes + word.end() - word.start()
                if count > _MOST_WORDS or size_bytes > _WORDS_BYTES:
                    raise SourceError(
                        f"the headers up to those of {patch.name} hold more than {_MOST_WORDS} words, "
                        f"or words of more than {_WORDS_BYTES} bytes together"
                    )
                yield re.sub(rb"/{2,}", b"/", word[0]).decode(errors="replace")


def _may_be_named(path: str, words: Sequence[str]) -> bool:
    """Whether a patch could name this file, something below it, or a folder above it.

    Git keeps the name `.git` out of every index and every patch.
    """
    parts = path.split("/")
    if any(part.lower() == ".git" for part in parts):
        return False
    above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    is_named = any(_next(words, name) == name for name in above)
    return is_named or _next(words, f"{path}/").startswith(f"{path}/") or not _PLAIN.fullmatch(path)


def _next(words: Sequence[str], text: str) -> str:
    """Return the first of the sorted words that is not before a text; an empty one if all are."""
    place = bisect_left(words, text)
    return words[place] if place < len(words) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """What the index has at a changed path; a mode of zeros is a removed file."""

    mode: str
    blob: str


def _changes(host: Host, folder: Path) -> Mapping[str, _Changed]:
    listing = ("diff-index", "--cached", "--raw", "--no-renames", "--no-abbrev", "-z", "source")
    completed = ask(folder, host, *listing, most_bytes=_CHANGES_BYTES)
    fields = completed.stdout.decode(errors="surrogateescape").split("\0")
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return {path: _Changed(mode=raw.split()[1], blob=raw.split()[3]) for raw, path in pairs if raw}


def _refuse_links(patch: Patch, changes: Mapping[str, _Changed]) -> None:
    for path, now in changes.items():
        if now.mode.strip("0") and now.mode not in _MODES:
            what = "a link" if now.mode == "120000" else "a submodule"
            raise SourceError(
                f"{patch.name} makes {path!a} {what}; patches may only change files",
                hint="write the file itself, or do it in build.before",
            )


def _edited(tree: Tree, changes: Mapping[str, _Changed], host: Host, folder: Path, name: str) -> Tree:
    extents = {extent.file.path: extent for extent in tree.extents if extent.file.path not in changes}
    names = Names(name, tree.spool.limits)
    written = {path: now for path, now in changes.items() if now.mode in _MODES}
    blobs = [now.blob for now in written.values()]
    for (path, now), pieces in zip(written.items(), _contents(blobs, host, folder, name, names.limits), strict=True):
        clean = names.path(path)
        offset, size_bytes = tree.spool.add(pieces, name)
        executable = _MODES[now.mode]
        file = TreeFile(path=clean, executable=executable, mtime_s=tree.epoch_s, size_bytes=size_bytes)
        extents[clean] = Extent(offset=offset, file=file)
    kept = resolve_links(extents.values(), {}, names)
    return Tree.of(tree.spool, kept, epoch_s=tree.epoch_s, left_out=tree.left_out)


def _contents(
    blobs: Sequence[str], host: Host, folder: Path, name: str, limits: SourceLimits
) -> Iterator[Iterator[bytes]]:
    """Yield the bytes of blobs, after a check of their total: a patch can copy a file again and again.

    Raises:
        SourceError: they are too large together.
    """
    sizes_bytes = sizes(folder, host, blobs)
    if sum(sizes_bytes) > limits.total_bytes:
        raise SourceError(f"{name} makes files of more than {limits.total_bytes} bytes")
    return contents(folder, host, blobs, sizes_bytes)


def _refusal(patch: Patch, output: str) -> SourceError:
    diagnosis = explain_patch(output)
    return SourceError(f"{patch.name} {diagnosis.sentence}", hint=diagnosis.hint)
