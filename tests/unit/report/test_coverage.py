"""Coverage as people read it: in the terminal, as Markdown, and as a card."""

from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from factory.coverage.choice import Coverage, Offer, coverage
from factory.coverage.rows import closing, heads, rows, short
from factory.report.coverage import render_coverage, render_markdown
from factory.report.coverage_card import render_card

SVG = "{http://www.w3.org/2000/svg}"
FILES = (
    "demo-1.0-cp39-abi3-manylinux_2_34_x86_64.whl",
    "demo-1.0-cp314-cp314t-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    "demo-1.0.tar.gz",
)


def make_coverage(*filenames: str, requires_python: str = ">=3.10") -> Coverage:
    offers = [Offer(filename=name, requires_python=requires_python) for name in filenames or FILES]
    (release,) = coverage(offers, ["x86_64"])
    return release


def test_neighbouring_versions_of_a_libc_are_joined_where_they_get_the_same() -> None:
    assert [(row.machine, row.libc, row.platforms) for row in rows(make_coverage())] == [
        ("x86_64", "glibc 2.28 to 2.31", "manylinux_2_17"),
        ("x86_64", "glibc 2.34 to 2.41", "manylinux_2_34, manylinux_2_17"),
        ("x86_64", "musl 1.2", "-"),
    ]


def test_a_cell_names_the_abi_of_the_wheel_the_sdist_or_nothing() -> None:
    release = make_coverage()
    old, new, _ = rows(release)

    cells = dict(zip(heads(release), zip(map(short, old.taken), map(short, new.taken), strict=True), strict=True))
    assert cells["3.9"] == ("-", "-")
    assert cells["3.13"] == ("sdist", "abi3")
    assert cells["3.14t"] == ("cp314t", "cp314t")
    assert cells["3.15t"] == ("sdist", "sdist")


@pytest.mark.parametrize(
    ("tag", "cell"),
    [("py2.py3-none-any", "py3"), ("cp313-cp313-linux_x86_64", "cp313"), ("cp313-abi3.abi3t-linux_x86_64", "abi3t")],
)
def test_the_abi_of_a_compressed_tag_is_its_last(tag: str, cell: str) -> None:
    release = make_coverage(f"demo-1.0-{tag}.whl")

    assert cell in {short(taken) for taken in release.taken}


def test_every_environment_is_counted_once() -> None:
    release = make_coverage()

    assert closing(release) == "of 80 environments 37 get a wheel, 35 get the sdist, 8 are excluded by Requires-Python"


def test_the_terminal_shows_sdists_and_nothing_in_colours_of_their_own() -> None:
    console = Console(force_terminal=True, color_system="standard", width=200, record=True)

    with console.capture() as capture:
        console.print(render_coverage(make_coverage(*FILES[:2]), console.width))
    alone = capture.get()
    with console.capture() as capture:
        console.print(render_coverage(make_coverage(), console.width))

    assert "\x1b[1;31mnone\x1b[0m" in alone
    assert "\x1b[33msdist\x1b[0m" in capture.get()
    assert "none" not in capture.get()


def test_markdown_has_a_row_for_each_joined_platform_and_marks_what_is_no_wheel() -> None:
    lines = render_markdown(make_coverage()).splitlines()

    assert lines[4].startswith("| x86_64 | glibc 2.28 to 2.31 | - | 📦 sdist |")
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert "❌ none" in render_markdown(make_coverage(*FILES[:2]))


def test_the_card_is_an_image_with_its_text_and_without_script_or_foreign_source() -> None:
    text = render_card(make_coverage())
    card = ET.fromstring(text)

    assert (card.attrib["role"], card.attrib["aria-labelledby"]) == ("img", "title words")
    words = card.findtext(f"{SVG}desc") or ""
    assert "x86_64, glibc 2.34 to 2.41: cp39 gets nothing, by Requires-Python; " in words
    assert "cp313t, cp315t get the sdist." in words
    assert {element.tag.removeprefix(SVG) for element in card.iter()} == {
        *("svg", "title", "desc", "style", "rect", "text")
    }
    assert text.count("http") == 1  # the name space


def test_the_card_has_a_coloured_cell_for_each_interpreter_in_each_row() -> None:
    release = make_coverage()

    kinds = [element.attrib["class"] for element in ET.fromstring(render_card(release)).iter(f"{SVG}rect")]
    assert kinds == ["card", *(taken.kind for row in rows(release) for taken in row.taken)]


def test_no_text_of_the_card_reaches_beyond_it() -> None:
    card = ET.fromstring(render_card(make_coverage()))
    width, height = float(card.attrib["width"]), float(card.attrib["height"])

    for element in card.iter(f"{SVG}text"):
        characters = len(element.text or "") * 9 / (1 if "cell" not in element.get("class", "") else 2)
        assert float(element.attrib["x"]) + characters < width
        assert float(element.attrib["y"]) < height


@pytest.mark.parametrize("width", [200, 80, 60, 46])
def test_no_name_is_cut_however_narrow_the_terminal_is(width: int) -> None:
    console = Console(width=width)
    with console.capture() as captured:
        console.print(render_coverage(make_coverage(), width))

    text = captured.get()
    assert "…" not in text
    words = text.split()
    for name in (*heads(make_coverage()), "abi3", "cp314t", "sdist", "platform"):
        assert name in words
    assert max(map(len, text.splitlines())) <= width
