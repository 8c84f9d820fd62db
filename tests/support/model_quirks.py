"""Replies of model servers that break HTTP."""

from __future__ import annotations

import orjson
from aiohttp import web

from biont.testing import make_completion


async def cut_body(request: web.Request) -> web.StreamResponse:
    """Send a valid answer without its last bytes."""
    body = orjson.dumps(make_completion())
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[:-20])
    return _hang_up(request, response)


async def cut_chunks(request: web.Request) -> web.StreamResponse:
    """Send a valid answer in HTTP chunks, without the final empty chunk."""
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(orjson.dumps(make_completion()))
    return _hang_up(request, response)


async def send_garbage(request: web.Request) -> web.StreamResponse:
    """Send bytes that are not HTTP."""
    assert request.transport is not None
    request.transport.write(b"\x16\x03\x01 220 mail.example ready\r\n\r\n")
    return _hang_up(request, web.StreamResponse())


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without a response."""
    return _hang_up(request, web.StreamResponse())


def _hang_up(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return response
