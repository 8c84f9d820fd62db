"""Ids that are given once, also after the newest row was deleted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Restart
from peewee import SqliteDatabase
from playhouse.migrations import Runner
from pydantic import JsonValue

import biont_chat
import biont_llm
import biont_missions
import biont_notes
from biont.application import Application
from biont.store import execute_sql
from biont.store.migration import CORE_MIGRATIONS
from biont.testing import ApiClient, ModelServer, rows_of

KINDS: dict[str, tuple[str, str, dict[str, JsonValue]]] = {
    "keys": ("/keys/create", "/keys", {"name": "other"}),
    "notes": ("/notes", "/notes", {"title": "x"}),
    "schedules": ("/schedule", "/schedule", {"every": "7d", "prompt": "x"}),
    "reminders": ("/reminders", "/reminders", {"text": "x", "at": "2026-12-01T09:00:00Z"}),
    "tasks": ("/tasks", "/tasks", {"title": "x"}),
    "webhooks": (
        "/webhooks/outgoing/register",
        "/webhooks/outgoing",
        {"url": "http://127.0.0.1:9/", "event_types": ["custom_*"]},
    ),
}

SELECT_NUMBERED = """
    SELECT schema.name FROM pragma_table_list AS list
    JOIN sqlite_schema AS schema ON schema.type = 'table' AND schema.name = list.name
    WHERE list.schema = 'main' AND list.type = 'table' AND list.wr = 0
        AND (SELECT count(*) = 1 AND max(type) = 'INTEGER'
             FROM pragma_table_info(schema.name) WHERE pk)
        AND schema.sql NOT LIKE '% PRIMARY KEY AUTOINCREMENT%'
"""
"""The tables whose ids SQLite would give twice."""


def find_tables_without_autoincrement(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [name for (name,) in connection.execute(SELECT_NUMBERED)]


async def test_no_table_of_the_core_or_a_plugin_gives_an_id_twice(
    application: Application,
) -> None:
    database = application.workbench.settings.database.path
    assert find_tables_without_autoincrement(database) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_the_id_of_a_deleted_object_is_not_given_again(kind: str, client: ApiClient) -> None:
    create, delete, body = KINDS[kind]
    seen = [(await client.post(create, body))["id"]]
    for _ in range(2):
        answer = await client.request("DELETE", f"{delete}/{seen[-1]}")
        assert answer.status in (200, 204)
        seen.append((await client.post(create, body))["id"])
    assert len(set(seen)) == 3


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return scripted.sections


async def test_the_id_of_a_deleted_conversation_is_not_given_again(client: ApiClient) -> None:
    first = await client.post("/chat", {"message": "The capital?"})
    answer = await client.request("DELETE", f"/conversations/{first['conversation_id']}")
    assert answer.status in (200, 204)
    second = await client.post("/chat", {"message": "The capital?"})
    assert second["conversation_id"] != first["conversation_id"]


@pytest.mark.parametrize(
    "definition",
    [
        "id INTEGER NOT NULL PRIMARY KEY, x TEXT DEFAULT 'PRIMARY KEY'",
        "x TEXT DEFAULT 'it''s a PRIMARY KEY', id integer primary key",
        "id INTEGER, x TEXT /* a PRIMARY KEY */, PRIMARY KEY (id)",
        'id INTEGER, x TEXT, CONSTRAINT c PRIMARY KEY ( "id" ASC ) ON CONFLICT ABORT',
        '"id" INTEGER PRIMARY KEY ASC ON CONFLICT ROLLBACK NOT NULL, x "PRIMARY KEY"',
        "id INTEGER -- the PRIMARY KEY\n PRIMARY\n KEY, x TEXT UNIQUE",
        "id INTEGER PRIMARY KEY AUTOINCREMENT, x TEXT",
    ],
)
async def test_the_table_of_any_plugin_gives_no_id_twice(
    application: Application, tmp_path: Path, definition: str
) -> None:
    store = application.workbench.store
    await store.migrate(
        "strange", write_migration(tmp_path, f"CREATE TABLE strange ({definition})")
    )

    def insert_twice() -> tuple[int | None, int | None]:
        first = execute_sql("INSERT INTO strange (x) VALUES ('a')").lastrowid
        execute_sql("DELETE FROM strange")
        return first, execute_sql("INSERT INTO strange (x) VALUES ('b')").lastrowid

    assert await store.write(insert_twice) == (1, 2)


@pytest.mark.parametrize(
    "definition",
    [
        "(id TEXT PRIMARY KEY, x TEXT)",
        "(id INTEGER PRIMARY KEY, x TEXT) WITHOUT ROWID",
        "(id INTEGER PRIMARY KEY DESC, x TEXT)",
        "(id INT PRIMARY KEY, x TEXT)",
        "(id INTEGER, x TEXT, PRIMARY KEY (id, x))",
    ],
)
async def test_a_table_that_sqlite_does_not_number_stays(
    application: Application, tmp_path: Path, definition: str
) -> None:
    store = application.workbench.store
    await store.migrate("strange", write_migration(tmp_path, f"CREATE TABLE strange {definition}"))

    def insert() -> int:
        return execute_sql("INSERT INTO strange (id, x) VALUES (7, 'a')").rowcount

    assert await store.write(insert) == 1


def write_migration(folder: Path, statement: str) -> Path:
    """Write a migration of one statement; return its folder."""
    migrations = folder / "migrations"
    migrations.mkdir()
    script = f"def up(migrator, db):\n    db.execute_sql({statement!r})\n"
    (migrations / "0001_strange.py").write_text(script)
    return migrations


ROWS = """
INSERT INTO users (id, name, created_at) VALUES (1, 'ada', '2026-01-01');
INSERT INTO notes (id, user_id, title, content, tags, created_at, updated_at)
    VALUES (1, 1, 'walrus', 'tusks', '["sea"]', '2026-01-01', '2026-01-01'),
           (4, 1, 'otter', 'fur', '[]', '2026-01-01', '2026-01-01');
