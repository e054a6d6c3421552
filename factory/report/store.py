"""What a store holds, as tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from factory.digest import Digest
from factory.report.text import line
from factory.store.inventory import Blob, Result
from factory.store.sweep import Swept

SHARED = "(shared by projects)"
_ALONE = "(no result)"
_PER_GB, _PER_MB = 10**9, 10**6


@dataclass(slots=True)
class Share:
    """What one stage or project has in a store: results, their blobs, and when the last was used, in ns since 1970."""

    name: str
    results: int = 0
    files_bytes: int = 0
    used_ns: int = 0
    blobs: set[Digest] = field(default_factory=set)

    def add(self, result: Result) -> None:
        """Count one more result."""
        self.results += 1
        self.files_bytes += result.size_bytes
        self.used_ns = max(self.used_ns, result.used_ns)
        self.blobs.update(result.blobs)

    def size_bytes(self, sizes: Mapping[Digest, int]) -> int:
        """Return what its results and their blobs take; a blob of several results counts once."""
        return self.files_bytes + sum(sizes.get(digest, 0) for digest in self.blobs)


def shares(results: Iterable[Result], name_of: Callable[[Result], str]) -> Sequence[Share]:
    """Group results by a name."""
    groups: dict[str, Share] = {}
    for result in results:
        name = name_of(result)
        groups.setdefault(name, Share(name)).add(result)
    return tuple(groups.values())


def render_store(
    path: str, stages: Sequence[Share], projects: Sequence[Share], blobs: Sequence[Blob], *, limit_bytes: int
) -> RenderableType:
    """Render the size of a store, by stage and by project, the largest first."""
    sizes = {blob.digest: blob.size_bytes for blob in blobs}
    whole_bytes = sum(sizes.values()) + sum(share.files_bytes for share in stages)
    count = sum(share.results for share in stages)
    alone = _alone(stages, blobs)
    head = f"{path}: {sized(whole_bytes)} in {_counted(count, 'result')} and {_counted(len(sizes), 'blob')}"
    parts: list[RenderableType] = [line(head, style="bold"), Text()]
    parts += [_table("stage", [*stages, *([alone] if alone.blobs else [])], sizes), Text()]
    parts += [_table("project", projects, sizes), Text()]
    parts.append(line("a blob that several results need is counted in each of their rows", style="dim"))
    if whole_bytes > limit_bytes:
        parts.append(line(f"`factory store gc` would shrink it to {sized(limit_bytes)}", style="yellow"))
    return Group(*parts)


def _alone(stages: Iterable[Share], blobs: Sequence[Blob]) -> Share:
    """Put together the blobs that no result names."""
    named = set[Digest]().union(*(share.blobs for share in stages))
    left = [blob for blob in blobs if blob.digest not in named]
    used_ns = max((blob.used_ns for blob in left), default=0)
    return Share(_ALONE, blobs={blob.digest for blob in left}, used_ns=used_ns)


def _table(kind: str, rows: Iterable[Share], sizes: Mapping[Digest, int]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in (kind, "results", "size", "last used"):
        table.add_column(name, justify="left" if name in (kind, "last used") else "right", overflow="fold")
    for share in sorted(rows, key=lambda share: share.size_bytes(sizes), reverse=True):
        cells = (share.name or SHARED, str(share.results or "-"), sized(share.size_bytes(sizes)), _day(share.used_ns))
        table.add_row(*map(line, cells))
    return table


def swept_text(swept: Swept, *, dry: bool) -> str:
    """Say in one line what a sweep did."""
    if not swept.freed_bytes:
        return f"nothing to remove: {sized(swept.left_bytes)} are in the store"
    what = f"{_counted(swept.results, 'result')} and {_counted(swept.blobs, 'blob')}, {sized(swept.freed_bytes)}"
    return f"{'would remove' if dry else 'removed'} {what}; {sized(swept.left_bytes)} {'would stay' if dry else 'stay'}"


def sized(size_bytes: int) -> str:
    """Write a size for people."""
    if size_bytes >= _PER_GB:
        return f"{size_bytes / _PER_GB:.2f} GB"
    return f"{size_bytes / _PER_MB:.1f} MB"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _day(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // 10**9, UTC):%Y-%m-%d %H:%M} UTC" if time_ns else "-"
