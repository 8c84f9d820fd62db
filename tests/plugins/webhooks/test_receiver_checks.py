"""Conformance check of the receiver of a webhook, by the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import JsonValue

from biont import Scope
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of
from biont_webhooks.receiver_testing import webhook_checks
from biont_webhooks.receiver_testing.verification import verify

PATH = "/webhooks/outgoing/1/conformance"
SECRET = "a-secret-of-my-own-with-32-characters"  # of a test
Answer = Callable[[web.Request], Awaitable[int]]
Body = dict[str, JsonValue]


@asynccontextmanager
async def serve(answer: Answer) -> AsyncIterator[str]:
    """Run a receiver; yield the URL."""

    async def receive(request: web.Request) -> web.Response:
        return web.Response(status=await answer(request))

    app = web.Application(client_max_size=2**20)
    app.router.add_post("/hook", receive)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/hook"))


async def register(client: ApiClient, url: str, **fields: JsonValue) -> None:
    """Register a webhook with the secret of the tests."""
    await client.post("/webhooks/outgoing/register", {"url": url, "secret": SECRET, **fields})


def grade(report: Body) -> dict[str, JsonValue]:
    """Return the grade of each case."""
    return {str(case["name"]): case["grade"] for case in rows_of({"data": report["cases"]})}


async def test_right_receiver_passes_with_the_secret_and_headers_of_the_webhook(
    client: ApiClient, clock: ManualClock
) -> None:
    async def judge(request: web.Request) -> int:
        if request.headers.get("Authorization") != "Bearer open":
            return 403
        verdict = verify(request.headers, await request.read(), [SECRET], now=clock.now())
        return 204 if verdict.is_valid else 401

    async with serve(judge) as url:
        await register(client, url, success="2xx", headers={"Authorization": "Bearer open"})
        report = await client.post(PATH)
    assert (report["passed"], report["problem"]) == (True, None)
    grades = grade(report)
    assert set(grades.values()) == {"ok"}
    assert {"good delivery", "changed body", "large body"} < set(grades)
    assert rows_of(await client.get("/webhooks/outgoing/1/deliveries")) == []


async def test_careless_receiver_fails_and_stays_active(client: ApiClient) -> None:
    async def accept(_: web.Request) -> int:
        return 200

    async with serve(accept) as url:
        await register(client, url)
        report = await client.post(PATH)
    grades = grade(report)
    assert report["passed"] is False
    assert (grades["good delivery"], grades["changed body"]) == ("ok", "failed")
    advice = {case["name"]: case["advice"] for case in rows_of({"data": report["cases"]})}
    assert "Verify the signature" in str(advice["changed body"])
    assert (await client.get("/webhooks/outgoing/1"))["status"] == "active"


async def test_absent_receiver_and_forbidden_address_are_named(
    client: ApiClient, receiver_port: int
) -> None:
    await register(client, f"http://127.0.0.1:{receiver_port}/hook")
    report = await client.post(PATH)
    assert (report["passed"], report["cases"]) == (False, [])
    assert "is the receiver running?" in str(report["problem"])


@pytest.fixture
def receiver_port(unused_tcp_port_factory: Callable[[], int]) -> int:
    """A port at which nobody listens."""
    return unused_tcp_port_factory()


async def test_check_ends_after_its_limit_and_runs_once(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, calls = asyncio.Event(), 0

    async def hang(_: web.Request) -> int:
        nonlocal calls
        calls += 1
        if calls > 1:
            begun.set()
            await asyncio.Event().wait()
        return 200

    monkeypatch.setattr(webhook_checks, "TIME_LIMIT", 1.5)
    async with serve(hang) as url:
        await register(client, url)
        running = asyncio.create_task(client.post(PATH))
        await begun.wait()
        assert (await client.ask("POST", PATH))[0] == 409
        report = await running
        assert "the check ended after 1.5 s" in str(report["problem"])
        assert list(grade(report)) == ["good delivery"]
        calls = -100
        assert (await client.ask("POST", PATH))[0] == 200


async def test_others_check_nothing(open_client: MakeClient) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    await register(client, "http://127.0.0.1:9/hook")
    assert (await other.ask("POST", PATH))[0] == 404
    assert (await (await open_client("ada", Scope.READ)).ask("POST", PATH))[0] == 403
    assert (await (await open_client("ada", Scope.CHAT)).ask("POST", PATH))[0] == 403
    hooks = await open_client("ada", Scope.WEBHOOK)
    assert (await hooks.ask("POST", PATH))[0] == 200
