"""A project's page of a package index (PEP 503, PEP 691): reads its files at a cost that the page's size bounds.

HTML is read tag by tag, without building a tree: a page may nest as deeply as its server likes.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Final, NamedTuple
from urllib.parse import urljoin

import pypi_simple
from packaging.utils import NormalizedName
from pypi_simple import DistributionPackage, Link, ProjectPage

from factory.untrusted import UntrustedTextError, parse_json, parse_version

PAGE_BYTES: Final = 32 << 20
"""A page of the largest projects has a fifth of it."""

_JSON: Final = "application/vnd.pypi.simple.v1+json"
_HTML: Final = ("application/vnd.pypi.simple.v1+html", "text/html")
_FILES: Final = 50_000
_TAGS: Final = 500_000
_VALUES: Final = 1_500_000  # in JSON; each costs some hundred bytes
_NAME_CHARACTERS: Final = 300  # more than any file system lets a name have
_URL_CHARACTERS: Final = 4096
_TAG_CHARACTERS: Final = 1 << 14
_CHARSETS: Final = ("utf-8", "us-ascii", "iso-8859-1", "windows-1252")
_CHARSET: Final = re.compile(r"""charset=["']?([\w-]{1,20})""")
_START: Final = re.compile(r"<!--|<(?=/?[A-Za-z])")
_TAG: Final = re.compile(r"""<(/?[A-Za-z][^\s/<>]{0,50})((?:[^"'<>]|"[^"]{0,4096}"|'[^']{0,4096}'){0,4096})>""")
_ATTRIBUTE: Final = re.compile(r"""([^\s"'=<>/]{1,100})(?:\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_RAW: Final = ("script", "style")  # what they hold is not HTML


class PageError(ValueError):
    """An index's answer is not a project's page, or too much; the message says why."""


def read_page(content: bytes, kind: str, url: str, name: NormalizedName) -> list[DistributionPackage]:
    """Read the files that a page lists; `kind` is its Content-Type.

    Raises:
        ValueError: it is not such a page, lists too much, or belongs to a later API (PEP 629).
    """
    media, _, parameters = kind.lower().partition(";")
    with warnings.catch_warnings():
        # A newer minor version of the API is readable by rule (PEP 629).
        warnings.simplefilter("ignore", pypi_simple.UnexpectedRepoVersionWarning)
        if media.strip() == _JSON:
            packages = _of_json(content, url, name)
        elif media.strip() in _HTML:
            packages = _of_html(_decoded(content, parameters), url, name)
        else:
            raise PageError(f"it is {media.strip()[:50]!a}")
        listed: list[DistributionPackage] = []
        for package in packages:
            if len(package.filename) > _NAME_CHARACTERS or len(package.url) > _URL_CHARACTERS:
                raise PageError(
                    f"it lists a file name of {len(package.filename)} characters with a URL of {len(package.url)}; "
                    f"at most {_NAME_CHARACTERS} and {_URL_CHARACTERS} are read"
                )
            if len(listed) == _FILES:
                raise PageError(f"it lists more than {_FILES} files")
            listed.append(package)
        return listed


def _of_json(content: bytes, url: str, name: NormalizedName) -> Iterator[DistributionPackage]:
    try:
        page = parse_json(content, most_bytes=PAGE_BYTES, most_elements=_VALUES)
    except UntrustedTextError as error:
        raise PageError(f"it {error}") from error
    if not isinstance(page, dict) or not isinstance(files := page.get("files", []), list):
        raise PageError("it is not an object with a list of files")
    ProjectPage.from_json_data({"meta": page.get("meta"), "name": str(name), "files": []})  # checks the API's version
    for file in files:
        if isinstance(file, dict) and len(str(file.get("filename"))) > _NAME_CHARACTERS:
            raise PageError("it lists a file with a name that no file can have")
        yield DistributionPackage.from_json_data(file, name, url)


def _decoded(content: bytes, parameters: str) -> str:
    match = _CHARSET.search(parameters)
    charset = match[1] if match and match[1] in _CHARSETS else "utf-8"
    return content.decode(charset, errors="replace")


class _Tag(NamedTuple):
    """A tag, a slash before its name if it ends an element, and the text since the tag before it."""

    name: str
    attributes: str
    text: str


def _tags(html: str) -> Iterator[_Tag]:
    """Yield tags in order; comments and the contents of scripts and styles are skipped."""
    begun, count, start = 0, 0, _START.search(html)
    while start is not None:
        if start[0] == "<!--":
            end = html.find("-->", start.end())
            start = _START.search(html, end) if end >= 0 else None
            continue
        match, count = _TAG.match(html, start.start()), count + 1
        if match is None or match.end() - start.start() > _TAG_CHARACTERS:
            raise PageError("it holds a tag that never ends, or one without a name")
        if count > _TAGS:
            raise PageError(f"it holds more than {_TAGS} tags")
        name, attributes = match[1].lower(), match[2]
        yield _Tag(name, attributes, html[begun : start.start()])
        begun = match.end()
        raw = html.find(f"</{name}", begun) if name in _RAW else begun
        start = _START.search(html, raw) if raw >= 0 else None


@dataclass(slots=True)
class _Anchor:
    """A link that is being read; no more of its text is kept than a name may have."""

    attributes: Mapping[str, str]
    text: str = ""

    def add(self, text: str) -> None:
        if len(self.text) <= _NAME_CHARACTERS:
            self.text += text[: _NAME_CHARACTERS * 10]


@dataclass(slots=True)
class _Reader:
    """What was read of an HTML page so far."""

    url: str
    name: NormalizedName
    anchor: _Anchor | None = None
    is_based: bool = field(default=False)

    def see(self, tag: _Tag) -> DistributionPackage | None:
        """Take a tag; return the file whose link it ends."""
        if self.anchor is not None:
            self.anchor.add(tag.text)
        ended = self.end() if tag.name in ("a", "/a") else None
        if tag.name == "a":
            self.anchor = _Anchor(_attributes(tag.attributes))
        elif tag.name == "base" and not self.is_based:
            self.url = urljoin(self.url, _attributes(tag.attributes).get("href", ""))
            self.is_based = True
        elif tag.name == "meta":
            _judge_version(_attributes(tag.attributes))
        return ended

    def end(self) -> DistributionPackage | None:
        """Return the file of the link that is open, if there is one."""
        anchor, self.anchor = self.anchor, None
        if anchor is None or "href" not in anchor.attributes:
            return None
        url = urljoin(self.url, anchor.attributes["href"])
        link = Link(text=unescape(anchor.text).strip(), url=url, attrs={**anchor.attributes})
        return DistributionPackage.from_link(link, self.name) if 0 < len(link.text) <= _NAME_CHARACTERS else None


def _of_html(html: str, url: str, name: NormalizedName) -> Iterator[DistributionPackage]:
    reader = _Reader(url, name)
    for tag in _tags(html):
        if (package := reader.see(tag)) is not None:
            yield package
    if (package := reader.end()) is not None:
        yield package


def _attributes(text: str) -> Mapping[str, str]:
    attributes: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        attributes.setdefault(match[1].lower(), unescape(match[2] or match[3] or match[4] or ""))
    return attributes


def _judge_version(attributes: Mapping[str, str]) -> None:
    declared = attributes.get("content", "")
    if attributes.get("name") == "pypi:repository-version" and parse_version(declared[:50]).major > 1:
        raise PageError(f"it is of version {declared[:50]!a} of the API (PEP 629)")
