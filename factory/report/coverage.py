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


def render_coverage(coverage: Coverage) -> RenderableType:
    """Render one release as a table, with a line below that counts."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("machine", "libc", *heads(coverage)):
        table.add_column(head, no_wrap=True)
    table.add_column("platform tags", overflow="fold")
    for row in rows(coverage):
        cells = (line(short(taken), style=STYLES[taken.kind]) for taken in row.taken)
        table.add_row(line(row.machine), line(row.libc), *cells, line(row.platforms, style="dim"))
    below = [line(text) for text in (*_idle(coverage), closing(coverage))]
    return Group(line(f"{coverage.name} {coverage.version}", style="bold"), table, *below)


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