INSERT INTO note_versions (id, note_id, version, title, content, tags, created_at)
    VALUES (1, 1, 1, 'seal', '', '[]', '2026-01-01');
INSERT INTO conversations (id, user_id, title, created_at, updated_at)
    VALUES (1, 1, 'sea', '2026-01-01', '2026-01-01');
INSERT INTO chat_messages (id, conversation_id, role, content, created_at)
    VALUES (1, 1, 'user', 'do walruses sing?', '2026-01-01');
INSERT INTO llm_calls (user_id, schedule_id, day, backend, model, prompt_tokens,
    completion_tokens, estimated, duration, created_at)
    VALUES (1, 23, '2026-01-01', 'b', 'm', 1, 1, 0, 0.1, '2026-01-01');
"""


def make_former_database(path: Path) -> None:
    """Make a database of the version in which ids were given twice."""
    database = SqliteDatabase(str(path), pragmas={"journal_mode": "wal"})
    folders = {
        "core": (CORE_MIGRATIONS, "0006_journal_blocks"),
        "notes": (Path(biont_notes.__file__).parent / "migrations", "0002_search_and_versions"),
        "chat": (Path(biont_chat.__file__).parent / "migrations", "0002_waiting_answers"),
        "llm": (Path(biont_llm.__file__).parent / "migrations", "0001_calls"),
        "missions": (Path(biont_missions.__file__).parent / "migrations", "0003_payers"),
    }
    with database.connection_context():
        for owner, (folder, last) in folders.items():
            Runner(database, str(folder), table_name=f"migrations_{owner}").up(last)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(ROWS)


async def test_an_upgrade_keeps_all_rows_and_gives_no_id_of_before_again(
    tmp_path: Path, restart: Restart
) -> None:
    make_former_database(tmp_path / "biont.sqlite3")
    assert "notes" in find_tables_without_autoincrement(tmp_path / "biont.sqlite3")
    for number in (5, 6):  # the second start finds nothing to do
        async with restart() as client:
            (found,) = rows_of(await client.get("/notes/search?q=walrus"))
            assert found["note_id"] == 1
            (found,) = rows_of(await client.get("/notes?tag=sea"))
            assert found["id"] == 1
            (version,) = rows_of(await client.get("/notes/1/versions"))
            assert version["title"] == "seal"
            (message,) = rows_of(await client.get("/conversations/1/messages"))
            assert message["content"] == "do walruses sing?"
            note = await client.post("/notes", {"title": "new"})
            assert note["id"] == number
            assert (await client.request("DELETE", f"/notes/{number}")).status == 204
    assert find_tables_without_autoincrement(tmp_path / "biont.sqlite3") == []
    with closing(sqlite3.connect(tmp_path / "biont.sqlite3")) as connection:
        connection.execute("PRAGMA foreign_keys = 1")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("DELETE FROM notes WHERE id = 1")
        assert connection.execute("SELECT count(*) FROM note_versions").fetchone() == (0,)


async def test_a_new_schedule_does_not_inherit_the_spending_of_a_deleted_schedule(
    tmp_path: Path, restart: Restart
) -> None:
    make_former_database(tmp_path / "biont.sqlite3")
    async with restart() as client:
        schedule = await client.post("/schedule", {"every": "7d", "prompt": "x"})
    assert schedule["id"] == 24
