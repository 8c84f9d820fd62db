"""Inbound requests under ``kill -9``, and in a burst."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import ClientError
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.pages import read_examples
from support.process import run_script
from support.senders import Sender
from support.thinker import Thinker

from biont.testing import ApiClient, ModelServer, rows_of, say
from biont.testing.model_server import respond, wait_for

ROUNDS = 5


async def make_hook(client: ApiClient, action: dict[str, JsonValue]) -> Sender:
    """Make an inbound webhook without a limit that matters; return its sender."""
    new: JsonValue = {"name": "Issues", "preset": "github", "rate": 10_000, "action": action}
    made = await client.post("/webhooks/incoming", new)
    return Sender(str(made["url"]), str(made["secret"]))


async def test_an_accepted_prompt_is_answered_once_after_kill_9(
    start_server: StartServer, make_key: MakeKey, scripted: ModelServer
) -> None:
    scripted.script = [wait_for(asyncio.Event())]
    scripted.default = say("A bug.")
    server = await start_server(**scripted.sections)
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        sender = await make_hook(client, {"kind": "prompt", "prompt": "{{ body.issue.title }}"})
    assert (await sender.send()).status == 202
    await scripted.wait_until_busy(1)
    await server.kill()
    await server.start()
    sender.move(server.url)
    async with ApiClient(server.url, key) as client:
        await client.get_until(
            "/webhooks/incoming/1/deliveries", lambda page: rows_of(page)[0]["state"] == "done"
        )
        assert (await sender.send()).status == 200
        (note,) = rows_of(await client.get("/notes"))
    assert note["content"] == "A bug."


async def test_each_request_acts_once_under_kill_9_and_repetition(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server()
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        sender = await make_hook(
            client, {"kind": "note", "title": "{{ delivery_id }}", "content": ""}
        )
    acknowledged: set[str] = set()
    sent: list[str] = []

    async def send_until_killed(number: int) -> None:
        for count in range(1000):
            delivery = f"{number}-{count}"
            sent.append(delivery)
            try:
                answer = await sender.send(delivery=delivery)
            except ClientError:
                return
            assert answer.status == 202, answer
            acknowledged.add(delivery)

    for turn in range(ROUNDS):
        goal = len(acknowledged) + 20
        sending = [asyncio.create_task(send_until_killed(10 * turn + n)) for n in range(4)]
        while len(acknowledged) < goal:
            await asyncio.wait(sending, timeout=0.001)
        await server.kill()
        await asyncio.gather(*sending)
        await server.start()
        sender.move(server.url)
    # A sender repeats the requests whose answer is lost.
    for delivery in sent:
        assert (await sender.send(delivery=delivery)).status in (200, 202)
    async with ApiClient(server.url, key) as client:
        titles = [str(note["title"]) for note in rows_of(await client.get("/notes?limit=1000"))]
    assert sorted(titles) == sorted(sent)


async def test_a_database_that_cannot_be_written_lets_senders_repeat(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    database = tmp_path / "biont.sqlite3"
    server = await start_server(database={"url": f"sqlite:///{database}", "busy_timeout": 0.2})
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        sender = await make_hook(client, {"kind": "note", "title": "Issue", "content": ""})
        with closing(sqlite3.connect(database, isolation_level=None)) as outside:
            outside.execute("BEGIN IMMEDIATE")
            answer = await sender.send()
            assert (answer.status, answer.document["status"]) == (503, "refused")
            outside.execute("ROLLBACK")
        assert (await sender.send()).status == 202
        assert len(rows_of(await client.get("/notes"))) == 1


async def test_a_prompt_whose_model_is_out_of_reach_is_asked_again_by_a_replay(
    start_server: StartServer, make_key: MakeKey, scripted: ModelServer
) -> None:
    scripted.default = respond(500, b"{}")
    server = await start_server(**scripted.sections, events={"handler_retry": []})
    async with ApiClient(server.url, await make_key()) as client:
        sender = await make_hook(client, {"kind": "prompt", "prompt": "{{ body.issue.title }}"})
        assert (await sender.send()).status == 202
        letters = await client.get_until("/dead-letters", rows_of)
        (delivery,) = rows_of(await client.get("/webhooks/incoming/1/deliveries"))
        assert delivery["state"] == "pending"
        # Another action in between changes nothing for the request that was accepted before.
        action: JsonValue = {"kind": "note", "title": "x", "content": ""}
        await client.ask("PATCH", "/webhooks/incoming/1", {"action": action})
        scripted.default = say("A bug.")
        await client.post(f"/dead-letters/{rows_of(letters)[0]['id']}/replay")
        await client.get_until(
            "/webhooks/incoming/1/deliveries", lambda page: rows_of(page)[0]["state"] == "done"
        )
        (note,) = rows_of(await client.get("/notes"))
    assert note["content"] == "A bug."


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
async def test_a_burst_is_taken_in_with_bounded_memory(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server()
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        action: dict[str, JsonValue] = {
            "kind": "event",
            "event_type": "custom_issue",
            "payload": {"n": "{{ delivery_id }}"},
        }
        sender = await make_hook(client, action)
        await sender.send_many([str(number) for number in range(200)])
        before = read_memory(server.pid)
        await sender.send_many([str(number) for number in range(200, 2000)])
        assert read_memory(server.pid) - before < 64 * 1024 * 1024
        requests = rows_of(await client.get("/webhooks/incoming/1/requests"))
        assert len(requests) == 10
        page = await client.get("/events?event_type=custom_issue&limit=1000")
        assert len(rows_of(page)) == 1000
        assert page["next"] is not None


def read_memory(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on PATH")
async def test_an_issue_starts_a_mission_as_documented(
    start_server: StartServer, make_key: MakeKey, scripted: ModelServer, tmp_path: Path
) -> None:
    scripted.default = Thinker()
    server = await start_server(**scripted.sections)
    key = await make_key()
    (script,) = read_examples("docs/how-to/inbound-webhooks.md", "github")
    async with run_script(script, tmp_path, URL=server.url, KEY=key) as output:
        made = Sender.of_answer(await output.read())
    assert (
        await made.send({"zen": "Keep it simple."}, delivery="d-0", event="ping")
    ).status == 200
    assert (await made.send()).status == 202
    async with ApiClient(server.url, key) as client:
        mission = await client.get_until("/missions/1", lambda it: it["status"] == "completed")
        assert "It hangs" in str(mission["goal"])
        (delivery,) = rows_of(await client.get("/webhooks/incoming/1/deliveries"))
        assert delivery["result"] == "/api/v1/missions/1"
