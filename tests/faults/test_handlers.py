"""Handlers that kill the process or block the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import orjson
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

DEADLY_TEXT = """
import os

from biont import Event, Workbench, on


class DeadlyError(Exception):
    def __str__(self):
        os._exit(1)


@on("custom_n", retry=[])
async def handle(event: Event, workbench: Workbench) -> None:
    if event.payload.get("deadly"):
        raise DeadlyError
"""

QUOTING = """
from biont import Event, Workbench, on


@on("custom_amount")
async def add(event: Event, workbench: Workbench) -> None:
    float(event.payload["amount"])
"""

BROKEN_ERRORS = """
import asyncio

from biont import Api, Event, Request, Transaction, Workbench, hookimpl, on

api = Api("broken")


class ExitingText(Exception):
    def __str__(self):
        raise SystemExit(3)

    __repr__ = __str__


class ExitingExit(SystemExit):
    __str__ = __repr__ = ExitingText.__str__


class BrokenClass(Exception):
    @property
    def __class__(self):
        raise RuntimeError("no class")


class ClosedAttributes(Exception):
    def __getattribute__(self, name):
        raise RuntimeError(name)


def make_circle():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    return first


ERRORS = [ExitingText, ExitingExit, BrokenClass, ClosedAttributes, make_circle,
          asyncio.CancelledError, GeneratorExit]


def fail(number):
    raise ERRORS[number]()


@hookimpl
def register_routes():
    return api


@on("custom_n")
async def handle(event: Event, workbench: Workbench) -> None:
    fail(event.payload["n"])


@on("custom_n", transactional=True)
def handle_in_transaction(tx: Transaction, events: list[Event], workbench: Workbench) -> None:
    fail(events[0].payload["n"])


@api.post("/broken-reads/{number}")
async def read(request: Request, number: int) -> None:
    await request.workbench.store.read(fail, number)


@api.post("/broken-writes/{number}")
async def write(request: Request, number: int) -> None:
    await request.workbench.store.write(fail, number)
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


async def emit_deadly(
    server: Server, key: str, deadly: int, limit: int = 7
) -> dict[str, JsonValue]:
    """Emit five events, of which one kills the process; return its dead letter.

    The server is started again after each death, at most `limit` times.
    """
    async with ApiClient(server.url, key) as client:
        for number in range(5):
            try:
                await emit(client, "custom_n", n=number, deadly=number == deadly)
            except aiohttp.ClientError:
                break
    for _ in range(limit):
        await start_again(server)
        async with ApiClient(server.url, key) as client:
            try:
                async with asyncio.timeout(20):
                    letters = find_data(await client.get_until("/dead-letters", find_data))
                # The guard blames this event alone.
                (letter,) = letters
                return await client.get(f"/dead-letters/{letter['id']}")
            except (aiohttp.ClientError, TimeoutError):
                continue
    raise AssertionError("it never stayed up")


async def test_an_event_that_kills_the_process_each_time_becomes_a_dead_letter(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server(
        plugins=write_plugin(tmp_path, "deadly", DEADLY), events={"crash_limit": 2}
    )
    key = await make_key()
    letter = await emit_deadly(server, key, deadly=2)
    assert letter["payload"] == {"n": 2, "deadly": True}
    assert "died 2 times" in str(letter["summary"])
    async with ApiClient(server.url, key) as client:
        # The events before and after the deadly event were handled.
        await emit(client, "custom_n", n=9)
        await client.get_until(
            "/events?event_type=custom_done",
            lambda page: {0, 1, 9} <= {row["payload"]["n"] for row in find_data(page)},  # type: ignore[index,call-overload]
        )


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


async def test_an_error_whose_text_kills_the_process_becomes_a_dead_letter(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server(
        plugins=write_plugin(tmp_path, "deadly", DEADLY_TEXT), events={"crash_limit": 2}
    )
    letter = await emit_deadly(server, await make_key(), deadly=1)
    assert letter["payload"] == {"n": 1, "deadly": True}


async def test_a_payload_that_an_error_quotes_stops_nothing_and_is_redacted(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server(
        plugins=write_plugin(tmp_path, "quoting", QUOTING),
        events={"handler_retry": []},
        log={"level": {"default": "debug"}},
    )
    poisons = ["a-" * 100_000, "password=hunter2 " * 15_000, "://hunter2:" * 20_000 + "@"]
    async with ApiClient(server.url, await make_key()) as client:
        for poison in poisons:
            await emit(client, "custom_amount", amount=poison)
        page = await client.get_until(
            "/dead-letters", lambda answer: len(find_data(answer)) == len(poisons)
        )
        letters = [await client.get(f"/dead-letters/{letter['id']}") for letter in find_data(page)]
        assert all(len(str(letter["error"])) < 17_000 for letter in letters)
        assert "could not convert string to float: 'a-a-a-" in str(letters[-1]["error"])
        assert "password=hunter2" not in str([letter["error"] for letter in letters])
        await client.get("/health")
    assert await server.stop() == 0
    records = [orjson.loads(line) for line in server.read_log().splitlines()]
    assert any("could not convert" in str(record.get("error")) for record in records)
    assert "hunter2" not in "".join(str(r) for r in records if "password" in str(r))
    assert max(map(len, server.read_log().splitlines())) < 20_000


async def test_errors_that_cannot_be_read_stop_nothing(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server(
        plugins=write_plugin(tmp_path, "broken", BROKEN_ERRORS), events={"handler_retry": []}
    )
    async with ApiClient(server.url, await make_key()) as client:
        for number in range(7):
            await emit(client, "custom_n", n=number)
        await client.get_until("/dead-letters", lambda answer: len(find_data(answer)) == 14)
        for number in range(5):
            for path in (f"/broken-reads/{number}", f"/broken-writes/{number}"):
                status, _ = await client.ask("POST", path)
                assert status == 500
        health = await client.get("/health")
        assert health["status"] == "ok"
    assert await server.stop() == 0
    for line in server.read_log().splitlines():
        orjson.loads(line)
