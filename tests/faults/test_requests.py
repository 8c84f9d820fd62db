"""Clients that send broken requests to a real process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
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


BROKEN = """
from biont import Api, Request, hookimpl

api = Api("broken")


@api.get("/broken")
async def fail(request: Request) -> None:
    raise ZeroDivisionError("password=hunter2")


@hookimpl
def register_routes() -> Api:
    return api
"""


async def test_a_request_that_fails_in_the_server_is_found_in_the_log_by_its_id(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "broken.py").write_text(BROKEN)
    server = await start_server(plugins={"folder": str(tmp_path / "plugins")})
    async with ApiClient(server.url, await make_key()) as client:
        status, problem = await client.ask("GET", "/broken")
        assert status == 500
        await client.ask("GET", "/notes/999")
    assert await server.stop() == 0
    records = [orjson.loads(line) for line in server.read_log().splitlines()]
    (record,) = [found for found in records if found.get("request_id") == problem["request_id"]]
    assert record["level"] == "error"
    assert "ZeroDivisionError" in record["exception"]
    assert "hunter2" not in server.read_log()
    assert "ZeroDivisionError" not in str(problem)
