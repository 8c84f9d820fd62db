"""Tasks of missions that wait for the approval of a tool call."""

from __future__ import annotations

import asyncio

from aiohttp import web
from pydantic import JsonValue
from support.missions import GOAL, tasks_of, wait_for_end
from support.thinker import Thinker

from biont import Workbench
from biont.testing import USAGE, ApiClient, ManualClock, rows_of, say
from biont_missions.tasks import pause_task

SEND = say(calls=[("send_message", '{"integration": "x", "title": "Hi"}')])


async def test_a_task_waits_for_an_approval(client: ApiClient, thinker: Thinker) -> None:
    thinker.replies["Only"] = [
        say(calls=[("send_message", '{"integration": "x", "title": "Hi"}')]),
        say("Tried."),
    ]
    steps: list[JsonValue] = [{"title": "Only"}]
    made = await client.post(
        "/missions", {**GOAL, "steps": steps, "tools": ["send_message"], "reviews": 0}
    )
    path = f"/missions/{made['id']}"
    found = await client.get_until(path, lambda found: "'waiting'" in str(found["tasks"]))
    (task,) = tasks_of(found)
    (call,) = rows_of(await client.get(f"/tool-calls?source=task-{task['id']}"))
    await client.post(f"/tool-calls/{call['id']}/approve")
    mission = await wait_for_end(client, made)
    assert [task["result"] for task in tasks_of(mission)] == ["Tried."]


async def test_an_approved_task_goes_on_while_another_task_is_at_work(
    client: ApiClient, thinker: Thinker
) -> None:
    release = asyncio.Event()

    async def take_long(request: web.Request) -> web.StreamResponse:
        await release.wait()
        return await say("Done at last.")(request)

    thinker.replies = {"Only": [SEND, say("Tried.")], "Slow": [take_long]}
    body: dict[str, JsonValue] = {**GOAL, "steps": [{"title": "Only"}, {"title": "Slow"}]}
    made = await client.post("/missions", {**body, "tools": ["send_message"], "reviews": 0})
    path = f"/missions/{made['id']}"
    await client.get_until(path, lambda found: "'waiting'" in str(found["tasks"]))
    await client.post("/tool-calls/1/approve")
    found = await client.get_until(path, lambda found: "Tried." in str(found["tasks"]))
    assert [task["status"] for task in tasks_of(found)] == ["completed", "running"]
    release.set()
    assert (await wait_for_end(client, made))["status"] == "completed"


async def test_a_task_keeps_the_instant_of_its_first_start(
    client: ApiClient, thinker: Thinker, clock: ManualClock
) -> None:
    path, waiting = await start_waiting(client, thinker)
    assert waiting["started_at"] is not None
    clock.advance(hours=1)
    await client.post("/tool-calls/1/approve")
    mission = await client.get_until(path, lambda found: found["ended_at"])
    (task,) = tasks_of(mission)
    assert (task["status"], task["started_at"]) == ("completed", waiting["started_at"])


async def test_a_task_that_was_cancelled_in_the_meantime_does_not_wait(
    client: ApiClient, thinker: Thinker, workbench: Workbench
) -> None:
    path, task = await start_waiting(client, thinker)
    await client.post(f"{path}/cancel")
    await workbench.store.write(pause_task, int(str(task["id"])))
    assert (await client.get(f"/tasks/{task['id']}"))["status"] == "cancelled"


async def start_waiting(client: ApiClient, thinker: Thinker) -> tuple[str, dict[str, JsonValue]]:
    """Begin a mission; return its path and its only task, which waits for an approval."""
    thinker.replies["Only"] = [SEND, say("Tried.")]
    body: dict[str, JsonValue] = {**GOAL, "steps": [{"title": "Only"}], "tools": ["send_message"]}
    made = await client.post("/missions", {**body, "reviews": 0})
    path = f"/missions/{made['id']}"
    found = await client.get_until(path, lambda found: "'waiting'" in str(found["tasks"]))
    return path, tasks_of(found)[0]


async def test_cancelling_a_mission_abandons_its_waiting_calls(
    client: ApiClient, thinker: Thinker
) -> None:
    path, _ = await start_waiting(client, thinker)
    cancelled = await client.post(f"{path}/cancel")
    assert cancelled["tokens"] == USAGE["total_tokens"]
    assert rows_of(await client.get("/tool-calls?status=waiting")) == []
    assert (await client.get("/tool-calls/1"))["status"] == "abandoned"
    assert (await client.ask("POST", "/tool-calls/1/approve"))[0] == 409
    await client.ask("POST", f"{path}/retry")
    assert (await client.get_until(path, lambda found: found["ended_at"]))["status"] == "completed"


async def test_a_waiting_task_is_completed_by_hand(client: ApiClient, thinker: Thinker) -> None:
    path, task = await start_waiting(client, thinker)
    await client.post(f"/tasks/{task['id']}/complete", {"result": "By hand"})
    mission = await client.get_until(path, lambda found: found["ended_at"])
    assert (mission["status"], tasks_of(mission)[0]["result"]) == ("completed", "By hand")
    assert (await client.get("/tool-calls/1"))["status"] == "abandoned"
