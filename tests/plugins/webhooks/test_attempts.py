"""Attempts: retries, rate, concurrency, and disabled webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import JsonValue
from support.webhooks import Crowd

from biont import Scope
from biont.application import Application, open_application
from biont.settings import load_settings
from biont.testing import (
    ApiClient,
    MakeClient,
    ManualClock,
    WebhookReceiver,
    make_key,
    rows_of,
    write_config,
)

PATH = "/webhooks/outgoing"


async def register(client: ApiClient, url: str, **more: JsonValue) -> str:
    """Register a webhook for `custom_*`; return its path."""
    body: dict[str, JsonValue] = {"url": url, "event_types": ["custom_*"], **more}
    return f"{PATH}/{(await client.post(f'{PATH}/register', body))['id']}"


async def emit(client: ApiClient, count: int = 1) -> None:
    for number in range(count):
        await client.post("/events", {"event_type": "custom_x", "payload": {"n": number}})


async def wait_for_attempts(client: ApiClient, webhook: str, count: int) -> dict[str, JsonValue]:
    """Wait until the only delivery of a webhook has so many attempts; return it."""

    def has_attempts(page: dict[str, JsonValue]) -> bool:
        return [len(attempts_of(row)) for row in rows_of(page)] == [count]

    (delivery,) = rows_of(await client.get_until(f"{webhook}/deliveries", has_attempts))
    return delivery


def attempts_of(delivery: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    attempts = delivery["attempts"]
    assert isinstance(attempts, list)
    return [attempt for attempt in attempts if isinstance(attempt, dict)]


async def hang(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


def answer_in_turn(*statuses: int) -> Iterator[int]:
    yield from statuses
    while True:
        yield statuses[-1]


async def test_delivery_is_retried_until_success(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    turns = answer_in_turn(500, 404, 200)

    async def respond(_: web.Request) -> web.Response:
        return web.Response(status=next(turns))

    receiver.respond = respond
    webhook = await register(client, receiver.url, retry=[0, 0, 0])
    await emit(client)
    delivery = await wait_for_attempts(client, webhook, 3)
    assert delivery["status"] == "succeeded"
    attempts = attempts_of(delivery)
    assert [attempt["status_code"] for attempt in attempts] == [500, 404, 200]
    assert [attempt["trigger"] for attempt in attempts] == ["event", "retry", "retry"]
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


async def test_delivery_fails_after_the_last_retry(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    receiver.status = 500
    webhook = await register(client, receiver.url, retry=[0])
    await emit(client)
    delivery = await wait_for_attempts(client, webhook, 2)
    assert delivery["status"] == "failed"
    assert delivery["due_at"] is None


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [(None, 5, 6), ("120", 120, 120), ("Mon, 02 Mar 2026 13:00:00 GMT", 3600, 3600), ("?", 5, 6)],
)
async def test_next_attempt_is_due_by_retry_policy_and_retry_after(
    client: ApiClient,
    receiver: WebhookReceiver,
    clock: ManualClock,
    retry_after: str | None,
    least: float,
    most: float,
) -> None:
    async def respond(_: web.Request) -> web.Response:
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return web.Response(status=503, headers=headers)

    receiver.respond = respond
    webhook = await register(client, receiver.url, retry="standard")
    await emit(client)
    delivery = await wait_for_attempts(client, webhook, 1)
    assert delivery["status"] == "pending"
    due = datetime.fromisoformat(str(delivery["due_at"])) - clock.now()
    assert timedelta(seconds=least) <= due <= timedelta(seconds=most)


async def test_delivery_due_during_a_stop_is_attempted_at_the_next_start(
    receiver: WebhookReceiver, tmp_path: Path, clock: ManualClock
) -> None:
    settings = load_settings(write_config(tmp_path, {}), environ={})
    receiver.status = 500
    async with open_application(settings, clock=clock) as first:
        key = await make_key(first.workbench, "ada", Scope.FULL)
        async with _connect(first, key) as client:
            webhook = await register(client, receiver.url, retry=[3600])
            await emit(client)
            await wait_for_attempts(client, webhook, 1)
    receiver.status = 200
    clock.advance(minutes=30)
    async with open_application(settings, clock=clock) as early, _connect(early, key) as client:
        await emit(client)
        await receiver.wait_for(2)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 2
    clock.advance(hours=1)
    async with open_application(settings, clock=clock) as late, _connect(late, key) as client:
        await receiver.wait_for(3)
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 2


class _connect:  # noqa: N801  # a context manager that reads as a function
    def __init__(self, application: Application, key: str) -> None:
        self._server = TestServer(application.app, host="127.0.0.1")
        self._key = key

    async def __aenter__(self) -> ApiClient:
        await self._server.start_server()
        self._client = ApiClient(str(self._server.make_url("")).rstrip("/"), self._key)
        return await self._client.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__(None, None, None)
        await self._server.close()


async def test_status_410_disables_the_webhook_and_emits_an_event(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    receiver.status = 410
    webhook = await register(client, receiver.url, retry="standard")
    await emit(client)
    shown = await client.get_until(webhook, lambda answer: answer["status"] == "disabled")
    assert "410" in str(shown["disabled_reason"])
    (told,) = rows_of(await client.get("/events?event_type=webhook_disabled"))
    assert told["payload"] == {
        "webhook_id": shown["id"],
        "url": receiver.url,
        "reason": shown["disabled_reason"],
    }
    await emit(client)
    other = await register(client, receiver.url)
    await emit(client)
    await wait_for_attempts(client, other, 1)
    assert len(rows_of(await client.get(f"{webhook}/deliveries"))) == 1


async def test_status_410_does_not_disable_a_webhook_without_retries(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    receiver.status = 410
    webhook = await register(client, receiver.url)
    await emit(client, 3)
    await receiver.wait_for(3)
    assert (await client.get(webhook))["status"] == "active"


async def test_concurrency_limits_simultaneous_attempts(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    crowd = Crowd()
    webhook = await register(client, receiver.url, concurrency=2)
    await emit(client)
    await wait_for_attempts(client, webhook, 1)

    receiver.respond = crowd.respond
    await emit(client, 6)
    await receiver.wait_for(3)
    crowd.gate.set()
    await receiver.wait_for(7)
    assert crowd.most == 2


@pytest.mark.parametrize("sections", [{"plugins": {"webhooks": {"timeout": 1}}}])
async def test_unknown_endpoint_gets_one_attempt_at_a_time(
    open_client: MakeClient, receiver: WebhookReceiver
) -> None:
    client = await open_client()
    async with WebhookReceiver(respond=hang) as hanging:
        await register(client, hanging.url)
        await register(client, receiver.url)
        await emit(client, 5)
        await receiver.wait_for(5)
        assert len(hanging.requests) == 1


async def test_rate_limits_attempts_in_a_second(
    open_client: MakeClient, receiver: WebhookReceiver
) -> None:
    client = await open_client()
    slow = await register(client, receiver.url, rate=0.01)
    await emit(client, 3)
    (first,) = await receiver.wait_for(1)
    await register(client, receiver.url, rate=1000)
    await emit(client, 5)
    await receiver.wait_for(6)
    # The slow endpoint still has seven pending deliveries; the quick endpoint has got all five.
    statuses = [row["status"] for row in rows_of(await client.get(f"{slow}/deliveries"))]
    assert sorted(map(str, statuses)) == ["pending"] * 7 + ["succeeded"]
    assert first.event["event_type"] == "custom_x"
