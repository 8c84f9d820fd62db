from __future__ import annotations

import hashlib
import hmac
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue
from standardwebhooks import Webhook
from support.webhooks import PATH, register, wait_for_deliveries
from svix.webhooks import Webhook as SvixWebhook

from biont import Workbench
from biont.testing import ApiClient, MakeClient, ManualClock, WebhookReceiver, rows_of


async def test_public_libraries_verify_a_delivery(
    client: ApiClient, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    clock.at = datetime.now(UTC)  # the libraries refuse what is older than five minutes
    webhook = await register(client, receiver.url)
    note = await client.post("/notes", {"title": "Grüße"})
    (request,) = await receiver.wait_for(1)

    secret = str(webhook["secret"])
    expected = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-ASI-Signature"] == expected
    for library in (Webhook, SvixWebhook):
        library(secret).verify(request.body.decode(), dict(request.headers))

    event = request.event
    assert set(event) == {"id", "user_id", "event_type", "created_at", "payload"}
    assert event["id"] == request.headers["webhook-id"]
    assert event["event_type"] == "note_created"
    assert event["payload"] == {
        "note_id": note["id"],
        "title": "Grüße",
        "tags": [],
        "source": None,
    }
    assert request.headers["Content-Type"] == "application/json"


async def test_chosen_secret_signs_deliveries(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    await register(client, receiver.url, secret="a-secret-of-my-very-own")
    await client.post("/notes", {"title": "x"})
    (request,) = await receiver.wait_for(1)
    expected = hmac.new(b"a-secret-of-my-very-own", request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-ASI-Signature"] == expected


async def test_only_subscribed_event_types_are_delivered(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    await register(client, receiver.url, event_types=["note_created", "custom_a*"])
    for event_type in ("custom_b", "custom_ab", "custom_c", "custom_a"):
        await client.post("/events", {"event_type": event_type})
    await client.post("/notes", {"title": "last"})
    requests = await receiver.wait_for(3)
    assert {str(request.event["event_type"]) for request in requests} == {
        "custom_ab",
        "custom_a",
        "note_created",
    }


async def test_events_of_other_users_are_not_delivered(
    open_client: MakeClient, receiver: WebhookReceiver
) -> None:
    ada, eve = await open_client("ada"), await open_client("eve")
    await register(eve, receiver.url)
    await ada.post("/notes", {"title": "ada's"})
    await eve.post("/notes", {"title": "eve's"})
    (request,) = await receiver.wait_for(1)
    assert request.event["payload"] == {"note_id": 2, "title": "eve's", "tags": [], "source": None}


async def test_the_secret_is_shown_only_once(client: ApiClient) -> None:
    webhook = await register(client, "https://example.com/hook")
    assert str(webhook["secret"]).startswith("whsec_")
    assert str(webhook["secret"]) not in str(await client.get(PATH))
    assert "secret" not in await client.get(f"{PATH}/{webhook['id']}")


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 404, 410, 429, 500, 503])
async def test_only_200_is_a_success_and_there_is_no_retry_by_default(
    client: ApiClient, receiver: WebhookReceiver, status: int
) -> None:
    receiver.status = status
    webhook = await register(client, receiver.url)
    await client.post("/notes", {"title": "x"})
    (delivery,) = await wait_for_deliveries(client, webhook)
    assert delivery["status"] == "failed"
    attempts = delivery["attempts"]
    assert isinstance(attempts, list)
    (attempt,) = attempts
    assert isinstance(attempt, dict)
    assert attempt["status_code"] == status
    assert len(receiver.requests) == 1


async def test_a_success_is_recorded(client: ApiClient, receiver: WebhookReceiver) -> None:
    webhook = await register(client, receiver.url)
    await client.post("/notes", {"title": "x"})
    (delivery,) = await wait_for_deliveries(client, webhook)
    assert (delivery["status"], delivery["event_type"]) == ("succeeded", "note_created")


async def test_refused_connection_is_recorded(client: ApiClient, unused_tcp_port: int) -> None:
    webhook = await register(client, f"http://127.0.0.1:{unused_tcp_port}/hook")
    await client.post("/notes", {"title": "x"})
    (delivery,) = await wait_for_deliveries(client, webhook)
    assert delivery["status"] == "failed"
    assert "connection" in str(delivery["attempts"])


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/hook",
        "http://[::1]/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://0xa9fea9fe/",
        "tcp://example.com/hook",
        "file:///etc/passwd",
        "http://ada:hunter2@example.com/hook",
        "example.com/hook",
        "",
    ],
)
async def test_forbidden_url_is_refused_with_a_pointer(client: ApiClient, url: str) -> None:
    status, problem = await client.ask("POST", f"{PATH}/register", {"url": url})
    assert status == 422
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors if isinstance(error, dict)] == ["#/url"]
    assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"event_types": []}, "#/event_types"),
        ({"event_types": ["Note"]}, "#/event_types/0"),
        ({"event_types": ["note_created", "*x"]}, "#/event_types/1"),
        ({"secret": "short"}, "#/secret"),
        ({"secret": "whsec_not base64"}, "#/secret"),
    ],
)
async def test_invalid_webhook_is_refused_with_a_pointer(
    client: ApiClient, more: dict[str, JsonValue], pointer: str
) -> None:
    body: dict[str, JsonValue] = {"url": "https://example.com/hook", **more}
    status, problem = await client.ask("POST", f"{PATH}/register", body)
    assert status == 422
    assert f"'{pointer}'" in str(problem["errors"])


