"""Event log: complete before an event is acknowledged; lists, filters and migration."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import JsonValue

from biont import Event, JsonObject, Workbench
from biont.application import open_application
from biont.exceptions import NotFound
from biont.settings import load_settings
from biont.store import execute_sql
from biont.testing import ApiClient, MakeClient, ManualClock, make_user, write_config
from biont_audit import EVENT_LOG
from biont_audit.queries import EventFilter
from biont_audit.tables import LogEntry

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def user_id(workbench: Workbench) -> int:
    return await make_user(workbench, "eve")


async def test_an_event_is_in_the_log_when_emit_returns(
    workbench: Workbench, user_id: int
) -> None:
    log = workbench.get(EVENT_LOG)
    payload: JsonObject = {"text": 'Grüße 🐙 \x00 "quoted"', "n": [1, 2.5, None, True]}
    for _ in range(20):
        event = await workbench.events.emit("custom_x", user_id, payload)
        assert await log.find_event(user_id, event.id) == event


async def test_events_emitted_at_the_same_time_are_logged_once_each(
    workbench: Workbench, user_id: int
) -> None:
    emitted = await asyncio.gather(
        *(workbench.events.emit("custom_x", user_id, {"n": n}) for n in range(1500))
    )
    logged = await workbench.get(EVENT_LOG).read_events(user_id, limit=2000)
    assert [event.id for event in logged] == [event.id for event in emitted]


async def test_a_repeated_event_changes_nothing(workbench: Workbench, user_id: int) -> None:
    log = workbench.get(EVENT_LOG)
    emit = workbench.events.emit
    first = [await emit("custom_x", user_id, {"n": n}) for n in range(5)]
    await workbench.store.write(lambda: log.record([first[1], first[4], first[4]]))
    later = await emit("custom_x", user_id, {"n": 5})
    assert await log.read_events(user_id) == [*first, later]


async def test_a_write_that_is_rolled_back_leaves_no_gap(
    workbench: Workbench, user_id: int
) -> None:
    log = workbench.get(EVENT_LOG)
    first = await workbench.events.emit("custom_x", user_id, {})

    def record_and_fail(event: Event) -> None:
        log.record([event])
        raise ValueError("after it was recorded")

    lost = Event.uncaused("lost", user_id, "custom_x", {}, first.created_at)
    with pytest.raises(ValueError, match="after it was recorded"):
        await workbench.store.write(record_and_fail, lost)
    second = await workbench.events.emit("custom_x", user_id, {})
    assert await log.read_events(user_id) == [first, second]
    assert list_numbers(workbench) == [1, 2]


def list_numbers(workbench: Workbench) -> list[int]:
    with closing(sqlite3.connect(workbench.settings.database.path)) as connection:
        rows = connection.execute("SELECT number FROM event_logs ORDER BY number")
        return [number for (number,) in rows]


async def test_read_events_filters_by_time_and_returns_pages(
    workbench: Workbench, user_id: int, clock: ManualClock
) -> None:
    log, start = workbench.get(EVENT_LOG), clock.now()
    emitted: list[Event] = []
    for number in range(12):
        emitted.append(await workbench.events.emit("custom_x", user_id, {"n": number}))
        await workbench.events.emit("custom_x", user_id + 1, {})
        clock.advance(seconds=number % 2)  # pairs have one instant
    since, until = start + timedelta(seconds=1), start + timedelta(seconds=5)
    expected = [event for event in emitted if since <= event.created_at < until]
    assert 0 < len(expected) < 12
    assert await log.read_events(user_id, since=since, until=until) == expected
    found: list[Event] = []
    after: str | None = None
    while page := await log.read_events(user_id, since=since, after=after, limit=3):
        found += page
        after = page[-1].id
    assert found == [event for event in emitted if since <= event.created_at]


async def test_events_of_another_user_are_not_found(workbench: Workbench, user_id: int) -> None:
    log = workbench.get(EVENT_LOG)
    event = await workbench.events.emit("custom_x", user_id, {})
    for ask in (
        lambda: log.find_event(user_id + 1, event.id),
        lambda: log.find_event(user_id, "0"),
        lambda: log.read_events(user_id + 1, after=event.id),
    ):
        with pytest.raises(NotFound):
            await ask()


async def test_the_list_filters_by_type_time_and_correlation(
    client: ApiClient, clock: ManualClock
) -> None:
    for number, event_type in enumerate(["custom_a", "custom_ab", "custom_b", "custom_a"]):
        headers = {"X-Correlation-ID": f"trace-{number // 2}"}
        body: JsonValue = {"event_type": event_type, "payload": {"n": number}}
        assert (await client.ask("POST", "/events", body, headers=headers))[0] == 201
        clock.advance(minutes=1)

    async def choose(query: str) -> list[int]:
        page: dict[str, Any] = await client.get(f"/events?{query}")
        return [event["payload"]["n"] for event in page["data"]]

    assert await choose("") == [3, 2, 1, 0]
    assert await choose("event_type=*") == [3, 2, 1, 0]
    assert await choose("event_type=custom_a") == [3, 0]
    assert await choose("event_type=custom_a*") == [3, 1, 0]
    assert await choose("event_type=task_*") == []
    assert await choose("since=2026-03-02T12:01:00Z") == [3, 2, 1]
    assert await choose("until=2026-03-02T13:02:00%2B01:00") == [1, 0]
    assert await choose("since=2026-03-02T12:01:00Z&until=2026-03-02T12:03:00Z") == [2, 1]
    assert await choose("correlation_id=trace-0") == [1, 0]
    assert await choose(
        "correlation_id=trace-1&event_type=custom_b&until=2027-01-01T00:00:00Z"
    ) == [2]


@pytest.mark.parametrize(
    "query",
    [
        "event_type=*_x",
        "event_type=Note",
        "since=yesterday",
        "since=2026-03-02T12:00:00",
        "cursor=x",
    ],
)
async def test_an_invalid_filter_is_refused_with_its_parameter(
    client: ApiClient, query: str
) -> None:
    status, problem = await client.ask("GET", f"/events?{query}")
    assert status == 422
    assert query.partition("=")[0] in str(problem["errors"])


async def test_pages_contain_each_event_once_while_new_events_arrive(client: ApiClient) -> None:
    for number in range(25):
        await client.post("/events", {"event_type": "custom_x", "payload": {"n": number}})
    found: list[int] = []
    path = "/events?limit=4"
    while path:
        page: dict[str, Any] = await client.get(path)
        found += [event["payload"]["n"] for event in page["data"]]
        path = page["next"] and f"/events?limit=4&cursor={page['next']}"
        await client.post("/events", {"event_type": "custom_x", "payload": {"n": -1}})
    assert found == list(range(24, -1, -1))


async def test_an_event_is_read_by_its_id(client: ApiClient, open_client: MakeClient) -> None:
    event = await client.post("/events", {"event_type": "custom_x", "payload": {"n": 1}})
    listed = await client.get("/events")
    assert [await client.get(f"/events/{event['id']}")] == listed["data"]
    stranger = await open_client("eve")
    assert (await stranger.ask("GET", f"/events/{event['id']}"))[0] == 404
    assert (await client.ask("GET", "/events/nothing"))[0] == 404


@pytest.mark.parametrize(
    ("choice", "columns"),
    [
        (EventFilter(1), "user_id_created_at"),
        (EventFilter(1, since=NOW, until=NOW), "user_id_created_at"),
        (EventFilter(1, "task_*"), "user_id_created_at"),
        (EventFilter(1, "task_done"), "user_id_event_type_created_at"),
        (EventFilter(1, "task_done", NOW, NOW), "user_id_event_type_created_at"),
        (EventFilter(1, correlation_id="trace"), "user_id_correlation_id_created_at"),
        (EventFilter(1, "*", NOW, NOW, "trace"), "user_id_correlation_id_created_at"),
    ],
    ids=["all", "time", "prefix", "type", "type and time", "correlation", "correlation and time"],
)
async def test_an_index_serves_each_list_and_its_order(
    workbench: Workbench, choice: EventFilter, columns: str
) -> None:
    def explain() -> str:
        order = (LogEntry.created_at.desc(), LogEntry.number.desc())
        sql, parameters = choice.make_query().order_by(*order).limit(101).sql()
        return " ".join(row[3] for row in execute_sql(f"EXPLAIN QUERY PLAN {sql}", *parameters))

    plan = await workbench.store.read(explain)
    assert f"USING INDEX logentry_{columns} (user_id=?" in plan
    assert "TEMP B-TREE" not in plan


async def test_a_migration_chains_an_old_log(tmp_path: Path, clock: ManualClock) -> None:
    settings = load_settings(write_config(tmp_path, {}), environ={})
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        user_id = await make_user(workbench, "ada")
    make_unchained(settings.database.path, user_id)
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        event = await workbench.events.emit("custom_x", user_id, {"n": 5})
        logged = await workbench.get(EVENT_LOG).read_events(user_id)
        assert [found.payload["n"] for found in logged] == [0, 1, 2, 3, 4, 5]
        assert logged[-1] == event
        assert list_numbers(workbench) == [1, 2, 3, 4, 5, 6]


UNCHAINED = """
    DROP TABLE event_logs;
    DROP TABLE event_log_ends;
    DELETE FROM migrations_audit WHERE name LIKE '0002%' OR name LIKE '0003%';
    CREATE TABLE "event_logs" (
        "id" INTEGER NOT NULL PRIMARY KEY, "event_id" TEXT NOT NULL,
        "user_id" INTEGER NOT NULL, "event_type" TEXT NOT NULL, "payload" TEXT NOT NULL,
        "created_at" TIMESTAMPTZ NOT NULL, "correlation_id" TEXT NOT NULL,
        "causation_id" TEXT, "hops" INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX "event_logs_event_id" ON "event_logs" ("event_id");
    CREATE INDEX "event_logs_user_id" ON "event_logs" ("user_id");
"""


def make_unchained(path: Path, user_id: int) -> None:
    """Put the log back to how the first version made it, with five events."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(UNCHAINED)
    for number in range(5):
        payload = orjson.dumps({"n": number}).decode()
        connection.execute(
            "INSERT INTO event_logs VALUES (?, ?, ?, 'custom_x', ?, '2026-03-01 12:00:00+00:00',"
            " 'c', NULL, 0)",
            (2 * number + 3, f"event-{number}", user_id, payload),
        )
    connection.close()
