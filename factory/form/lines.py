"""A recipe's bytes as a text whose every place can be named."""

from dataclasses import dataclass, replace

from factory.errors import Span
from factory.form.problems import Problems

SIZE_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A text, its name, and where it begins within the lines that people see.

    The value of `--set` is read by itself, but its places are those of the whole argument.
    """

    file: str
    text: str
    lines: tuple[str, ...]
    first_line: int = 0
    first_column: int = 0

    def span(self, line: int, column: int, length: int = 1) -> Span:
        """Name a place that is counted from 0 within the text."""
        seen_line, seen_column = line + self.first_line, column + (self.first_column if line == 0 else 0)
        if seen_line >= len(self.lines):  # libyaml counts a line after the last one where a text ends unfinished
            seen_line, seen_column = len(self.lines) - 1, len(self.lines[-1])
        text = self.lines[seen_line]
        return Span(file=self.file, line=seen_line + 1, column=seen_column + 1, length=max(1, length), text=text)

    def span_at(self, index: int, length: int = 1) -> Span:
        """Name a place by its index in the text."""
        line = self.text.count("\n", 0, index)
        return self.span(line, index - (self.text.rfind("\n", 0, index) + 1), length)


def read_source(content: bytes, file: str, problems: Problems) -> Source | None:
    """Decode a recipe's bytes; None when they are not text that can be read."""
    lines = tuple(_lines(content[:SIZE_LIMIT_BYTES].decode("utf-8", errors="replace")))
    source = Source(file=file, text="", lines=lines)
    if len(content) > SIZE_LIMIT_BYTES:
        problems.add("is larger than 1 MiB", replace(source.span(0, 0), text=""), hint="shorten it")
        return None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = source.span(*_line_and_column(content, error.start))
        problems.add(f"byte 0x{content[error.start]:02x} is not UTF-8", place, hint="save the file as UTF-8")
        return None
    return replace(source, text=text)


def _line_and_column(content: bytes, offset: int) -> tuple[int, int]:
    start = content.rfind(b"\n", 0, offset) + 1
    return content.count(b"\n", 0, offset), len(content[start:offset].decode("utf-8", errors="replace"))


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.split("\n")]


def source_of(text: str, file: str) -> Source:
    """Wrap a text that is not part of another."""
    return Source(file=file, text=text, lines=tuple(_lines(text)))
