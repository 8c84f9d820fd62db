"""Clients that send broken requests to a real process."""

from __future__ import annotations

import asyncio

import pytest
from conftest import MakeKey, StartServer
from yarl import URL

from biont.testing import ApiClient

HEAD = "POST /api/v1/notes HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n{more}\r\n\r\n"


async def _send(url: str, key: str, more: str, body: bytes, *, leaves: bool) -> bytes:
    address = URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(HEAD.format(key=key, more=more).encode() + body)
    await writer.drain()
    answer = b"" if leaves else await asyncio.wait_for(reader.read(4096), 30)
    writer.transport.abort()
    return answer


@pytest.mark.parametrize("framing", ["Content-Length: 500000", "Transfer-Encoding: chunked"])
async def test_a_client_that_leaves_in_mid_upload_is_no_error(
    start_server: StartServer, make_key: MakeKey, framing: str
) -> None:
    server = await start_server()
    key = await make_key()
    for size in (0, 5, 70_000):
        body = b"%x\r\n" % 500_000 * ("chunked" in framing) + b'{"title": "' + b"x" * size
        await _send(server.url, key, framing, body, leaves=True)
    async with ApiClient(server.url, key) as client:
        assert (await client.get("/notes"))["data"] == []
    await server.stop()
    assert "Traceback" not in server.read_log()
    assert '"level": "error"' not in server.read_log()


async def test_a_broken_chunk_is_400(start_server: StartServer, make_key: MakeKey) -> None:
    server = await start_server()
    body = b"5\r\nhello\r\nzz\r\n"
    answer = await _send(
        server.url, await make_key(), "Transfer-Encoding: chunked", body, leaves=False
    )
    assert b" 400 " in answer.splitlines()[0]
