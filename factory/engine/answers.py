"""Answers of an engine, read as a whole or line by line, within limits of bytes and time."""

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from time import monotonic
from typing import Final, TypeVar, cast

import requests
from requests.adapters import BaseAdapter
from urllib3.exceptions import HTTPError

from factory.engine.posture import Json
from factory.untrusted import UntrustedTextError, parse_json
from factory.waiting import unless

T = TypeVar("T")

WHOLE_BYTES: Final = 64 << 20
"""A list of 30 000 images with their labels; all other answers are far smaller."""

_LINE_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 1 << 16


class AnswerTooLargeError(requests.RequestException):
    """The answer is larger than any answer of an engine."""


class AnswerTooSlowError(requests.RequestException):
    """The answer goes on and on: it began, but has not ended in `within_s`."""

    def __init__(self, within_s: float) -> None:
        """Keep the time."""
        super().__init__(f"its answer had not ended after {within_s:g} s")
        self.within_s = within_s


class WholeAnswers(BaseAdapter):
    """Sends requests by another adapter, and reads what is not a stream within limits.

    An answer has twice the time in which it must begin. Where a request sends a stream, that time is its answer's own.
    """

    def __init__(self, adapter: BaseAdapter) -> None:
        """Take the adapter that sends."""
        super().__init__()
        self._adapter = adapter

    def send(  # type: ignore[override]  # all that requests passes on, and nothing else
        self, request: requests.PreparedRequest, *, stream: bool, timeout: int, **settings: object
    ) -> requests.Response:
        """Return an answer; its body is in memory, unless a stream was asked for and the engine agreed.

        Raises:
            AnswerTooLargeError: it is too large.
            AnswerTooSlowError: it does not end.
        """
        call = partial(self._adapter.send, request, stream=True, timeout=timeout, **settings)  # type: ignore[arg-type]
        is_upload = request.body is not None and not isinstance(request.body, str | bytes)
        answer = call() if is_upload else _within(2 * timeout, call)
        if not (stream and answer.ok and not answer.is_redirect):
            answer.raw = BytesIO(_within(2 * timeout, lambda: _whole(answer)))
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        self._adapter.close()


def _within(time_s: float, call: Callable[[], T]) -> T:
    """Make a call that is given up when it is late: its thread then waits for the engine until the program ends."""
    try:
        return unless(None, call, until=monotonic() + time_s)
    except TimeoutError as error:
        raise AnswerTooSlowError(time_s) from error


def _whole(answer: requests.Response) -> bytes:
    content = bytearray()
    try:
        for piece in answer.raw.stream(_PIECE_BYTES, decode_content=True):
            content += piece
            if len(content) > WHOLE_BYTES:
                answer.close()
                raise AnswerTooLargeError(f"its answer is larger than {WHOLE_BYTES >> 20} MiB")
    except HTTPError as error:
        raise requests.ConnectionError(error) from error
    answer.raw.release_conn()
    return bytes(content)


def json_lines(answer: requests.Response) -> Iterator[Json]:
    """Yield the objects of an answer that has one on each line, as they come; other lines are passed over.

    Raises:
        AnswerTooLargeError: a line is too long to be one.
        RequestException: a line is not what it begins as, or the connection fails.
    """
    for line in _lines(answer):
        if line.startswith(b"{"):
            try:
                yield cast("Json", parse_json(line))
            except UntrustedTextError as error:
                raise requests.RequestException(f"a line of its answer {error}") from error


def _lines(answer: requests.Response) -> Iterator[bytes]:
    rest = b""
    for piece in answer.iter_content(requests.models.ITER_CHUNK_SIZE):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.strip() for line in lines)
        if len(rest) > _LINE_BYTES:
            raise AnswerTooLargeError(f"a line of its answer is longer than {_LINE_BYTES >> 20} MiB")
    yield rest.strip()
