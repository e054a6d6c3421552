"""What tells a project from every other, whichever state of it is built: where its source comes from."""

from collections.abc import Iterable
from typing import assert_never

from factory.digest import Digest
from factory.keys import key
from factory.recipe.model import GitSource, PathSource, SdistSource, SourceRef, UrlSource


def origin_of(source: SourceRef, indexes: Iterable[str]) -> Digest:
    """Return the digest of a source's origin: an index and a name, a URL, or a folder, but no version or commit.

    A name alone would not do: another project could have the same.
    """
    match source:
        case SdistSource():
            return key({"sdist": str(source.name), "indexes": list(indexes)})
        case GitSource():
            return key({"git": source.url})
        case UrlSource():
            return key({"url": source.url})
        case PathSource():
            return key({"path": str(source.path.absolute())})
        case _:
            assert_never(source)
