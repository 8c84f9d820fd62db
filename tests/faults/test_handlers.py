"""Handlers that kill the process or block the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.process import Server

from biont.testing import ApiClient

DEADLY = """
import os

from biont import Event, Workbench, on


@on("custom_n", retry=[])
async def handle(event: Event, workbench: Workbench) -> None:
    if event.payload.get("deadly"):
        os._exit(1)
    await workbench.events.emit("custom_done", event.user_id, {"n": event.payload["n"]})
"""

BLOCKING = """
import time

from biont import Event, Workbench, on


@on("custom_block")
async def sit(event: Event, workbench: Workbench) -> None:
    time.sleep(event.payload["seconds"])
"""


def write_plugin(folder: Path, name: str, source: str) -> dict[str, str]:
    """Write a plugin of one file; return the settings section that loads the plugin."""
    plugins = folder / "plugins"
    plugins.mkdir(exist_ok=True)
    (plugins / f"{name}.py").write_text(source)
    return {"folder": str(plugins)}


async def emit(client: ApiClient, event_type: str, **payload: JsonValue) -> None:
    await client.post("/events", {"event_type": event_type, "payload": dict(payload)})


def find_data(page: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    data = page["data"]
    assert isinstance(data, list)
    return [row for row in data if isinstance(row, dict)]


async def test_an_event_that_kills_the_process_each_time_becomes_a_dead_letter(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server(
        plugins=write_plugin(tmp_path, "deadly", DEADLY), events={"crash_limit": 2}
    )
    async with ApiClient(server.url, await make_key()) as client:
        for number in range(5):
            try:
                await emit(client, "custom_n", n=number, deadly=number == 2)
            except aiohttp.ClientError:
                break
    deaths = 0
    while await start_again(server):
        async with ApiClient(server.url, client.headers["X-API-Key"]) as again:
            try:
                async with asyncio.timeout(20):
                    letters = find_data(await again.get_until("/dead-letters", find_data))
            except (aiohttp.ClientError, TimeoutError):
                deaths += 1
                assert deaths < 7
                continue
            (letter,) = letters
            full = await again.get(f"/dead-letters/{letter['id']}")
            assert full["payload"] == {"n": 2, "deadly": True}
            assert "died 2 times" in str(letter["summary"])
            # The events before and after the deadly event were handled.
            await emit(again, "custom_n", n=9)
            await again.get_until(
                "/events?event_type=custom_done",
                lambda page: {0, 1, 9} <= {row["payload"]["n"] for row in find_data(page)},  # type: ignore[index,call-overload]
            )
            return
    raise AssertionError("it never stayed up")


async def start_again(server: Server) -> bool:
    await server.wait()
    while True:
        try:
            await server.start()
        except AssertionError:
            # The process died before it reported that it serves.
            continue
        return True


async def test_a_handler_that_blocks_the_event_loop_is_named(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server(
        plugins=write_plugin(tmp_path, "blocking", BLOCKING),
        server={"port": 0, "stall_limit": 0.2},
    )
    async with ApiClient(server.url, await make_key()) as client:
        assert (await client.get("/health"))["stalls"] == []
        await emit(client, "custom_block", seconds=1.5)
        health = await client.get_until("/health", lambda answer: answer["stalls"])
        (stall,) = find_data({"data": health["stalls"]})
        assert stall["culprit"] == "handler blocking.sit"
        assert isinstance(stall["seconds"], float)
        assert stall["seconds"] >= 0.2
