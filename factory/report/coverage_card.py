"""Coverage as an SVG card for a README: no script, no font of its own, and its text for those who hear it."""

from xml.etree import ElementTree as ET

from factory.coverage.choice import Coverage, Kind
from factory.coverage.rows import Row, closing, heads, rows, short
from factory.terminal import plain

_MARGIN, _MACHINE, _LIBC, _CELL, _LINE = 16, 74, 142, 58, 26
_TITLE, _HEAD = 26, 24
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"
_STYLE = """
text { font: 12px %s; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.dim { fill: #59636e }
.card { fill: #ffffff; stroke: #d1d9e0 }
.cell { text-anchor: middle }
.wheel { fill: #dafbe1 } .sdist { fill: #fff1c2 } .nothing { fill: #ffcecb } .excluded { fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.dim { fill: #9198a1 }
.card { fill: #0d1117; stroke: #3d444d }
.wheel { fill: #12452a } .sdist { fill: #5a4300 } .nothing { fill: #791c22 } .excluded { fill: none }
}
"""
_WORDS: dict[Kind, str] = {
    "wheel": "a wheel",
    "sdist": "the sdist",
    "nothing": "nothing",
    "excluded": "nothing, by Requires-Python",
}


def render_card(coverage: Coverage) -> str:
    """Write one release as an SVG image; a title and a description say in words what it shows."""
    columns, lines = heads(coverage), rows(coverage)
    width = 2 * _MARGIN + _MACHINE + _LIBC + _CELL * len(columns)
    height = 2 * _MARGIN + _TITLE + _HEAD + _LINE * len(lines) + _LINE
    card = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "aria-labelledby": "title words",
        },
    )
    title = plain(f"{coverage.name} {coverage.version}")
    ET.SubElement(card, "title", {"id": "title"}).text = f"{title}: the file for each CPython, libc and machine"
    ET.SubElement(card, "desc", {"id": "words"}).text = " ".join([*map(_spoken, lines), f"{closing(coverage)}."])
    ET.SubElement(card, "style").text = _STYLE % _FONT
    frame = {"x": "0.5", "y": "0.5", "width": str(width - 1), "height": str(height - 1), "rx": "8", "class": "card"}
    ET.SubElement(card, "rect", frame)
    _text(card, title, _MARGIN, _MARGIN + 12, "title")
    top = _MARGIN + _TITLE
    for number, head in enumerate(columns):
        _text(card, head, _center(number), top + 12, "dim cell")
    for number, row in enumerate(lines):
        _draw(card, row, top + _HEAD + number * _LINE)
    _text(card, closing(coverage), _MARGIN, height - _MARGIN, "dim")
    ET.indent(card)
    return ET.tostring(card, encoding="unicode") + "\n"


def _center(column: int) -> int:
    return _MARGIN + _MACHINE + _LIBC + _CELL * column + _CELL // 2


def _draw(card: ET.Element, row: Row, top: int) -> None:
    _text(card, row.machine, _MARGIN, top + 15, "")
    _text(card, row.libc, _MARGIN + _MACHINE, top + 15, "dim")
    for number, taken in enumerate(row.taken):
        left = _center(number) - _CELL // 2
        place = {"x": str(left + 1), "y": str(top + 1), "width": str(_CELL - 2), "height": str(_LINE - 4), "rx": "4"}
        ET.SubElement(card, "rect", {**place, "class": taken.kind})
        _text(card, short(taken), _center(number), top + 16, "cell")


def _text(card: ET.Element, text: str, x: int, y: int, kind: str) -> None:
    ET.SubElement(card, "text", {"x": str(x), "y": str(y), **({"class": kind} if kind else {})}).text = text


def _spoken(row: Row) -> str:
    """Say a row in words: `x86_64, glibc 2.28 to 2.41: cp39, cp310 get a wheel; cp315 gets the sdist`."""
    groups: dict[Kind, list[str]] = {}
    for taken in row.taken:
        groups.setdefault(taken.kind, []).append(taken.interpreter)
    parts = "; ".join(f"{', '.join(names)} {_verb(names)} {_WORDS[kind]}" for kind, names in groups.items())
    return f"{row.machine}, {row.libc}: {parts}."


def _verb(names: list[str]) -> str:
    return "gets" if len(names) == 1 else "get"
