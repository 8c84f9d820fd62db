"""Calls of `biont.client` that are made again."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from biont.client import (
    ApiError,
    AsyncClient,
    Client,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    RateLimitedError,
    Retries,
    ServerFailedError,
)
from biont.testing import ApiClient, rows_of


class Waits(list[float]):
    """The waits of a client, which pass at once."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Return a request or an answer, with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"content-length: (\d+)", head.lower())
    return head + await reader.readexactly(int(found[1]) if found else 0)


@asynccontextmanager
async def losing_answers(url: str, count: int) -> AsyncIterator[str]:
    """Forward connections to the server at `url`, but lose the answers of the first `count`."""
    target = URL(url)
    left = count

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        to, back = await asyncio.open_connection(target.host, target.port)
        back.write(await read_message(reader))
        answer = await read_message(to)
        left -= 1
        if left < 0:
            writer.write(answer)
            await writer.drain()
        for each in (back, writer):
            each.close()

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with proxy:
        yield f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def answering(*answers: web.Response) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """Serve the answers one after the other; the last one again and again."""
    requests: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        requests.append(request)
        chosen = answers[min(len(requests), len(answers)) - 1]
        return web.Response(status=chosen.status, body=chosen.body, headers=chosen.headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/"), requests


def problem(status: int, **headers: str) -> web.Response:
    return web.json_response(
        {"detail": "not now"},
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


async def test_a_post_whose_answer_is_lost_is_repeated_and_acts_once(client: ApiClient) -> None:
    waits = Waits()
    async with (
        losing_answers(client.url, 2) as url,
        AsyncClient(url, client.headers["X-API-Key"], sleep=waits.sleep) as lossy,
    ):
        note = await lossy.notes.create(title="Tea")

    assert len(waits) == 2
    assert [row["id"] for row in rows_of(await client.get("/notes"))] == [note["id"]]


async def test_the_sync_client_repeats_a_post_as_well(client: ApiClient) -> None:
    waits: list[float] = []
    async with losing_answers(client.url, 1) as url:

        def create() -> object:
            key = client.headers["X-API-Key"]
            with Client(url, key, sleep=waits.append) as lossy:
                return lossy.notes.create(title="Tea")["id"]

        number = await asyncio.to_thread(create)

    assert len(waits) == 1
    assert [row["id"] for row in rows_of(await client.get("/notes"))] == [number]


async def test_a_deletion_whose_answer_is_lost_is_no_error(client: ApiClient) -> None:
    note = await client.post("/notes", {"title": "Tea"})
    key = client.headers["X-API-Key"]
    async with (
        losing_answers(client.url, 1) as url,
        AsyncClient(url, key, sleep=Waits().sleep) as lossy,
    ):
        await lossy.notes.delete(int(str(note["id"])))
    async with AsyncClient(client.url, key) as direct:
        with pytest.raises(NotFoundError):
            await direct.notes.delete(int(str(note["id"])))


async def test_the_retries_end_with_the_reason(client: ApiClient) -> None:
    waits = Waits()
    limits = Retries(attempts=3, first_wait=1)
    async with (
        losing_answers(client.url, 100) as url,
        AsyncClient(url, client.headers["X-API-Key"], retries=limits, sleep=waits.sleep) as lossy,
    ):
        with pytest.raises(NoAnswerError, match="does not answer"):
            await lossy.notes.create(title="Tea")
    assert waits == [1, 2]
    assert len(rows_of(await client.get("/notes"))) == 1


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {"retry_after": "7"}, [7.0]),
        (503, {"retry_after": "2"}, [2.0]),
        (503, {}, [0.5]),
        (500, {}, [0.5]),
        (409, {"retry_after": "1"}, [1.0]),
    ],
)
async def test_a_refusal_for_now_is_repeated_after_the_wait_of_the_server(
    status: int, headers: dict[str, str], expected: list[float]
) -> None:
    waits = Waits()
    async with (
        answering(problem(status, **headers), web.json_response({"id": 1})) as (url, requests),
        AsyncClient(url, "k", sleep=waits.sleep) as client,
    ):
        assert (await client.notes.create(title="Tea"))["id"] == 1
    assert waits == expected
    first, second = (request.headers["Idempotency-Key"] for request in requests)
    assert first == second


async def test_a_request_that_still_runs_is_waited_for_longer_than_the_attempts() -> None:
    waits = Waits()
    running = [problem(409, retry_after="1")] * 30
    async with (
        answering(*running, web.json_response({"id": 1})) as (url, _),
        AsyncClient(url, "k", sleep=waits.sleep) as client,
    ):
        assert (await client.notes.create(title="Tea"))["id"] == 1
    assert waits == [1.0] * 30


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(409, location="/api/v1/notes/7"), ConflictError),
        (problem(429, retry_after="86400"), RateLimitedError),
        (problem(422), ApiError),
    ],
)
async def test_a_final_answer_is_raised_at_once(answer: web.Response, kind: type) -> None:
    waits = Waits()
    async with (
        answering(answer) as (url, requests),
        AsyncClient(url, "k", sleep=waits.sleep) as client,
    ):
        with pytest.raises(kind, match="not now") as caught:
            await client.notes.create(title="Tea")
    assert (len(requests), waits) == (1, [])
    assert isinstance(caught.value, ApiError)
    assert caught.value.location == answer.headers.get("location")


async def test_a_conditional_change_is_not_repeated_after_an_error_of_the_server() -> None:
    async with answering(problem(503)) as (url, requests), AsyncClient(url, "k") as client:
        with pytest.raises(ServerFailedError):
            await client.request("PATCH", "/api/v1/notes/1", body={}, headers={"If-Match": '"1"'})
    assert len(requests) == 1


def test_the_client_imports_no_part_of_the_server() -> None:
    script = (
        "import sys; from biont.client import AsyncClient, Client, verify_webhook;"
        "own = {m for m in sys.modules if m.startswith('biont')};"
        "own = {m for m in own if not m.startswith('biont.client')};"
        "print(sorted(own), {'aiohttp', 'peewee', 'pydantic', 'cryptography'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['biont', 'biont.clock', 'biont.lazy_names'] set()"
