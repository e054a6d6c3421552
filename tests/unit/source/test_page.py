"""Index pages are read as their servers mean them, and hostile ones at a cost that their size bounds."""

import json

import pytest
from packaging.utils import canonicalize_name

from factory.source.page import PageError, read_page
from tests.budgets import within_cpu, within_memory

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"
URL = "https://example.org/simple/demo/"
NAME = canonicalize_name("demo")


def html(text: str) -> list[tuple[str, str]]:
    return [(package.filename, package.url) for package in read_page(text.encode(), HTML, URL, NAME)]


def test_links_of_html_are_read_with_all_that_stands_in_them() -> None:
    page = """<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.3">
    <title>a < b</title><script>if (a<b) { x = "<a href='no'>no.tar.gz</a>" }</script></head><body>
    <!-- <a href="hidden">hidden-1.0.tar.gz</a> -->
    <A class=x HREF='../../files/demo-1.0.tar.gz#sha256=00ff' data-requires-python=">=3.9"
      data-yanked="it is &lt;bad&gt;">
      demo-1.0<b>.tar</b>.gz
    </a><br/>
    <a href=demo-2.0.tar.gz>demo-2.0.tar.gz</a><a name=nowhere>x</a></body></html>"""

    first, second = read_page(page.encode(), HTML, URL, NAME)

    assert (first.filename, first.url) == ("demo-1.0.tar.gz", "https://example.org/files/demo-1.0.tar.gz")
    assert (first.digests, first.version) == ({"sha256": "00ff"}, "1.0")
    assert (first.requires_python, first.yanked_reason) == (">=3.9", "it is <bad>")
    assert (second.filename, second.url) == ("demo-2.0.tar.gz", f"{URL}demo-2.0.tar.gz")


def test_a_base_changes_where_links_lead() -> None:
    page = '<base href="https://files.example.org/"><a href="d/demo-1.0.zip">demo-1.0.zip</a>'

    assert html(page) == [("demo-1.0.zip", "https://files.example.org/d/demo-1.0.zip")]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "page",
    [
        pytest.param("<a" * 2_000_000, id="tags without end"),
        pytest.param('<a href="' * 500_000, id="quotes"),
        pytest.param("<a href='x" + "x" * 4_000_000, id="one quote"),
        pytest.param("<a " + "b=c " * 1_000_000 + ">", id="attributes"),
        pytest.param("<b>" * 500_001, id="tags"),
        pytest.param('<meta name="pypi:repository-version" content="2.0">', id="a later version"),
        pytest.param("<a href=x>demo-1.0.zip</a>" * 50_001, id="files"),
        pytest.param(f"<a href='{'x' * 4090}{'y' * 4090}'>demo-1.0.zip</a>", id="a long address"),
    ],
)
def test_html_without_end_is_refused_at_once(page: str) -> None:
    with within_cpu(60), pytest.raises(ValueError, match="it "):
        html(page)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "page",
    [
        pytest.param("<b>" * 400_000, id="nesting"),
        pytest.param("</b>" * 400_000, id="ends of nothing"),
        pytest.param("<!--" * 1_000_000, id="comments without end"),
        pytest.param("<!---->" * 500_000, id="comments"),
        pytest.param("<" * 4_000_000, id="angle brackets"),
        pytest.param("<script>" * 500_000, id="scripts without end"),
        pytest.param("<a>" * 400_000, id="links to nothing"),
        pytest.param("<a href=x>" + "x" * 8_000_000, id="a long name"),
        pytest.param("&" * 4_000_000, id="ampersands"),
        pytest.param("<a href=x>" + "&lt" * 1_000_000 + "</a>", id="references"),
        pytest.param("\n" * 4_000_000, id="line feeds"),
    ],
)
def test_html_that_lists_nothing_is_read_in_time_that_grows_with_it(page: str) -> None:
    with within_cpu(30):
        assert html(page) == []


@pytest.mark.thorough
def test_html_costs_no_tree() -> None:
    with within_memory(60 << 20):
        html("<b>" * 100_000)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("page", "says"),
    [
        pytest.param(b"[" * 100_000 + b"]" * 100_000, "nested too deep", id="lists in lists"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep", id="objects in objects"),
        pytest.param(b"[" + b"[]," * 1_000_000 + b"[]]", "more than 1500000 elements", id="values"),
        pytest.param(b"[]", "not an object with a list", id="a list"),
        pytest.param(b'{"files": {}}', "not an object with a list", id="files that are no list"),
    ],
)
def test_json_that_is_too_much_or_of_another_shape_is_refused(page: bytes, says: str) -> None:
    with within_cpu(10), pytest.raises(PageError, match=says):
        read_page(page, JSON, URL, NAME)


@pytest.mark.parametrize("filename", ["x" * 301, "-1" * 1_000_000, "a.b-" * 100_000])
def test_a_name_that_no_file_can_have_is_refused_before_it_is_parsed(filename: str) -> None:
    file = {"filename": filename, "url": "x", "hashes": {}}
    page = {"meta": {"api-version": "1.0"}, "name": "demo", "files": [file]}

    with within_cpu(5), pytest.raises(PageError, match="a name that no file can have"):
        read_page(json.dumps(page).encode(), JSON, URL, NAME)


@pytest.mark.thorough
def test_a_project_of_many_files_fits_into_memory() -> None:
    file = b'{"filename": "demo-1.0.tar.gz", "url": "x", "hashes": {}}'
    page = b'{"meta": {"api-version": "1.1"}, "name": "demo", "files": [%s]}' % b",".join([file] * 5000)

    with within_memory(25 << 20):
        packages = read_page(page, JSON, URL, NAME)

    assert len(packages) == 5000


def test_what_is_neither_json_nor_html_is_named() -> None:
    with pytest.raises(PageError, match="it is 'image/png'"):
        read_page(b"", "image/png", URL, NAME)
