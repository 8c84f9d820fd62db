from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from types import ModuleType

import orjson
import pytest
from peewee import IntegrityError
from pydantic import JsonValue
from structlog.testing import capture_logs
from support.bus import Log

from biont import Event, Workbench, on
from biont.operations.part import Part
from biont.plugins.core_operations import CORE_OPERATIONS
from biont.store import execute_sql
from biont.testing import ApiClient, MakeClient, WebhookReceiver, rows_of

WRITERS = 8
# As many as the handler of webhooks takes at once: a smaller batch waits for more events.
LATE = 200


@pytest.fixture
def sections() -> dict[str, object]:
    return {"events": {"handler_retry": [0, 0]}}


@pytest.fixture
def failed() -> Log:
    """The events of failed calls of the handlers under test."""
    return Log()


@pytest.fixture
def plugins(failed: Log) -> dict[str, ModuleType]:
    @on("custom_late")
    async def insert(event: Event, _: Workbench) -> None:
        await failed.add(event)
        raise IntegrityError("FOREIGN KEY constraint failed")

    @on("custom_late")
    async def fail(event: Event, _: Workbench) -> None:
        await failed.add(event)
        raise RuntimeError("the network is down")

    module = ModuleType("failing")
    for function in (insert, fail):
        function.__module__ = module.__name__
        setattr(module, function.__name__, function)
    return {"failing": module}


async def write_until_refused(client: ApiClient) -> None:
    number, status = 0, 202
    while status not in (401, 403):
        number += 1
        status, _ = await client.ask("POST", "/events", {"event_type": "custom_a"})
        note_status, _ = await client.ask("POST", "/notes", {"title": f"note {number}"})
        assert max(status, note_status) < 500


def count_rows(folder: Path, query: str, *values: object) -> int:
    with closing(sqlite3.connect(folder / "biont.sqlite3")) as database:
        return int(database.execute(f"SELECT count(*) FROM {query}", values).fetchone()[0])  # noqa: S608  # of this test


async def delete_under_load(client: ApiClient, eve: ApiClient) -> int:
    """Delete the user of `eve`, who writes all the while; return the number of the user."""
    number = int(str((await eve.get("/me"))["id"]))
    writers = [asyncio.create_task(write_until_refused(eve)) for _ in range(WRITERS)]
    await eve.get_until("/notes", lambda page: len(rows_of(page)) >= WRITERS)
    assert (await client.ask("DELETE", f"/users/{number}?confirm=eve"))[0] == 204
    await client.get_until(
        "/operations?kind=user_delete", lambda page: rows_of(page)[0]["status"] == "done"
    )
    await asyncio.gather(*writers)
    assert (await client.ask("GET", f"/users/{number}"))[0] == 404
    return number


async def test_events_of_a_deleted_user_leave_nothing_and_stop_no_others(
    client: ApiClient,
    open_client: MakeClient,
    receiver: WebhookReceiver,
    workbench: Workbench,
    tmp_path: Path,
    failed: Log,
) -> None:
    eve = await open_client("eve")
    for user, pattern in ((eve, "*"), (eve, "*"), (client, "custom_*")):
        body: dict[str, JsonValue] = {"url": receiver.url, "event_types": [pattern]}
        await user.post("/webhooks/outgoing/register", body)
    number = await delete_under_load(client, eve)
    ada = int(str((await client.get("/me"))["id"]))
    # As a request does that began before the deletion and ends afterwards.
    late = [workbench.events.emit("custom_b", number, {"n": n}) for n in range(LATE)]
    with capture_logs() as lines:
        *_, last = await asyncio.gather(
            workbench.events.emit("custom_late", number, {}),
            *late,
            workbench.events.emit("custom_c", ada, {}),
        )
    assert not [line for line in lines if line.get("handler") == "webhooks.create_deliveries"]
    async with asyncio.timeout(30):
        while last.id not in {each.headers["webhook-id"] for each in receiver.requests}:
            await receiver.wait_for(len(receiver.requests) + 1)
    # Once for the first handler, three times for the second one, whose error may pass.
    await failed.wait_for(4)
    # A letter that one of the handlers had left would come before the letter of this event.
    await workbench.events.emit("custom_late", ada, {})
    await client.get_until("/dead-letters", lambda page: len(rows_of(page)) == 2)
    assert len(failed.events) == 10
    assert count_rows(tmp_path, "dead_letter WHERE user_id = ?", number) == 0
    messages = "webhook_messages WHERE body ->> 'user_id' = ?"
    assert count_rows(tmp_path, messages, ada) > 0
    assert count_rows(tmp_path, messages, number) == 0
    assert count_rows(tmp_path, "notes WHERE user_id = ?", number) == 0
    assert count_rows(tmp_path, "webhook_deliveries WHERE webhook_id IN (1, 2)") == 0


async def test_the_last_part_of_a_deletion_takes_rows_that_were_made_since_its_search(
    client: ApiClient, open_client: MakeClient, workbench: Workbench
) -> None:
    eve = await open_client("eve")
    number = int(str((await eve.get("/me"))["id"]))
    (kind,) = (each for each in CORE_OPERATIONS if each.name == "user_delete")
    parameters = orjson.dumps({"user_id": number, "key_id": None, "address": None}).decode()
    part = Part(1, 1, workbench.clock.now(), parameters, None, 100)
    chunk = await kind.step(part, workbench)
    while chunk.cursor is not None:
        await workbench.store.transact(chunk.write)
        chunk = await kind.step(part, workbench)
    await workbench.store.write(
        lambda: execute_sql(
            "INSERT INTO notes (user_id, title, content, tags, created_at, updated_at)"
            " VALUES (?, 'late', '', '[]', '2026-01-01', '2026-01-01')",
            number,
        )
    )
    await workbench.store.transact(chunk.write)
    assert (await client.ask("GET", f"/users/{number}"))[0] == 404
