"""Log of the command line: one JSON object in each line, without secrets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from conftest import MakeKey, StartServer
from support.process import Server

from biont.testing import ApiClient, rows_of

LOGGING = """
import logging
import threading
import warnings

import structlog

from biont import Event, Workbench, on


class BrokenText:
    def __repr__(self):
        raise ValueError


@on("custom_log")
async def report(event: Event, workbench: Workbench) -> None:
    log = structlog.get_logger("weather.station")
    log.info("measured", api_key="k1", values=[1, "sk-0123456789abcdef"], broken=BrokenText())
    log.debug("not written")
    logging.getLogger("weather.library").info("with %s", "password=hunter2")
    logging.getLogger("weather.other").debug("many\\nlines")
    warnings.warn("old", DeprecationWarning)
    try:
        raise ValueError("token=abc\\n" * 10_000)
    except ValueError:
        log.exception("failed", number=1 << 70)
    thread = threading.Thread(target=lambda: 1 / 0, name="sums")
    thread.start()
    thread.join()
"""

MALFORMED = [
    b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET  HTTP/9\r\n\r\n",
    b"POST /api/v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{",
]


async def send_bytes(url: str, data: bytes) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(data)
    writer.write_eof()
    await reader.read()
    writer.close()


async def start_with_plugin(start_server: StartServer, folder: Path, **log: object) -> Server:
    (folder / "plugins").mkdir()
    (folder / "plugins" / "weather.py").write_text(LOGGING)
    return await start_server(plugins={"folder": str(folder / "plugins")}, log=log)


async def read_records(server: Server, client: ApiClient) -> list[dict[str, object]]:
    """Let the plugin log, stop the server, and return the log."""
    await client.post("/events", {"event_type": "custom_log", "payload": {}})
    assert await server.stop() == 0
    return [orjson.loads(line) for line in server.read_log().splitlines()]


async def test_each_line_of_the_log_is_one_json_object_without_secrets(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_with_plugin(start_server, tmp_path)
    async with ApiClient(server.url, await make_key()) as client:
        for data in MALFORMED:
            await send_bytes(server.url, data)
        records = await read_records(server, client)
    for line in server.read_log().splitlines():
        assert "hunter2" not in line
        assert "k1" not in line
        assert "token=abc" not in line
        assert len(line) < 20_000
    by_event = {record["event"]: record for record in records}
    measured = by_event["measured"]
    assert measured["logger"] == "weather.station"
    assert measured["values"] == [1, "sk-***"]
    assert by_event["with password=***"]["level"] == "info"
    assert str(by_event["failed"]["exception"]).startswith("Traceback")
    assert "ZeroDivisionError" in str([record.get("exception") for record in records])
    assert "not written" not in by_event
    # A stranger's malformed request is no error of the operator.
    assert not [record for record in records if str(record["logger"]).startswith("aiohttp")]


async def test_administrators_read_the_last_lines_of_the_log(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_with_plugin(start_server, tmp_path, level={"weather": "debug"})
    async with ApiClient(server.url, await make_key()) as client:
        await client.post("/events", {"event_type": "custom_log", "payload": {}})
        page = await client.get_until(
            "/system/log?level=debug&limit=200", lambda found: "ZeroDivisionError" in str(found)
        )
        lines = {str(line["message"]): line for line in rows_of(page)}
        assert not {"hunter2", "token=abc", "'k1'"} & {
            secret for secret in ("hunter2", "token=abc", "'k1'") if secret in str(page)
        }
        measured = lines["measured"]
        assert (measured["level"], measured["logger"]) == ("info", "weather.station")
        assert measured["fields"]["values"] == [1, "sk-***"]  # type: ignore[index,call-overload]  # JSON
        assert lines["not written"]["level"] == "debug"
        assert len(str(lines["failed"]["exception"])) < 10_000
        numbers = [int(str(line["number"])) for line in rows_of(page)]
        assert numbers == sorted(numbers, reverse=True)
        errors = rows_of(await client.get("/system/log?level=error"))
        assert {line["level"] for line in errors} <= {"error", "critical"}
        assert "failed" in {line["message"] for line in errors}
        assert len(rows_of(await client.get("/system/log?limit=1"))) == 1


async def test_levels_are_set_for_each_logger(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    levels = {"default": "error", "weather": "debug", "weather.library": "warning"}
    server = await start_with_plugin(start_server, tmp_path, level=levels)
    async with ApiClient(server.url, await make_key()) as client:
        events = {record["event"] for record in await read_records(server, client)}
    assert {"measured", "not written", "many\nlines"} <= events
    assert "with password=***" not in events


async def test_the_log_is_text_where_the_settings_say_so(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_with_plugin(start_server, tmp_path, format="console")
    async with ApiClient(server.url, await make_key()) as client:
        await client.post("/events", {"event_type": "custom_log", "payload": {}})
    assert await server.stop() == 0
    assert "measured" in server.read_log()
    assert not server.read_log().startswith("{")
