"""Local API: calls of the REST API from inside the process, for pages that plugins serve.

A call goes through the same endpoint as a request of a client: the key is authenticated, counted
and limited, the input is validated, and the answer is the one that a client would get. Nothing
goes over a socket. The call takes the client's address, the host and the request id from the
request that it belongs to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

import orjson
from aiohttp import StreamReader, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from pydantic import JsonValue
from yarl import URL

from biont.http.api import ROOT
from biont.http.request_id import REQUEST_ID, get_request_id

QueryValue = str | int | float | bool | None | Sequence[str]
"""Value of a query parameter; None leaves the parameter out."""

_NOTHING: Mapping[str, QueryValue] = MappingProxyType({})
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
# Larger than any body that a page sends, so that feeding the body never pauses the connection.
_BUFFER = 2**26
# Headers that a relayed request keeps.
_RELAYED = (
    hdrs.ACCEPT,
    hdrs.CONTENT_ENCODING,
    hdrs.CONTENT_TYPE,
    hdrs.CONTENT_LENGTH,
    hdrs.TRANSFER_ENCODING,
    hdrs.IF_MATCH,
    hdrs.IF_NONE_MATCH,
    "Idempotency-Key",
    "Last-Event-ID",
    "Prefer",
)


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """Answer of the REST API to a local call.

    Attributes:
        status: the HTTP status.
        headers: the headers.
        content: the body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_ok(self) -> bool:
        """True if the call has succeeded."""
        return self.status < 400

    def read_json(self) -> JsonValue:
        """Return the body as JSON; None for an empty body."""
        found: JsonValue = orjson.loads(self.content) if self.content else None
        return found


class _NoWriter(AbstractStreamWriter):
    """Refuses an answer that the route writes itself, which would mix with that of the page."""

    async def write(self, chunk: object) -> None:  # noqa: ARG002  # as inherited
        _refuse_stream()

    async def write_eof(self, chunk: bytes = b"") -> None:  # noqa: ARG002  # as inherited
        _refuse_stream()

    async def drain(self) -> None:
        _refuse_stream()

    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None:  # noqa: ARG002  # as inherited
        _refuse_stream()

    def enable_chunking(self) -> None:
        _refuse_stream()

    async def write_headers(self, status_line: str, headers: CIMultiDict[str]) -> None:  # noqa: ARG002  # as inherited
        _refuse_stream()


def _refuse_stream() -> NoReturn:
    raise ValueError("a local call cannot read an answer that is sent piece by piece")


async def call_api(
    http: web.Request,
    method: str,
    path: str,
    *,
    key: str | None,
    query: Mapping[str, QueryValue] = _NOTHING,
    body: JsonValue = None,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> LocalAnswer:
    """Call a route of the REST API that answers with a whole body; return the answer.

    Args:
        http: the request on whose behalf the call is made.
        method: ``GET`` and so on.
        path: the path, which begins with ``/api/v1/``.
        key: the API key; None to call without a key.
        query: the query parameters; a sequence repeats a parameter.
        body: the JSON body; None for a request without a body.
        headers: further headers.
    """
    url = URL.build(path=path, query={k: _write(v) for k, v in query.items() if v is not None})
    sent = CIMultiDict(headers)
    content = b""
    if body is not None:
        content = orjson.dumps(body)
        sent[hdrs.CONTENT_TYPE] = "application/json"
    if method not in ("GET", "HEAD"):
        sent[hdrs.CONTENT_LENGTH] = str(len(content))
    payload = StreamReader(http.protocol, _BUFFER, loop=asyncio.get_running_loop())
    payload.feed_data(content)
    payload.feed_eof()
    response = await _handle(http, method, url, sent, payload, key, _NoWriter())
    return LocalAnswer(response.status, response.headers, _read_content(response))


async def relay_request(
    http: web.Request,
    path: str,
    *,
    key: str | None,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> web.StreamResponse:
    """Answer a request as the REST API would answer the same request below `path`.

    A stream of events goes to the client of `http` as it is.

    Args:
        http: the request, whose method, query, body and conditions are relayed.
        path: the path, which begins with ``/api/v1/``.
        key: the API key.
        headers: further headers.
    """
    sent = CIMultiDict({name: http.headers[name] for name in _RELAYED if name in http.headers})
    sent.update(headers)
    url = URL.build(path=path).with_query(http.query)
    return await _handle(http, http.method, url, sent, http.content, key, http.writer)


async def _handle(
    http: web.Request,
    method: str,
    url: URL,
    headers: CIMultiDict[str],
    payload: StreamReader,
    key: str | None,
    writer: AbstractStreamWriter,
) -> web.StreamResponse:
    """Return the response of the application to a request that it has not got over a socket."""
    if not url.path.startswith(f"{ROOT}/"):
        raise ValueError(f"a local call must go to a path below {ROOT}, not to {url.path}")
    for address in http.headers.getall(hdrs.X_FORWARDED_FOR, ()):
        headers.add(hdrs.X_FORWARDED_FOR, address)
    # Routes make URLs of the host that the client knows.
    if hdrs.HOST in http.headers:
        headers[hdrs.HOST] = http.headers[hdrs.HOST]
    request_id = get_request_id()
    if request_id is not None:
        headers[REQUEST_ID] = request_id
    if key is not None:
        headers["X-API-Key"] = key
    message = RawRequestMessage(
        method,
        str(url),
        http.version,
        CIMultiDictProxy(headers),
        (),
        should_close=False,
        compression=None,
        upgrade=False,
        chunked=hdrs.TRANSFER_ENCODING in headers,
        url=url,
    )
    request = web.Request(
        message,
        payload,
        http.protocol,
        writer,
        http.task,
        asyncio.get_running_loop(),
        client_max_size=http.client_max_size,
        remote=http.remote,
    )
    # The public ways to an application are all sockets. In a task with a context of its own,
    # because an endpoint says there which plugin and which request is at work.
    answer = http.app._handle(request)  # noqa: SLF001  # as said
    return await asyncio.create_task(answer, context=copy_context())


def _write(value: QueryValue) -> str | list[str]:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else [*(value or ())]


def _read_content(response: web.StreamResponse) -> bytes:
    content = response.body if isinstance(response, web.Response) else None
    if content is None or isinstance(content, bytes):
        return content or b""
    _refuse_stream()
