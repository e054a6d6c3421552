"""Comparisons of wheels as a person reads them."""

from collections.abc import Iterator
from itertools import groupby

from rich.text import Text

from factory.comparison.changes import Change, Comparison, Difference, written
from factory.excerpt import listed
from factory.report.text import line

_STYLES: dict[Change, str] = {"lost": "bold red", "narrowed": "yellow"}
_MOST_OF_ONE = 8
_EQUAL = 0.001


def render_comparison(comparison: Comparison) -> Iterator[Text]:
    """Render two wheels: a line with their names and sizes, and one for each difference."""
    yield line(f"{comparison.new}", style="bold")
    yield line(f"  against {comparison.old}: {_size(comparison)}", style="dim")
    if not comparison.differences:
        yield line("  nothing that is compared differs", style="green")
    for change, differences in groupby(comparison.differences, key=lambda difference: difference.change):
        texts = list(map(_said, differences))
        for text in texts[:_MOST_OF_ONE]:
            yield line(f"  {change}: {text}", style=_STYLES.get(change, ""))
        if len(texts) > _MOST_OF_ONE:
            yield line(f"  and {len(texts) - _MOST_OF_ONE} more; --json lists them", style="dim")


def _said(difference: Difference) -> str:
    return f"{difference.message}: {listed(difference.subjects)}" if difference.subjects else difference.message


def _size(comparison: Comparison) -> str:
    sizes = f"{written(comparison.old_bytes)} to {written(comparison.new_bytes)}"
    return f"{sizes} ({comparison.growth:+.0%})" if abs(comparison.growth) > _EQUAL else sizes
