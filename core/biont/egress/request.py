"""Request: the bytes to send, and the limits of the answer."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from yarl import URL

# Bodies are kept without decompression, so receivers should not compress.
_DEFAULTS = {"accept-encoding": "Accept-Encoding: identity", "user-agent": "User-Agent: biont"}
_FRAMING = frozenset({"connection", "host", "te", "transfer-encoding", "upgrade"})


class OutgoingRequest(NamedTuple):
    """Request in the form that a connection sends.

    Attributes:
        start: the bytes of the request up to the end of the body, or of the headers.
        pieces: the body, unless `start` has the body.
        is_chunked: whether each piece becomes a chunk.
        started: the time of the event loop at which the caller began.
        deadline: the time of the event loop at which the answer must be complete.
        limit: the bytes of the answer's body to keep.
        body_wait: the most seconds to wait for the answer's body after the headers.
        is_head: whether the method is HEAD.
    """

    start: bytes
    pieces: AsyncIterable[bytes] | None
    is_chunked: bool
    started: float
    deadline: float
    limit: int
    body_wait: float | None
    is_head: bool


def encode_head(
    method: str, url: URL, headers: Mapping[str, str], *, length: int | None
) -> tuple[bytes, bool]:
    """Return the request line and the headers, and whether the body is sent in chunks.

    Args:
        method: the method.
        url: the target, already checked.
        headers: the caller's headers.
        length: the bytes of the body; None for a body of pieces, which are chunks unless a
            header has the length.

    Raises:
        ValueError: a header has a line break or a NUL, or is the client's own.
    """
    added, is_chunked = _find_own_lines(tuple(headers), has_length=length is not None)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += added
    if length is not None:
        lines.append(f"Content-Length: {length}")
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    if text.count("\n") != breaks or text.count("\r") != breaks or "\0" in text:
        raise ValueError("a header has a line break or a NUL")
    return f"{_encode_start(method, url)}{text}\r\n\r\n".encode(), is_chunked


@lru_cache(1024)
def _find_own_lines(given: tuple[str, ...], *, has_length: bool) -> tuple[list[str], bool]:
    """Return the lines to add to the caller's headers, and whether the body is sent in chunks."""
    names = {name.lower() for name in given}
    own = names & (_FRAMING | {"content-length"} if has_length else _FRAMING)
    if own:
        raise ValueError(f"the header {min(own)} is set by the client itself")
    lines = [line for name, line in _DEFAULTS.items() if name not in names]
    is_chunked = not has_length and "content-length" not in names
    return [*lines, "Transfer-Encoding: chunked"] if is_chunked else lines, is_chunked


@lru_cache(1024)
def _encode_start(method: str, url: URL) -> str:
    # yarl has escaped each character that could end the line.
    return f"{method} {url.raw_path_qs} HTTP/1.1\r\nHost: {url.host_port_subcomponent}\r\n"
