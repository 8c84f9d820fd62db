"""Acts on many rows are worked off in the background, in a process that may end at any moment."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.event_log import add_past_events
from support.process import Server
from support.webhooks import PATH, Document, register

from biont.testing import ApiClient, WebhookReceiver, rows_of

WINDOW: JsonValue = {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}
MANY = 4000


class Past:
    """A stopped workbench with a webhook, and with events from before the webhook."""

    def __init__(self, server: Server, key: str, webhook: Document, ids: list[str]) -> None:
        self.server = server
        self.key = key
        self.ids = ids
        self.replay_path = f"{PATH}/{webhook['id']}/replay"
        self.deliveries_path = f"{PATH}/{webhook['id']}/deliveries"

    async def start(self) -> ApiClient:
        await self.server.start()
        return ApiClient(self.server.url, self.key)


@pytest.fixture
async def past(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver, tmp_path: Path
) -> Past:
    server = await start_server()
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        webhook = await register(client, receiver.url, event_types=["custom_*"])
    await server.stop()
    return Past(server, key, webhook, [*add_past_events(tmp_path / "biont.sqlite3", MANY)])


def is_ended(operation: Document) -> bool:
    return operation["status"] != "running"


def count_ids(receiver: WebhookReceiver) -> Counter[str]:
    return Counter(request.headers["webhook-id"] for request in receiver.requests)


async def test_replay_answers_at_once_and_delivers_each_event_once(
    past: Past, receiver: WebhookReceiver
) -> None:
    async with await past.start() as client:
        answer = await client.request("POST", past.replay_path, WINDOW)
        begun = answer.document
        assert (answer.status, begun["status"], begun["done"]) == (202, "running", 0)
        path = f"/operations/{begun['id']}"
        assert answer.headers["Location"] == f"/api/v1{path}"
        assert begun["subject"] == f"/api/v1{past.replay_path.removesuffix('/replay')}"
        # A client that has lost the answer asks once more.
        assert (await client.post(past.replay_path, WINDOW))["id"] == begun["id"]

        # Deliveries arrive long before the last is created.
        await receiver.wait_for(1)
        early = await client.get(path)
        assert (early["status"], early["ended_at"]) == ("running", None)

        ended = await client.get_until(path, is_ended)
        assert [ended[name] for name in ("status", "counted", "done", "skipped", "failed")] == [
            "done",
            MANY,
            MANY,
            0,
            0,
        ]
        (event,) = rows_of(await client.get("/events?event_type=operation_finished"))
        assert str(event["payload"]).count(f"'done': {MANY}") == 1
        await receiver.wait_until(lambda: len(receiver.requests) >= MANY, list)
        assert count_ids(receiver) == Counter(past.ids)


async def test_a_replay_continues_after_kill_9_and_sigterm(
    past: Past, receiver: WebhookReceiver
) -> None:
    async with await past.start() as client:
        begun = await client.post(past.replay_path, WINDOW)
        path = f"/operations/{begun['id']}"
        seen = await client.get_until(path, lambda each: int(str(each["done"])) > 0)
        assert seen["status"] == "running"
        await past.server.kill()
    async with await past.start() as client:
        assert int(str((await client.get(path))["done"])) >= int(str(seen["done"]))
        assert await past.server.stop() == 0
    async with await past.start() as client:
        ended = await client.get_until(path, is_ended)
        assert [ended[name] for name in ("status", "counted", "done")] == ["done", MANY, MANY]
        await receiver.wait_until(lambda: set(count_ids(receiver)) == set(past.ids), list)
        # One delivery each; a delivery whose record the kill has lost is attempted again.
        pending = await client.get_until(
            f"{past.deliveries_path}?status=pending&limit=1", lambda page: not rows_of(page)
        )
        assert pending["next"] is None


async def test_a_cancelled_replay_creates_no_further_deliveries(
    past: Past, receiver: WebhookReceiver
) -> None:
    async with await past.start() as client:
        begun = await client.post(past.replay_path, WINDOW)
        path = f"/operations/{begun['id']}"
        await client.get_until(path, lambda each: int(str(each["done"])) > 0)
        status, cancelled = await client.ask("POST", f"{path}/cancel")
        assert (status, cancelled["status"]) == (200, "cancelled")
        created = int(str(cancelled["done"]))
        assert 0 < created < MANY
        # The created deliveries are made, and the same act can be begun anew.
        await receiver.wait_until(lambda: len(receiver.requests) >= created, list)
        assert await client.get(path) == cancelled
        assert (await client.ask("POST", f"{path}/cancel")) == (200, cancelled)
        again = await client.post(past.replay_path, WINDOW)
        assert again["id"] != begun["id"]
        ended = await client.get_until(f"/operations/{again['id']}", is_ended)
        assert [ended[name] for name in ("done", "skipped")] == [MANY - created, created]
        assert (await client.ask("POST", f"/operations/{again['id']}/cancel"))[0] == 409
        await receiver.wait_until(lambda: len(receiver.requests) >= MANY, list)
        assert count_ids(receiver) == Counter(past.ids)
