"""The main job, from outside: a real process, a real model, a real receiver."""

from __future__ import annotations

from conftest import MakeKey, StartServer
from pydantic import JsonValue
from standardwebhooks import Webhook

from biont.testing import ApiClient, WebhookReceiver

TEXT = (
    "The city library opened a new reading room on Monday. It has 120 seats, large windows "
    "and free internet, and it is open every day until midnight."
)


async def test_a_due_prompt_becomes_a_note_and_a_signed_webhook(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver
) -> None:
    server = await start_server()
    async with ApiClient(server.url, await make_key()) as client:
        webhook = await client.post(
            "/webhooks/outgoing/register",
            {"url": receiver.url, "event_types": ["note_created", "scheduled_trigger"]},
        )
        schedule = await client.post(
            "/schedule",
            {
                "name": "Library",
                "cron": "* * * * * *",
                "seconds": True,
                "max_runs": 1,
                "prompt": f"Summarise this text: {TEXT}",
            },
        )
        (trigger,) = await receiver.wait_for(1, event_type="scheduled_trigger")

        verifier = Webhook(str(webhook["secret"]))
        for request in receiver.requests:
            verifier.verify(request.body.decode(), dict(request.headers))

        payload = trigger.event["payload"]
        assert isinstance(payload, dict)
        note = await client.get(f"/notes/{payload['note_id']}")
        assert "library" in str(note["content"]).lower()
        assert note["title"] == "Library"
        (run, *_) = list_of(await client.get(f"/schedule/{schedule['id']}/runs"))
        assert run["status"] == "succeeded"
        assert run["id"] == payload["run_id"]

        logged = await client.get_until(
            "/events?event_type=scheduled_trigger", lambda page: page["data"]
        )
        (event, *_) = list_of(logged)
        assert event["id"] == trigger.headers["webhook-id"]


def list_of(page: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    data = page["data"]
    assert isinstance(data, list)
    return [row for row in data if isinstance(row, dict)]
