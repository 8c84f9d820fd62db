"""Deliveries after a kill of the process, and with hostile endpoints."""

from __future__ import annotations

import asyncio
import functools
import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientError, web
from conftest import MakeKey, StartServer
from pydantic import JsonValue

from biont.testing import ApiClient, WebhookReceiver, rows_of

PATH = "/webhooks/outgoing"

# The name sorts before the built-in plugins, so these handlers are called first.
DEADLY = """
import os

from biont import on


@on("custom_before_commit", transactional=True)
def die_before_commit(tx, events, workbench):
    os._exit(9)


@on("custom_after_commit", transactional=True)
def die_after_commit(tx, events, workbench):
    tx.after_commit(lambda: os._exit(9))
"""


async def register(client: ApiClient, url: str, **more: JsonValue) -> str:
    body: dict[str, JsonValue] = {"url": url, "event_types": ["custom_*"], **more}
    return f"{PATH}/{(await client.post(f'{PATH}/register', body))['id']}"


async def emit(client: ApiClient, event_type: str = "custom_x", **payload: JsonValue) -> None:
    await client.post("/events", {"event_type": event_type, "payload": dict(payload)})


@pytest.fixture
def deadly(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "a_deadly.py").write_text(DEADLY)
    return {"folder": str(folder)}


async def test_kill_before_the_commit_leaves_no_event_and_no_answer(
    start_server: StartServer, make_key: MakeKey, deadly: dict[str, str], receiver: WebhookReceiver
) -> None:
    server = await start_server(plugins=deadly)
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        await register(client, receiver.url)
        with pytest.raises(ClientError):
            await emit(client, "custom_before_commit")
    await server.wait()
    await server.start()
    async with ApiClient(server.url, key) as client:
        await emit(client)
        (request,) = await receiver.wait_for(1)
        assert request.event["event_type"] == "custom_x"
        assert len(rows_of(await client.get("/events?event_type=custom_*"))) == 1


async def test_kill_after_the_commit_delivers_after_the_restart(
    start_server: StartServer, make_key: MakeKey, deadly: dict[str, str], receiver: WebhookReceiver
) -> None:
    server = await start_server(plugins=deadly)
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        webhook = await register(client, receiver.url)
        with pytest.raises(ClientError):
            await emit(client, "custom_after_commit")
    await server.wait()
    assert receiver.requests == []
    await server.start()
    async with ApiClient(server.url, key) as client:
        (request,) = await receiver.wait_for(1)
        assert request.event["event_type"] == "custom_after_commit"
        await client.get_until(
            f"{webhook}/deliveries", lambda page: rows_of(page)[0]["status"] == "succeeded"
        )


