"""Response: the answer to an outgoing request, and the reader that takes an answer in.

The reader follows the habit of curl: the status line and the complete headers are the answer.
An error in the body, such as a wrong length or an end in the middle, does not undo the answer; the
response tells the error. Informational responses (status 1xx) are skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict

_START = b"HTTP/"

HEAD_LIMIT = 64 * 1024
"""Largest size of the status line and the headers of an answer, in bytes."""


@dataclass(frozen=True, slots=True)
class EgressResponse:
    """Response to an outgoing request.

    Attributes:
        status: the HTTP status.
        headers: the HTTP headers; case does not matter.
        body: the first bytes of the body, not decompressed.
        truncated: whether the body was longer.
        duration: the seconds from the call to the last byte that was read.
        problem: the error after the headers, in words; None for a body without an error.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    duration: float
    problem: str | None = None


class ResponseReader:
    """Takes in the answers on one connection, one after the other.

    `begin` comes before each answer. After each `feed` the caller asks `is_complete`.

    Attributes:
        has_begun: whether bytes that begin an answer have arrived.
        has_head: whether status line and headers are complete.
        is_complete: whether nothing more of the answer is wanted.
        may_continue: whether another request may follow on the connection.
        truncated: whether the body was longer than the limit.
        problem: the error in the answer, in words.
    """

    __slots__ = (
        "_body",
        "_has_length",
        "_head_size",
        "_headers",
        "_is_head_request",
        "_is_informational",
        "_limit",
        "_parser",
        "has_begun",
        "has_head",
        "is_complete",
        "may_continue",
        "problem",
        "status",
        "truncated",
    )

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        # All that curl accepts, too. A wrong answer harms nobody but the host that sends it.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_chunked_length=True,
            lenient_transfer_encoding=True,
            lenient_data_after_close=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )

    def begin(self, limit: int, *, is_head_request: bool) -> None:
        """Expect the next answer.

        Args:
            limit: the bytes of the body to keep.
            is_head_request: whether the answer has no body, whatever the headers say.
        """
        self._limit = limit
        self._is_head_request = is_head_request
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._head_size = 0
        self._is_informational = False
        self._has_length = False
        self.status = 0
        self.has_begun = False
        self.has_head = False
        self.is_complete = False
        self.may_continue = False
        self.truncated = False
        self.problem: str | None = None

    def feed(self, data: bytes) -> None:
        """Take in bytes of the answer."""
        if not self.has_begun and self._head_size == 0:
            self.has_begun = data.startswith(_START[: len(data)])
        if not self.has_head:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._end(None)  # status 101: the bytes that follow are of another protocol
        except HttpParserError as error:
            if not self.is_complete:
                self._end(f"the answer is not valid HTTP: {error}")
            self.may_continue = False
        if not self.has_head and self._head_size > HEAD_LIMIT:
            self._end(f"the headers of the answer are longer than {HEAD_LIMIT} bytes")

    def end(self) -> None:
        """Note that the connection ended."""
        if self.is_complete:
            self.may_continue = False
        elif self.has_head and not self._has_length:
            self._end(None)  # an answer without a length lasts until the end of the connection
        elif self.has_head:
            self._end("the connection ended before the end of the body")
        else:
            self._end("the connection ended before the end of the headers")

    def give_up(self, problem: str) -> None:
        """End the answer although more is wanted."""
        self._end(problem)

    def make_response(self, duration: float) -> EgressResponse:
        """Return the answer; `has_head` must be True."""
        return EgressResponse(
            self.status,
            CIMultiDict(self._headers),
            bytes(self._body),
            self.truncated,
            duration,
            self.problem,
        )

    def on_message_begin(self) -> None:
        """Begin a message, for the parser."""
        # Bytes beyond the answer: nobody has asked for another.
        if self.is_complete:
            self.may_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, for the parser."""
        if self.has_head:
            return  # a trailer, or a header beyond the answer
        text = name.decode("latin-1")
        if text.lower() in {"content-length", "transfer-encoding"}:
            self._has_length = True
        self._headers.append((text, value.decode("utf-8", "surrogateescape")))

    def on_headers_complete(self) -> None:
        """End the headers, for the parser."""
        if self.has_head:
            return
        status = self._parser.get_status_code()
        if status < 200 and status != 101:
            self._headers.clear()
            self._is_informational = True
            return
        self.status = status
        self.has_head = True
        if self._is_head_request:
            # The parser would wait for the body that the headers describe.
            self._end(None)

    def on_body(self, data: bytes) -> None:
        """Take a part of the body, for the parser."""
        if self.is_complete:
            return
        room = self._limit - len(self._body)
        self._body += data[:room]
        if len(data) > room:
            # The rest may be endless, so the connection cannot be used again.
            self.truncated = True
            self._end(None)

    def on_message_complete(self) -> None:
        """End a message, for the parser."""
        if self._is_informational:
            self._is_informational = False
            return
        if not self.is_complete:
            self.is_complete = True
            self.may_continue = self._parser.should_keep_alive()

    def _end(self, problem: str | None) -> None:
        if not self.is_complete:
            self.is_complete = True
            self.problem = problem
        self.may_continue = False