async def test_deleted_webhook_gets_no_deliveries(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    first = await register(client, receiver.url, event_types=["custom_first"])
    await register(client, receiver.url, event_types=["custom_last"])
    assert (await client.ask("DELETE", f"{PATH}/{first['id']}"))[0] == 204
    await client.post("/events", {"event_type": "custom_first"})
    await client.post("/events", {"event_type": "custom_last"})
    (request,) = await receiver.wait_for(1)
    assert request.event["event_type"] == "custom_last"
    assert (await client.ask("GET", f"{PATH}/{first['id']}"))[0] == 404


async def test_many_events_reach_many_webhooks_once_each(
    client: ApiClient, receiver: WebhookReceiver
) -> None:
    for _ in range(5):
        await register(client, receiver.url)
    for number in range(40):
        await client.post("/events", {"event_type": "custom_n", "payload": {"n": number}})
    requests = await receiver.wait_for(200)
    assert len(requests) == 200
    assert len({request.headers["webhook-id"] for request in requests}) == 40


async def test_a_replay_that_runs_is_cancelled_with_its_webhook(
    client: ApiClient, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await register(client, "https://example.com/hook")
    webhook = await register(client, "https://example.com/hook")
    with monkeypatch.context() as patch:
        # Without its kind, an operation waits.
        patch.setattr(workbench.operations, "kinds", {})
        replays = [
            await client.post(f"{PATH}/{number}/replay", {"since": "2026-03-01T00:00:00Z"})
            for number in (webhook["id"], kept["id"])
        ]
    assert (await client.ask("DELETE", f"{PATH}/{webhook['id']}"))[0] == 204
    found = [await client.get(f"/operations/{replay['id']}") for replay in replays]
    assert [operation["status"] for operation in found] == ["cancelled", "running"]


async def test_many_deliveries_are_deleted_with_their_webhook(
    client: ApiClient, receiver: WebhookReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_ROWS", "MOST_ROWS"):
        monkeypatch.setattr(f"biont.operations.operations.{name}", 2)
    webhook = await register(client, receiver.url, event_types=["custom_*"])
    other = await register(client, receiver.url, event_types=["custom_*"])
    for _ in range(5):
        await client.post("/events", {"event_type": "custom_n"})
    await wait_for_deliveries(client, webhook, 5)
    await wait_for_deliveries(client, other, 5)
    assert (await client.ask("DELETE", f"{PATH}/{webhook['id']}"))[0] == 204
    assert (await client.ask("GET", f"{PATH}/{webhook['id']}/deliveries"))[0] == 404
    assert (await client.ask("DELETE", f"{PATH}/{webhook['id']}"))[0] == 404
    assert [row["id"] for row in rows_of(await client.get(PATH))] == [other["id"]]
    page = await client.get_until("/operations?kind=webhook_delete&status=done", rows_of)
    assert rows_of(page)[0]["done"] == 5
    with closing(sqlite3.connect(tmp_path / "biont.sqlite3")) as connection:
        left = connection.execute("SELECT DISTINCT webhook_id FROM webhook_deliveries").fetchall()
    assert left == [(other["id"],)]
