"""What an operator and a client do with events: correlate, replay, emit by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from conftest import MakeKey, StartServer
from pydantic import JsonValue
from support.process import run_biont, start_biont

from biont.testing import ApiClient, rows_of

SHAKY = """
from pathlib import Path

from biont import Event, Workbench, on

CURED = Path(__file__).with_name("cured")


@on("custom_order", retry=[])
async def book(event: Event, workbench: Workbench) -> None:
    if not CURED.exists():
        raise ConnectionError("https://ada:hunter2@books.example refuses")
    await workbench.events.emit("custom_booked", event.user_id, {"n": event.payload["n"]})
"""


@pytest.fixture
def plugin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "shaky.py").write_text(SHAKY)
    return folder


async def test_dead_letters_are_read_counted_replayed_and_dropped(
    start_server: StartServer, make_key: MakeKey, plugin_folder: Path
) -> None:
    server = await start_server(plugins={"folder": str(plugin_folder)})
    async with (
        ApiClient(server.url, await make_key()) as ada,
        ApiClient(server.url, await make_key("eve")) as eve,
    ):
        for number in range(4):
            await ada.post("/events", {"event_type": "custom_order", "payload": {"n": number}})
        page = await ada.get_until("/dead-letters", lambda page: len(rows_of(page)) == 4)
        letter = rows_of(page)[0]
        assert (letter["handler"], letter["attempts"]) == ("shaky.book", 1)
        assert letter["summary"] == "ConnectionError: https://ada:***@books.example refuses"
        path = f"/dead-letters/{letter['id']}"
        full = await ada.get(path)
        assert full["payload"] == {"n": 3}
        assert "Traceback" in str(full["error"])
        assert "hunter2" not in str(full)

        assert rows_of(await eve.get("/dead-letters")) == []
        assert (await eve.ask("GET", path))[0] == 404
        assert (await eve.ask("DELETE", path))[0] == 404
        assert (await eve.ask("POST", f"{path}/replay"))[0] == 404
        assert (await ada.ask("DELETE", path))[0] == 204

        status, counted = await ada.ask("POST", "/dead-letters/replay", {"dry_run": True})
        assert (status, counted) == (202, {"count": 3, "dry_run": True})
        _, nothing = await ada.ask("POST", "/dead-letters/replay", {"handler": "shaky.other"})
        path = f"/operations/{nothing['id']}"
        nothing = await ada.get_until(path, lambda each: each["status"] != "running")
        assert [nothing[name] for name in ("status", "counted", "done")] == ["done", 0, 0]
        assert (await eve.ask("GET", path))[0] == 404

        (plugin_folder / "cured").touch()
        one = rows_of(await ada.get("/dead-letters"))[-1]
        assert (await ada.ask("POST", f"/dead-letters/{one['id']}/replay"))[0] == 202
        await ada.get_until("/dead-letters", lambda page: len(rows_of(page)) == 2)
        status, begun = await ada.ask("POST", "/dead-letters/replay", {})
        assert (status, begun["kind"]) == (202, "dead_letter_replay")
        await ada.get_until("/dead-letters", lambda page: not rows_of(page))
        ended = await ada.get_until(
            f"/operations/{begun['id']}", lambda each: each["status"] != "running"
        )
        assert [ended[name] for name in ("status", "done", "failed")] == ["done", 2, 0]
        booked = await ada.get_until(
            "/events?event_type=custom_booked", lambda page: len(rows_of(page)) == 3
        )
        assert sorted(str(row["payload"]) for row in rows_of(booked)) == [
            "{'n': 0}",
            "{'n': 1}",
            "{'n': 2}",
        ]


async def test_the_command_line_emits_and_replays_beside_a_running_workbench(
    start_server: StartServer, make_key: MakeKey, plugin_folder: Path
) -> None:
    server = await start_server(plugins={"folder": str(plugin_folder)})
    key = await make_key()

    async def run(*arguments: str) -> str:
        code, out, error = await run_biont("events", *arguments, config=server.config)
        assert code == 0, error
        return out

    async with ApiClient(server.url, key) as ada:
        first = (await run("emit", "custom_order", '{"n": 1}', "--user", "ada")).strip()
        letters = rows_of(await ada.get_until("/dead-letters", rows_of))
        assert [letter["event_id"] for letter in letters] == [first]
        assert "match: 0" in await run("replay", "--until", "2020-01-01", "--yes")
        (plugin_folder / "cured").touch()
        told = await run("replay", "--handler", "shaky.book", "--user", "ada", "--yes")
        assert told == "dead letters that match: 1\nto be replayed: 1\n"
        await ada.get_until("/dead-letters", lambda page: not rows_of(page))
    await server.stop()
    emit = ("emit", "custom_order", '{"n": 2}', "--user", "ada", "--id", "order-2")
    second = (await run(*emit)).strip()
    await server.start()
    assert (await run(*emit)).strip() == second
    async with ApiClient(server.url, key) as ada:
        orders = await ada.get_until(
            "/events?event_type=custom_order", lambda page: len(rows_of(page)) == 2
        )
        assert [row["id"] for row in rows_of(orders)] == [second, first]


@pytest.mark.parametrize(
    "arguments",
    [
        ["custom_x", "not json", "--user", "ada"],
        ["custom_x", "[1]", "--user", "ada"],
        ["note_created", "{}", "--user", "ada"],
        ["custom_x", "{}", "--user", "nobody"],
        ["custom_x", "{}", "--user", "nobody", "--id", "a b"],
    ],
)
@pytest.mark.usefixtures("workbench")
async def test_invalid_events_are_refused_with_a_reason(
    arguments: list[str], tmp_path: Path
) -> None:
    code, _, error = await run_biont("events", "emit", *arguments, config=tmp_path / "config")
    assert code in (1, 2)
    assert any(word in error for word in ("PAYLOAD", "EVENT_TYPE", "--id", "nobody")), error


async def test_all_events_of_a_request_share_its_correlation_id(
    start_server: StartServer, make_key: MakeKey, plugin_folder: Path
) -> None:
    (plugin_folder / "cured").touch()
    server = await start_server(plugins={"folder": str(plugin_folder)}, events={"max_hops": 2})
    order: JsonValue = {"event_type": "custom_order", "payload": {"n": 1}}
    async with ApiClient(server.url, await make_key()) as ada:
        _, event = await ada.ask("POST", "/events", order, headers={"X-Correlation-ID": "order-7"})
        assert event["correlation_id"] == "order-7"
        page = await ada.get_until(
            "/events?correlation_id=order-7", lambda page: len(rows_of(page)) == 2
        )
        booked, ordered = rows_of(page)
        assert {row["correlation_id"] for row in (booked, ordered)} == {"order-7"}
        assert booked["causation_id"] == ordered["id"]

        _, other = await ada.ask("POST", "/events", order)
        assert other["correlation_id"] not in ("order-7", other["id"])

        status, problem = await ada.ask("POST", "/events", order, headers={"X-Biont-Hops": "3"})
        assert status == 409
        assert "max_hops" in str(problem["detail"])
        for headers in ({"X-Biont-Hops": "-1"}, {"X-Correlation-ID": "two words"}):
            status, problem = await ada.ask("POST", "/events", order, headers=headers)
            assert status == 422
            assert next(iter(headers)) in str(problem["errors"])


async def test_tail_prints_events_as_they_happen_also_across_a_kill(
    start_server: StartServer, make_key: MakeKey, unused_tcp_port: int
) -> None:
    server = await start_server(server={"port": unused_tcp_port})
    key = await make_key()
    async with ApiClient(server.url, key) as ada:
        before = await ada.post("/events", {"event_type": "custom_before"})
        (shown,) = rows_of(await ada.get("/events?event_type=custom_*"))
        assert shown["id"] == before["id"]
        command = ("tail", "--url", server.url, "--key", key, "--type", "custom_*", "--after", "0")
        tail = await start_biont("events", *command, config=server.config)
        try:
            assert tail.stdout is not None
            expected = [before["id"]]
            for number in range(6):
                if number == 3:
                    await server.kill()
                    await server.start()
                event = await ada.post("/events", {"event_type": f"custom_{number}"})
                await ada.post("/notes", {"title": "not asked for"})
                expected.append(event["id"])
            async with asyncio.timeout(30):
                lines = [(await tail.stdout.readline()).decode() for _ in expected]
            assert [orjson.loads(line.split("\t")[1])["id"] for line in lines] == expected
        finally:
            tail.kill()
            await tail.wait()


async def test_tail_reports_the_reason_of_a_refusal(start_server: StartServer) -> None:
    server = await start_server()
    code, _, error = await run_biont(
        "events", "tail", "--url", server.url, "--key", "asb_" + "0" * 64, config=server.config
    )
    assert code == 1
    assert "401" in error
