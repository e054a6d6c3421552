"""Pointers of Git LFS: what a repository holds in place of a large file."""

from typing import Final

MARK: Final = b"version https://git-lfs.github.com/spec/"
SIZES: Final = range(len(MARK), 1024)
"""The specification of Git LFS: a pointer begins with its version, and has less than 1024 bytes."""


def is_pointer(content: bytes) -> bool:
    """Whether a file is a pointer."""
    return len(content) in SIZES and content.startswith(MARK)
