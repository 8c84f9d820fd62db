"""Retention: every table that grows by itself loses its old rows, except those still needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Restart
from pydantic import JsonValue

from biont.testing import ApiClient, ManualClock, ModelServer, WebhookReceiver, rows_of, say

FAILING = """
from biont import Event, Workbench, on


@on("custom_fail", retry=[])
async def fail(event: Event, workbench: Workbench) -> None:
    raise ValueError("no")
"""


@pytest.fixture
def sections(
    scripted: ModelServer, receiver: WebhookReceiver, tmp_path: Path
) -> dict[str, object]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "failing.py").write_text(FAILING)
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    chat = {"kind": "json", "url": receiver.url, "reports": True}
    return {
        "egress": {"allow": ["127.0.0.0/8:*"]},
        "plugins": {
            "folder": str(folder),
            "llm": {"backend": "openai", "openai": openai},
            "integrations": {"connections": {"chat": chat}},
        },
    }


async def run_now(client: ApiClient, schedule_id: JsonValue) -> None:
    run = await client.ask("POST", f"/schedule/{schedule_id}/run-now")
    path = f"/schedule/{schedule_id}/runs/{run[1]['id']}"
    await client.get_until(path, lambda found: found["status"] == "succeeded")


async def let_call(client: ApiClient, scripted: ModelServer, tool: str, arguments: str) -> None:
    scripted.script += [say(calls=[(tool, arguments)]), say("Done.")]
    await client.post("/chat", {"message": "Do it.", "tools": [tool]})


async def fill_tables(client: ApiClient, scripted: ModelServer, schedule_id: JsonValue) -> None:
    await run_now(client, schedule_id)
    await let_call(client, scripted, "search_notes", '{"query": "x"}')
    await client.post("/events", {"event_type": "custom_fail", "payload": {}})
    await client.get_until("/dead-letters", rows_of)
    await client.get_until("/integrations/messages", rows_of)


async def count_rows(client: ApiClient, schedule_id: JsonValue) -> dict[str, int]:
    paths = {
        "runs": f"/schedule/{schedule_id}/runs",
        "tool calls": "/tool-calls",
        "dead letters": "/dead-letters",
        "messages": "/integrations/messages",
        "calls of models": "/usage/calls",
        "events": "/events?event_type=scheduled_trigger",
    }
    return {name: len(rows_of(await client.get(path))) for name, path in paths.items()}


async def test_old_rows_are_deleted_and_those_still_needed_stay(
    restart: Restart, clock: ManualClock, scripted: ModelServer
) -> None:
    body: dict[str, JsonValue] = {"name": "S", "at": "2100-01-01T00:00:00Z", "prompt": "Hi."}
    async with restart() as client:
        schedule_id = (await client.post("/schedule", body))["id"]
        await fill_tables(client, scripted, schedule_id)
        clock.advance(seconds=1)
        await run_now(client, schedule_id)
        await let_call(client, scripted, "send_message", '{"integration": "chat", "title": "x"}')
        before = await count_rows(client, schedule_id)
    assert before["runs"] == 2
    assert before["tool calls"] == 2
    clock.advance(days=366)
    async with restart() as client:
        await client.get_until("/usage/calls", lambda page: rows_of(page) == [])
        await client.get_until("/tool-calls", lambda page: len(rows_of(page)) == 1)
        await client.get_until("/dead-letters", lambda page: rows_of(page) == [])
        await client.get_until("/integrations/messages", lambda page: rows_of(page) == [])
        await client.get_until("/events", lambda page: rows_of(page) == [])
        await client.get_until(
            f"/schedule/{schedule_id}/runs", lambda page: len(rows_of(page)) == 1
        )
        # The call waits for its user, and the run's note may be quoted by the next run.
        (call,) = rows_of(await client.get("/tool-calls"))
        (run,) = rows_of(await client.get(f"/schedule/{schedule_id}/runs"))
    assert (call["tool"], call["status"]) == ("send_message", "waiting")
    assert run["status"] == "succeeded"
