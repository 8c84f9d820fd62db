"""Upgrade of a database in which the handler that creates deliveries has its former name."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from peewee import SqliteDatabase
from playhouse.migrations import Runner

import biont_webhooks
from biont import Event
from biont.application import open_application
from biont.event import encode_event
from biont.settings import load_settings
from biont.store import dump_json
from biont.store.migration import CORE_MIGRATIONS
from biont.testing import ManualClock, WebhookReceiver, write_config

MIGRATIONS = Path(biont_webhooks.__file__).parent / "migrations"
FORMER_NAME = "webhooks.owe_events"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
AT = (str(LONG_AGO),)


@pytest.fixture
def former(tmp_path: Path, receiver: WebhookReceiver) -> Path:
    """Make a database of the former version, with a user and a webhook; return its path."""
    path = tmp_path / "biont.sqlite3"
    database = SqliteDatabase(str(path))
    with database.connection_context():
        Runner(database, str(CORE_MIGRATIONS), table_name="migrations_core").up()
        Runner(database, str(MIGRATIONS), table_name="migrations_webhooks").up("0003_engine")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO users (id, name, created_at) VALUES (1, 'ada', ?)", AT)
        connection.execute(
            "INSERT INTO webhooks (id, user_id, url, event_types, secret, created_at, updated_at) "
            "VALUES (1, 1, ?, '[\"*\"]', 'a-secret-of-my-very-own', ?, ?)",
            (receiver.url, *AT, *AT),
        )
    return path


async def test_an_event_that_the_former_handler_had_not_handled_is_delivered(
    former: Path, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    entry = (1, "event-1", 1, "custom_waiting", "{}", *AT, "event-1", None, 0)
    with closing(sqlite3.connect(former)) as connection, connection:
        connection.execute("INSERT INTO journal_blocks VALUES (1, ?)", (dump_json([entry]),))
        connection.execute(
            "INSERT INTO handler_position (handler, plugin, sequence) VALUES (?, 'webhooks', 0)",
            (FORMER_NAME,),
        )
    settings = load_settings(write_config(former.parent, {}), environ={})
    async with open_application(settings, clock=clock):
        (request,) = await receiver.wait_for(1)
    assert request.headers["webhook-id"] == "event-1"


async def test_a_dead_letter_of_the_former_handler_can_be_replayed(
    former: Path, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    event = Event.uncaused("event-2", 1, "custom_failed", {}, LONG_AGO)
    with closing(sqlite3.connect(former)) as connection, connection:
        connection.execute(
            "INSERT INTO dead_letter (id, handler, event_id, event_type, user_id, event, error, "
            "attempts, failed_at, replaying) VALUES (7, ?, ?, ?, 1, ?, 'boom', 1, ?, 0)",
            (FORMER_NAME, event.id, event.event_type, encode_event(event), *AT),
        )
    settings = load_settings(write_config(former.parent, {}), environ={})
    async with open_application(settings, clock=clock) as application:
        letters = application.workbench.events.dead_letters
        letter = await letters.read(7, user_id=1)
        assert letter.handler == "webhooks.create_deliveries"
        await letters.replay_one(7, user_id=1)
        (request,) = await receiver.wait_for(1)
    assert request.headers["webhook-id"] == "event-2"


async def test_a_path_that_begins_with_a_slash_keeps_its_meaning(
    former: Path, receiver: WebhookReceiver, clock: ManualClock
) -> None:
    chosen = '{"or":[{"path":"/a~5.b/c","op":"eq","value":1}]}'
    with closing(sqlite3.connect(former)) as connection, connection:
        connection.execute("UPDATE webhooks SET filter = ?", (chosen,))
    settings = load_settings(write_config(former.parent, {}), environ={})
    async with open_application(settings, clock=clock) as application:
        await application.workbench.events.emit("custom_a", 1, {"a~5": {"b/c": 1}})
        wanted = await application.workbench.events.emit("custom_a", 1, {"/a~5": {"b/c": 1}})
        (request,) = await receiver.wait_for(1)
    assert request.headers["webhook-id"] == wanted.id


def test_a_poison_event_keeps_its_number_of_crashes(former: Path) -> None:
    with closing(sqlite3.connect(former)) as connection, connection:
        connection.execute(
            "INSERT INTO crash_mark (handler, event_id, alone, crashes) "
            "VALUES (?, 'event-3', 0, 2)",
            (FORMER_NAME,),
        )
    database = SqliteDatabase(str(former))
    with database.connection_context():
        Runner(database, str(MIGRATIONS), table_name="migrations_webhooks").up()
        rows = database.execute_sql("SELECT handler, crashes FROM crash_mark").fetchall()
    assert rows == [("webhooks.create_deliveries", 2)]
