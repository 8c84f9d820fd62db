"""Replay of past events."""

from __future__ import annotations

import orjson
import pytest
from pydantic import JsonValue
from support.webhooks import (
    PATH,
    Document,
    emit,
    list_deliveries,
    list_documents,
    list_pointers,
    register,
    run_operation,
    wait_for_deliveries,
)

from biont import Workbench
from biont.operations import Counts, Part
from biont.testing import ApiClient, MakeClient, ManualClock, WebhookReceiver, rows_of

BEGINNING = "2026-03-02T12:00:00Z"


async def replay(client: ApiClient, webhook: Document, **more: JsonValue) -> JsonValue:
    body: JsonValue = {"since": BEGINNING, **more}
    operation = await run_operation(client, f"{PATH}/{webhook['id']}/replay", body)
    assert operation["status"] == "done", operation
    return operation["done"]


async def test_replay_delivers_events_from_before_the_registration(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    other = await register(client, receiver.url, event_types=["custom_*"])
    missed = [await emit(client, number=number, text="Grüße") for number in range(3)]
    await wait_for_deliveries(client, other, 3)
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    await emit(client, number=3)
    await wait_for_deliveries(client, webhook)

    before = {request.headers["webhook-id"]: request.body for request in receiver.requests}
    assert await replay(client, webhook) == 3
    deliveries = await wait_for_deliveries(client, webhook, 4)
    assert {row["event_id"] for row in deliveries} >= {event["id"] for event in missed}
    for row in deliveries[:3]:
        (attempt,) = list_documents(row["attempts"])
        assert (row["status"], attempt["trigger"]) == ("succeeded", "replay")
    for request in receiver.requests:
        assert request.body == before[request.headers["webhook-id"]]
    assert await replay(client, webhook) == 0
    assert len(await list_deliveries(client, other)) == 4


async def test_replay_delivers_events_from_the_time_of_a_pause(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    await client.post(f"{PATH}/{webhook['id']}/pause")
    event = await emit(client)
    assert await replay(client, webhook) == 1
    (pending,) = await list_deliveries(client, webhook)
    assert (pending["event_id"], pending["status"]) == (event["id"], "pending")
    await client.post(f"{PATH}/{webhook['id']}/resume")
    (request,) = await receiver.wait_for(1)
    assert request.event["id"] == event["id"]


@pytest.mark.parametrize(
    ("more", "numbers"),
    [
        ({}, [0, 2, 3]),
        ({"until": "2026-03-02T14:00:00Z"}, [0]),
        ({"since": "2026-03-02T14:00:00Z"}, [2, 3]),
        ({"since": "2026-03-02T15:00:00+01:00", "until": "2026-03-02T14:00:01Z"}, [2]),
        ({"event_types": ["custom_b"]}, [3]),
        ({"event_types": ["custom_a*", "custom_b"]}, [0, 2, 3]),
        ({"event_types": ["note_created"]}, []),
    ],
)
async def test_replay_respects_time_types_and_filter(
    client: ApiClient,
    receiver: WebhookReceiver,
    clock: ManualClock,
    more: dict[str, JsonValue],
    numbers: list[int],
) -> None:
    for number, event_type in enumerate(["custom_a", "custom_a", "custom_a", "custom_b"]):
        await emit(client, event_type, number=number, wanted=number != 1)
        clock.advance(hours=1)
    await client.post("/notes", {"title": "not subscribed to"})
    webhook = await register(
        client,
        receiver.url,
        event_types=["custom_*"],
        filter={"path": "wanted", "op": "eq", "value": True},
    )
    assert await replay(client, webhook, **more) == len(numbers)
    await receiver.wait_for(len(numbers))
    found = await wait_for_deliveries(client, webhook, len(numbers))
    sent = [request.event["payload"] for request in receiver.requests]
    assert sorted(str(payload) for payload in sent) == [
        f"{{'number': {number}, 'wanted': True}}" for number in numbers
    ]
    assert len(found) == len(numbers)


async def test_replay_of_many_events_takes_several_writes(
    client: ApiClient, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(f"biont.operations.operations.{name}", 3)
    for number in range(7):
        await emit(client, number=number)
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    assert await replay(client, webhook) == 7
    assert len(await receiver.wait_for(7)) == 7


async def test_replay_goes_on_when_retention_deletes_the_event_where_it_was(
    client: ApiClient, workbench: Workbench
) -> None:
    for number in range(3):
        await emit(client, number=number)
    webhook = await register(client, "https://example.com/hook", event_types=["custom_*"])
    parameters = orjson.dumps({"webhook_id": webhook["id"], "since": BEGINNING}).decode()
    part = Part(1, 1, workbench.clock.now(), parameters, "deleted", 3)
    chunk = await workbench.operations.kinds["webhook_replay"].step(part)
    assert await workbench.store.transact(chunk.write) == Counts(done=3)
    newest = rows_of(await client.get("/events?event_type=custom_*"))[0]
    assert chunk.cursor == newest["id"]


async def test_replay_passes_over_many_unwanted_events_in_a_part(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(f"biont.operations.operations.{name}", 1)
    for number in range(25):
        await emit(client, "custom_b" if number == 15 else "custom_a")
    webhook = await register(client, "https://example.com/hook", event_types=["custom_b"])
    path = f"{PATH}/{webhook['id']}/replay"
    operation = await run_operation(client, path, {"since": BEGINNING})
    assert [operation[name] for name in ("counted", "done", "skipped")] == [25, 1, 24]


async def test_events_of_other_users_are_not_replayed(
    open_client: MakeClient, receiver: WebhookReceiver
) -> None:
    ada, eve = await open_client("ada"), await open_client("eve")
    await emit(ada)
    webhook = await register(eve, receiver.url)
    assert await replay(eve, webhook) == 0
    path = f"{PATH}/{webhook['id']}/replay"
    assert (await ada.ask("POST", path, {"since": BEGINNING}))[0] == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/since"),
        ({"since": "2026-03-02T12:00:00"}, "#/since"),
        ({"since": BEGINNING, "until": "soon"}, "#/until"),
        ({"since": BEGINNING, "event_types": ["Note"]}, "#/event_types/0"),
        ({"since": BEGINNING, "event_types": []}, "#/event_types"),
        ({"since": BEGINNING, "all": True}, "#/all"),
    ],
)
async def test_invalid_replay_is_refused(
    client: ApiClient, body: dict[str, JsonValue], pointer: str
) -> None:
    webhook = await register(client, "https://example.com/hook")
    path = f"{PATH}/{webhook['id']}/replay"
    assert await list_pointers(client, "POST", path, body) == [pointer]
