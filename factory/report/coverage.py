"""Coverage as a table in the terminal and in Markdown."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from factory.coverage.choice import Coverage, Kind
from factory.coverage.rows import closing, heads, rows, short
from factory.excerpt import listed
from factory.report.summary import escape
from factory.report.text import line

STYLES: dict[Kind, str] = {"wheel": "green", "sdist": "yellow", "excluded": "dim", "nothing": "bold red"}
_MARKS: dict[Kind, str] = {"wheel": "", "sdist": "📦 ", "excluded": "", "nothing": "❌ "}
_FEW = 3
_GAP = 2
_LEAST = len("manylinux_2_28")  # of the last column, which folds what is longer


def render_coverage(coverage: Coverage, width: int) -> RenderableType:
    """Render one release as a table, with a line below that counts.

    Where `width` characters do not hold all interpreters, it is several tables, one below the other.
    """
    below = [line(text) for text in (*_idle(coverage), closing(coverage))]
    tables = [_table(coverage, chosen) for chosen in _parts(coverage, width)]
    return Group(line(f"{coverage.name} {coverage.version}", style="bold"), *tables, *below)


def _table(coverage: Coverage, chosen: range) -> Table:
    """Show some of the interpreters; the platforms of their wheels stand behind the last one."""
    names = heads(coverage)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("machine", "libc", *(names[number] for number in chosen)):
        table.add_column(head, no_wrap=True)
    is_last = chosen.stop == len(names)
    if is_last:
        table.add_column("platform tags", overflow="fold")
    for row in rows(coverage):
        cells = (line(short(row.taken[number]), style=STYLES[row.taken[number].kind]) for number in chosen)
        platforms = [line(row.platforms, style="dim")] if is_last else []
        table.add_row(line(row.machine), line(row.libc), *cells, *platforms)
    return table


def _parts(coverage: Coverage, width: int) -> Iterator[range]:
    """Yield which interpreters fit into a table beside each other; each has one at least."""
    found, names = rows(coverage), heads(coverage)
    columns = [max(len(name), *(len(short(row.taken[number])) for row in found)) for number, name in enumerate(names)]
    machine = max(map(len, ("machine", *(row.machine for row in found))))
    libc = max(map(len, ("libc", *(row.libc for row in found))))
    left = machine + _GAP + libc
    first, used = 0, left
    for number, column in enumerate(columns):
        own = _GAP + column + (_GAP + _LEAST if number == len(columns) - 1 else 0)
        if number > first and used + own > width:
            yield range(first, number)
            first, used = number, left
        used += own
    yield range(first, len(columns))


def _idle(coverage: Coverage) -> Iterator[str]:
    if coverage.idle:
        yield f"taken in none of these environments: {listed(coverage.idle, most=_FEW)}"


def render_markdown(coverage: Coverage) -> str:
    """Write one release as a Markdown table."""
    head = ("machine", "libc", *heads(coverage), "platform tags")
    lines = [f"### {escape(f'{coverage.name} {coverage.version}')}", "", _line(head), _line(["---"] * len(head))]
    for row in rows(coverage):
        cells = (f"{_MARKS[taken.kind]}{short(taken)}" for taken in row.taken)
        lines.append(_line((row.machine, row.libc, *cells, row.platforms)))
    return "\n".join([*lines, "", *(f"{escape(text)}  " for text in (*_idle(coverage), closing(coverage)))]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
