"""Log of failures: each failed delivery, run, mission and handler leaves one record."""

from __future__ import annotations

from pathlib import Path

import orjson
from conftest import MakeKey, StartServer
from support.webhooks import register, wait_for_deliveries

from biont.testing import ApiClient, WebhookReceiver, rows_of

FAILING = """
from collections.abc import Sequence

from biont import Event, Transaction, Workbench, on

stumbled: list[bool] = []


@on("custom_sale", retry=[])
async def fail(event: Event, workbench: Workbench) -> None:
    raise ValueError("no")


@on("custom_sale", transactional=True)
def stumble(transaction: Transaction, events: Sequence[Event], workbench: Workbench) -> None:
    if len(stumbled) < 2:  # with the other handlers, and then alone
        stumbled.append(True)
        raise ValueError("not yet")
"""


async def test_each_failure_leaves_one_record_in_the_log(
    start_server: StartServer, make_key: MakeKey, receiver: WebhookReceiver, tmp_path: Path
) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "failing.py").write_text(FAILING)
    unreachable = {"base_url": "http://127.0.0.1:9/v1", "api_key": "x", "model": "m"}
    server = await start_server(
        egress={"allow": ["127.0.0.0/8:*"]},
        plugins={
            "folder": str(tmp_path / "plugins"),
            "llm": {"backend": "openai", "openai": unreachable, "retries": 0},
            "missions": {"retry": []},
        },
    )
    receiver.status = 500
    async with ApiClient(server.url, await make_key()) as client:
        webhook = await register(client, receiver.url, event_types=["custom_sale"])
        event = await client.post("/events", {"event_type": "custom_sale", "payload": {}})
        (delivery,) = await wait_for_deliveries(client, webhook)
        await client.get_until("/dead-letters", rows_of)
        schedule = await client.post("/schedule", {"cron": "0 9 * * *", "prompt": "Hi."})
        path = f"/schedule/{schedule['id']}"
        _, run = await client.ask("POST", f"{path}/run-now")
        await client.get_until(f"{path}/runs/{run['id']}", lambda found: found["ended_at"])
        mission = await client.post("/missions", {"goal": "Fail."})
        await client.get_until(
            f"/missions/{mission['id']}", lambda found: found["status"] == "failed"
        )
    assert await server.stop() == 0
    records = [orjson.loads(line) for line in server.read_log().splitlines()]
    for name, value in (
        ("delivery_id", delivery["id"]),
        ("handler", "failing.fail"),
        ("handler", "failing.stumble"),
        ("run_id", run["id"]),
        ("mission_id", mission["id"]),
    ):
        (record,) = [found for found in records if found.get(name) == value]
        assert record["level"] in {"warning", "error"}
        assert record["error"]
    assert [found["event_id"] for found in records if "delivery_id" in found] == [event["id"]]
