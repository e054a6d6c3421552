"""Pass on what a step prints while it runs: whole lines, and a very long line in parts of 64 KiB."""

from codecs import getincrementaldecoder
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from factory.terminal import clean

_MOST = 64 << 10
_LONGEST_USER = 4096  # of a URL: user and password are hidden by their form, and must not be cut before the @


class _Decoder(Protocol):
    def decode(self, piece: bytes, /, final: bool = ...) -> str: ...


def _decoder() -> _Decoder:
    return getincrementaldecoder("utf-8")("replace")


@dataclass(slots=True)
class Echo:
    """Keeps what cannot be passed on yet: at most 64 KiB, one piece, and the longest hidden value.

    `safe` takes hidden values and credentials out of a text; `hidden` are the values that it knows.
    """

    send: Callable[[str], None]
    safe: Callable[[str], str]
    hidden: Collection[str] = ()
    _begun: str = ""
    _decoder: _Decoder = field(default_factory=_decoder)
    _longest: int = field(init=False)
    _held: int = field(init=False)

    def __post_init__(self) -> None:
        self._longest = max(map(len, self.hidden), default=1)  # The second slash of a "//" may still be to come.
        self._held = max((len(value) for value in self.hidden if "\n" in value), default=0)

    def add(self, piece: bytes) -> None:
        """Take the next bytes, however they are cut."""
        # Cleaned first, because an invisible character within a value would keep the value from being recognised.
        self._begun += clean(self._decoder.decode(piece))
        is_long = len(self._begun) >= _MOST + self._longest
        if b"\n" in piece or is_long:
            text = self.safe(self._begun)
            end = self._end_of_lines(text) or (self._within_a_line(text) if is_long else 0)
            self._pass_on(text[:end])
            self._begun = text[end:]

    def end(self) -> None:
        """Pass on what is left, as a line."""
        text = self.safe(self._begun + clean(self._decoder.decode(b"", True)))
        self._begun = ""
        self._pass_on(text if not text or text.endswith("\n") else f"{text}\n")

    def _pass_on(self, text: str) -> None:
        if text:
            self.send(text)

    def _end_of_lines(self, text: str) -> int:
        """Return where the last line ends that cannot be part of a hidden value of several lines."""
        return text.rfind("\n", 0, max(0, len(text) - self._held)) + 1

    def _within_a_line(self, text: str) -> int:
        """Return where a long line may be cut: neither in a value that may be hidden, nor in a URL's credentials."""
        end = max(0, len(text) - self._longest)
        user = text.rfind("//", max(1, end - _LONGEST_USER), end + 1)
        return end if user < 0 else user