async def test_kill_before_a_success_is_recorded_delivers_again_marked_redelivered(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    server = await start_server()
    key = await make_key()
    with closing(sqlite3.connect(tmp_path / "biont.sqlite3", isolation_level=None)) as outside:

        async def respond(request: web.Request) -> web.StreamResponse:
            if len(receiver.requests) > 1:
                return web.Response()
            # From here on nothing can be recorded.
            outside.execute("BEGIN IMMEDIATE")
            response = web.StreamResponse(headers={"Content-Length": "0"})
            await response.prepare(request)
            await response.write_eof()
            await server.kill()
            outside.execute("ROLLBACK")
            return response

        receiver.respond = respond
        async with ApiClient(server.url, key) as client:
            webhook = await register(client, receiver.url)
            await emit(client)
            await receiver.wait_for(1)
        await server.wait()
    await server.start()
    async with ApiClient(server.url, key) as client:
        first, second = await receiver.wait_for(2)
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        page = await client.get_until(
            f"{webhook}/deliveries", lambda page: rows_of(page)[0]["status"] == "succeeded"
        )
        (attempt,) = rows_of({"data": rows_of(page)[0]["attempts"]})
        assert attempt["redelivered"] is True
        # A later delivery is not marked.
        await emit(client)
        await receiver.wait_for(3)
        page = await client.get_until(
            f"{webhook}/deliveries", lambda page: rows_of(page)[0]["status"] == "succeeded"
        )
        (attempt,) = rows_of({"data": rows_of(page)[0]["attempts"]})
        assert attempt["redelivered"] is False


async def test_dead_endpoints_do_not_delay_a_healthy_endpoint(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver
) -> None:
    hanging = WebhookReceiver(respond=hang)
    async with hanging:
        server = await start_server()
        async with ApiClient(server.url, await make_key()) as client:
            for _ in range(200):
                await register(client, hanging.url)
            await register(client, receiver.url)
            for number in range(20):
                await emit(client, n=number)
            # All twenty have arrived while not one of the dead has answered or timed out.
            await receiver.wait_for(20, seconds=14)
            statuses = {row["status"] for row in rows_of(await client.get(f"{PATH}/1/deliveries"))}
            assert statuses == {"pending"}
        await server.kill()


async def hang(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError("the event is never set")


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b".")
        await asyncio.sleep(0.1)
    return response


async def pour(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(4096):
        await response.write(b"x" * 65536)
    return response


@functools.cache
def make_bomb() -> bytes:
    return gzip.compress(bytes(200_000_000), 1)


async def explode(_: web.Request) -> web.StreamResponse:
    return web.Response(body=make_bomb(), headers={"Content-Encoding": "gzip"})


async def redirect(_: web.Request) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("http://127.0.0.1:1/elsewhere")


@pytest.mark.parametrize(
    ("respond", "error"),
    [(drip, None), (pour, None), (explode, None), (redirect, "307")],
    ids=["a byte now and then", "an endless body", "a gzip bomb", "a redirect"],
)
async def test_hostile_answers_cost_neither_time_nor_memory(
    start_server: StartServer,
    make_key: MakeKey,
    receiver: WebhookReceiver,
    respond: object,
    error: str | None,
) -> None:
    make_bomb()
    receiver.respond = respond  # type: ignore[assignment]  # one of the functions above
    server = await start_server(plugins={"webhooks": {"timeout": 1}})
    async with ApiClient(server.url, await make_key()) as client:
        webhook = await register(client, receiver.url, concurrency=1)
        await emit(client)
        await wait_until_decided(client, webhook)
        before = psutil.Process(server.pid).memory_info().rss
        await emit(client)
        await emit(client)
        for row in await wait_until_decided(client, webhook):
            (attempt,) = rows_of({"data": row["attempts"]})
            assert error in str(attempt["error"]) if error else attempt["error"] is None
            assert len(str(attempt["answer"])) <= 16 * 1024
        assert psutil.Process(server.pid).memory_info().rss - before < 32 * 2**20
    # No redirect was followed.
    assert len(receiver.requests) == 3


async def wait_until_decided(client: ApiClient, webhook: str) -> list[dict[str, JsonValue]]:
    page = await client.get_until(
        f"{webhook}/deliveries",
        lambda page: all(row["status"] != "pending" for row in rows_of(page)),
    )
    return rows_of(page)


LOOP = '''
from biont import Api, Request, hookimpl

api = Api("loop")


@hookimpl
def register_routes() -> Api:
    return api


@api.post("/loop", status=200)
async def emit_again(request: Request, body: dict[str, object]) -> None:
    """Emit another event for each that comes in."""
    await request.workbench.events.emit("custom_again", request.user_id, {})
'''


async def test_webhook_that_triggers_itself_ends_at_max_hops(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "loop.py").write_text(LOOP)
    server = await start_server(plugins={"folder": str(folder)}, events={"max_hops": 3})
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        webhook = await register(
            client, f"{server.url}/api/v1/loop", success="2xx", headers={"X-API-Key": key}
        )
        await emit(client)
        page = await client.get_until(
            f"{webhook}/deliveries",
            lambda page: (
                len(rows_of(page)) == 4
                and all(row["status"] != "pending" for row in rows_of(page))
            ),
        )
        assert [row["status"] for row in rows_of(page)] == ["failed"] + ["succeeded"] * 3
        (attempt,) = rows_of({"data": rows_of(page)[0]["attempts"]})
        assert attempt["status_code"] == 409
        correlations = {
            row["correlation_id"]
            for row in rows_of(await client.get("/events?event_type=custom_*"))
        }
        assert len(correlations) == 1
