"""Fields of METADATA, WHEEL and PKG-INFO: e-mail headers, with a description below them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from email.utils import parseaddr

from packaging.metadata import InvalidMetadata, Metadata

from factory.untrusted.limits import UntrustedTextError, refuse_longer, refuse_more_lines, refusing
from factory.untrusted.requirements import refuse_costly

_TEXT_BYTES = 1 << 23
_HEAD_CHARACTERS = 1 << 21
_HEAD_LINES = 50_000
_FIELDS = 10_000
_ADDRESS_CHARACTERS = 1 << 12
_NAMES = 100  # `packaging` searches all fields for each of them
_BLANK_LINE = re.compile(r"(?>\r\n|\r|\n){2}")  # or the two halves of a Windows line end would be two
_PARSED = frozenset(  # what `packaging` does more with than to keep it
    {
        *("name", "version", "metadata-version", "requires-python", "requires-dist", "provides-extra"),
        *("license-expression", "license-file", "description-content-type", "dynamic", "import-name", "project-url"),
        "import-namespace",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    r"""Fields by their names in lower case, each with its values in order, and the text below them.

    Bytes that are not UTF-8 are surrogates in `body`, and escapes such as `\xff` in the fields.
    """

    fields: Mapping[str, tuple[str, ...]]
    body: str

    def first(self, name: str) -> str:
        """Return a field's first value, stripped; empty where it is absent."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, stripped, in order."""
        return self.fields.get(name.lower(), ())


def parse_headers(content: bytes) -> Headers:
    """Read fields and the text below them.

    Raises:
        UntrustedTextError: the text, or its fields, are larger than is read.
    """
    head, below = _split(content)
    with refusing("has fields that cannot be read"):
        message = HeaderParser().parsestr(head)
        rest = message.get_payload()
        raw = [(name, str(value)) for name, value in message.raw_items()]
    if len(raw) > _FIELDS:
        raise UntrustedTextError(f"has {len(raw)} fields; at most {_FIELDS} are read")
    fields: dict[str, list[str]] = {}
    for name, value in raw:
        fields.setdefault(_escaped(name).lower(), []).append(_escaped(value).strip())
    return Headers(
        fields={name: tuple(values) for name, values in fields.items()},
        body=(rest if isinstance(rest, str) else "") + below,
    )


def mail_address(text: str) -> str:
    """Return the first address of a field, without the name; empty where there is none.

    Raises:
        UntrustedTextError: the text is longer than is read.
    """
    refuse_longer(text, _ADDRESS_CHARACTERS)
    with refusing("is not an e-mail address"):
        return parseaddr(text)[1]


def judge_metadata(content: bytes) -> tuple[tuple[str, str], ...]:
    """Return each field of METADATA that `packaging` refuses, with its message.

    Raises:
        UntrustedTextError: a field is too long, or nested too deep, to be judged.
    """
    fields = parse_headers(content).fields
    if len(fields) > _NAMES:
        raise UntrustedTextError(f"has {len(fields)} different fields; at most {_NAMES} are judged")
    for name, values in fields.items():
        for value in values if name in _PARSED else ():
            refuse_costly(value)
    head, below = _split(content)
    # Only the encoding of the description is judged; `packaging` would read it line by line, which is slow.
    below = below[:1] if _is_utf8(below) else below
    with refusing("has fields that cannot be judged"):
        try:
            Metadata.from_email((head + below).encode(errors="surrogateescape"))
        except ExceptionGroup as errors:
            return _problems(errors)
    return ()


def _problems(errors: ExceptionGroup[Exception]) -> tuple[tuple[str, str], ...]:
    return tuple((error.field, str(error)) for error in errors.exceptions if isinstance(error, InvalidMetadata))


def _split(content: bytes) -> tuple[str, str]:
    """Split a text at its first empty line, which ends the fields: the e-mail parser reads bodies line by line."""
    if len(content) > _TEXT_BYTES:
        raise UntrustedTextError(f"has {len(content)} bytes; at most {_TEXT_BYTES} are read")
    text = content.decode("utf-8", errors="surrogateescape")
    match = _BLANK_LINE.search(text)
    head, below = (text, "") if match is None else (text[: match.end()], text[match.end() :])
    refuse_longer(head, _HEAD_CHARACTERS)
    refuse_more_lines(head, _HEAD_LINES)
    return head, below


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # surrogates stand for bytes that are not UTF-8
        return False
    return True


def _escaped(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
