"""Missions survive killed processes and a locked database."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.thinker import Thinker

from biont.testing import ApiClient, ModelServer, rows_of

TASKS = 20
KILLS = 10


async def test_a_mission_of_twenty_tasks_survives_ten_kills(
    start_server: StartServer, make_key: MakeKey, scripted: ModelServer
) -> None:
    """Each task creates a note by a tool before it answers; each note exists once."""
    chance = random.Random(20)  # noqa: S311  # when to kill
    scripted.default = Thinker(keeps_notes=True)
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    plugins = {
        "llm": {"backend": "openai", "openai": openai, "retries": 0, "concurrency": 2},
        "missions": {"tasks": TASKS, "concurrency": 2, "retry": [0.05] * 20},
    }
    server = await start_server(plugins=plugins)
    steps: list[JsonValue] = [
        {"title": f"Task {number}", "depends_on": [number - 2] if number > 2 else []}
        for number in range(1, TASKS + 1)
    ]
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        mission = await client.post("/missions", {"goal": "Endure", "steps": steps})
    path = f"/missions/{mission['id']}"
    completed: set[int] = set()
    for _ in range(KILLS):
        await scripted.wait_until_asked(len(scripted.asked) + chance.randint(1, 3))
        await server.kill()
        server = await start_server(plugins=plugins)
        async with ApiClient(server.url, key) as client:
            tasks = rows_of({"data": (await client.get(path))["tasks"]})
            now_completed = {
                int(str(task["position"])) for task in tasks if task["status"] == "completed"
            }
            assert completed <= now_completed
            completed = now_completed
    async with ApiClient(server.url, key) as client:
        ended = await client.get_until(path, lambda found: found["ended_at"])
        assert (ended["status"], ended["error"]) == ("completed", None)
        events = rows_of(await client.get("/events?event_type=task_completed"))
        notes = rows_of(await client.get("/notes?limit=1000"))
    assert len(events) == TASKS
    titles = sorted(str(note["title"]) for note in notes if "Task" in str(note["title"]))
    assert titles == sorted(f"Task {number}" for number in range(1, TASKS + 1))


async def test_a_mission_survives_a_locked_database(
    start_server: StartServer, make_key: MakeKey, scripted: ModelServer, tmp_path: Path
) -> None:
    """A step that could not be recorded is repeated when the database is available again."""
    database = tmp_path / "biont.sqlite3"
    scripted.default = thinker = Thinker(hold=asyncio.Event())
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    server = await start_server(
        database={"url": f"sqlite:///{database}", "busy_timeout": 0.2},
        plugins={"llm": {"backend": "openai", "openai": openai}},
    )
    async with ApiClient(server.url, await make_key()) as client:
        steps: list[JsonValue] = [{"title": "One"}, {"title": "Two"}]
        mission = await client.post("/missions", {"goal": "Endure", "steps": steps})
        await scripted.wait_until_busy(2)
        with closing(sqlite3.connect(database, isolation_level=None)) as outside:
            outside.execute("BEGIN IMMEDIATE")
            assert thinker.hold is not None
            thinker.hold.set()
            await scripted.wait_until_busy(0)
            for _ in range(5):
                assert (await client.ask("POST", "/tasks", {"title": "x"}))[0] == 503
            outside.execute("ROLLBACK")
        ended = await client.get_until(
            f"/missions/{mission['id']}", lambda found: found["ended_at"]
        )
    assert (ended["status"], ended["error"]) == ("completed", None)
