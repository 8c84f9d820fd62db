"""`biont.client` against a real workbench: lists, streams, errors and webhooks."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from aiohttp.test_utils import unused_port
from conftest import MakeKey, StartServer

from biont.client import (
    AsyncClient,
    ClientError,
    ConflictError,
    InvalidRequestError,
    InvalidWebhookError,
    NotFoundError,
    Retries,
    UnauthorizedError,
    verify_webhook,
)
from biont.testing import ApiClient, WebhookReceiver


@pytest.fixture
async def ada(client: ApiClient) -> AsyncClient:
    return AsyncClient(client.url, client.headers["X-API-Key"])


async def test_a_list_is_read_page_by_page(ada: AsyncClient) -> None:
    async with ada:
        for number in range(7):
            await ada.notes.create(title=f"Note {number}", tags=["odd"] if number % 2 else [])
        titles = [note["title"] async for note in ada.notes.list(limit=2)]
        odd = [note["title"] async for note in ada.notes.list(tag="odd", limit=1)]
        pages = [len(items) async for items, _ in ada.notes.list(limit=3).pages()]
        (_, cursor) = await anext(ada.notes.list(limit=3).pages())
        rest = [note["title"] async for note in ada.notes.list(cursor=cursor)]

    assert titles == [f"Note {number}" for number in reversed(range(7))]
    assert odd == ["Note 5", "Note 3", "Note 1"]
    assert pages == [3, 3, 1]
    assert rest == titles[3:]


async def test_values_reach_the_server_as_they_are(ada: AsyncClient) -> None:
    async with ada:
        at = datetime.now(UTC) + timedelta(days=2)
        schedule = await ada.schedule.create(job="prompt", at=at, parameters={"prompt": "Hi"})
        assert datetime.fromisoformat(str(schedule["at"])) == at
        due = [item async for item in ada.schedule.list_upcoming(from_=at - timedelta(hours=1))]
        assert [item["schedule_id"] for item in due] == [schedule["id"]]
        # The whole text is one segment of the path.
        with pytest.raises(InvalidRequestError, match="name: "):
            await ada.integrations.send_message("a/b?c", title="Tea")


async def test_errors_have_the_status_the_detail_and_all_problems(ada: AsyncClient) -> None:
    async with ada:
        with pytest.raises(InvalidRequestError) as caught:
            await ada.notes.create(title="", tags=["a,b"])
        with pytest.raises(NotFoundError, match="there is no note 7"):
            await ada.notes.read(7)

    assert caught.value.status == 422
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "#/title",
        "#/tags/0",
    ]
    assert caught.value.request_id


async def test_a_wrong_key_and_a_wrong_url_are_named(client: ApiClient) -> None:
    async with AsyncClient(client.url, "asb_wrong") as stranger:
        with pytest.raises(UnauthorizedError):
            await stranger.notes.read(1)
    async with AsyncClient(f"{client.url}/docs", None) as lost:
        with pytest.raises(ClientError):
            await lost.notes.read(1)
    with pytest.raises(ValueError, match="http://HOST:PORT"):
        AsyncClient("localhost:8080")


async def test_calls_and_followed_events_continue_over_a_killed_server(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server(server={"port": unused_port()})
    key = await make_key()

    async def sleep(_: float) -> None:
        await asyncio.sleep(0.05)

    async def emit_numbers(client: AsyncClient) -> None:
        for number in count():
            try:
                await client.events.emit(event_type="custom_x", payload={"number": number})
            except ConflictError as error:
                # The server was killed after the commit and before the answer.
                if error.location is None:
                    raise

    async with AsyncClient(server.url, key, sleep=sleep, retries=Retries(1000)) as client:
        emitting = asyncio.create_task(emit_numbers(client))
        stream = client.events.follow(event_type="custom_*")
        seen = [(await anext(stream))["payload"]["number"] for _ in range(20)]
        await server.kill()
        await server.start()
        seen += [(await anext(stream))["payload"]["number"] for _ in range(60)]
        emitting.cancel()

    first = seen[0]
    assert isinstance(first, int)
    assert seen == list(range(first, first + 80))


async def test_a_stream_begins_after_the_number_that_the_caller_has(ada: AsyncClient) -> None:
    async with ada:
        for number in range(3):
            await ada.events.emit(event_type="custom_x", payload={"number": number})
        first = await anext(ada.events.follow(after=0))
        second = await anext(ada.events.follow(after=first["number"]))
    assert [first["payload"], second["payload"]] == [{"number": 0}, {"number": 1}]


async def test_a_delivery_is_verified(ada: AsyncClient, receiver: WebhookReceiver) -> None:
    async with ada:
        hook = await ada.webhooks.register(url=receiver.url, event_types=["custom_*"])
        await ada.events.emit(event_type="custom_x", payload={"a": 1})
        (delivery,) = await receiver.wait_for(1)
    secret = str(hook["secret"])
    now = float(delivery.headers["webhook-timestamp"])

    event = verify_webhook(delivery.headers, delivery.body, secret, now=now)

    assert (event["event_type"], event["payload"]) == ("custom_x", {"a": 1})
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    assert verify_webhook(delivery.headers, delivery.body, [other, secret], now=now) == event
    for headers, body, key, at in (
        (delivery.headers, delivery.body + b" ", secret, now),
        (delivery.headers, delivery.body, other, now),
        (delivery.headers, delivery.body, secret, now + 301),
        (delivery.headers, delivery.body, secret, now - 301),
        ({}, delivery.body, secret, now),
        ({**delivery.headers, "webhook-id": "other"}, delivery.body, secret, now),
    ):
        with pytest.raises(InvalidWebhookError):
            verify_webhook(headers, body, key, now=at)
    for wrong in ("", "whsec_", "whsec_?"):
        with pytest.raises(ValueError, match="secret"):
            verify_webhook(delivery.headers, delivery.body, wrong, now=now)
