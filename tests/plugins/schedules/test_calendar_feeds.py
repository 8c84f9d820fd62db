"""Calendar feeds: upcoming occurrences as iCalendar, at a secret address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession  # noqa: TID251  # our own server
from pydantic import JsonValue

from biont import Workbench
from biont.testing import ApiClient, MakeClient

if TYPE_CHECKING:
    import icalendar

pytest.importorskip("icalendar")

JOB: dict[str, JsonValue] = {"job": "reminder", "parameters": {"text": "x"}}
WILD = "Ärger, \\ und; Tee\r\nBEGIN:VEVENT 🫖" + "ü" * 120


async def create_feed(client: ApiClient) -> str:
    made = await client.post("/schedule/feed")
    return str(made["path"]).removeprefix("/api/v1")


async def read_events(client: ApiClient, path: str) -> list[icalendar.Event]:
    async with (
        ClientSession() as session,
        session.get(f"{client.url}/api/v1{path}") as answer,
    ):
        text = (await answer.read()).decode()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    from icalendar import Calendar  # noqa: PLC0415  # not installed everywhere

    calendar = Calendar.from_ical(text)
    assert not calendar.errors
    assert all(not event.errors for event in calendar.events)
    return list(calendar.events)


async def test_a_feed_has_an_event_for_each_upcoming_occurrence_with_its_jitter(
    client: ApiClient,
) -> None:
    path = await create_feed(client)
    assert await read_events(client, path) == []
    await client.post("/schedule", {"cron": "0 9 * * 1", "name": WILD, **JOB})
    late = await client.post("/schedule", {"every": "1d", "jitter": "5m", "name": "b", **JOB})
    paused = await client.post("/schedule", {"cron": "0 9 * * 1", **JOB})
    await client.post(f"/schedule/{paused['id']}/pause")
    events = await read_events(client, path)
    assert len(events) == 52 + 100
    assert len({str(event["UID"]) for event in events}) == len(events)
    weekly = [event for event in events if str(event["SUMMARY"]) != "b"]
    assert str(weekly[0]["SUMMARY"]) == WILD.replace("\r\n", "\n")
    assert weekly[0].start == datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert "At 09:00" in str(weekly[0]["DESCRIPTION"])
    daily = next(event for event in events if str(event["SUMMARY"]) == "b")
    assert f"{daily.start:%Y-%m-%dT%H:%M:%S}" == str(late["next_fire_at"])[:19]
    again = await read_events(client, path)
    assert [event["UID"] for event in again] == [event["UID"] for event in events]


async def test_a_frequent_schedule_does_not_hide_the_others(client: ApiClient) -> None:
    path = await create_feed(client)
    await client.post("/schedule", {"every": 1, "name": "often", **JOB})
    await client.post("/schedule", {"cron": "0 0 1 1 *", "name": "yearly", **JOB})
    names = [str(event["SUMMARY"]) for event in await read_events(client, path)]
    assert names == ["often"] * 100 + ["yearly"]


async def test_an_address_is_secret_and_can_be_revoked(open_client: MakeClient) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    assert (await client.ask("GET", "/schedule/feed"))[0] == 404
    first = await create_feed(client)
    await other.post("/schedule", {"cron": "0 9 * * 1", **JOB})
    assert await read_events(other, first) == []
    second = await create_feed(client)
    assert (await client.ask("GET", first))[0] == 404
    assert await read_events(client, second) == []
    assert set(await client.get("/schedule/feed")) == {"created_at"}
    assert (await other.ask("DELETE", "/schedule/feed"))[0] == 404
    assert (await client.ask("DELETE", "/schedule/feed"))[0] == 204
    assert (await client.ask("GET", second))[0] == 404
    assert (await client.ask("GET", "/schedule/feed/asf_00.ics"))[0] == 404


async def test_the_database_has_no_token(client: ApiClient, workbench: Workbench) -> None:
    token = (await create_feed(client)).rpartition("/")[2].removesuffix(".ics")
    (path,) = await workbench.store.read(lambda: [workbench.settings.database.path])
    assert token.encode() not in path.read_bytes()
