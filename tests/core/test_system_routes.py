"""Routes of plugins and system: for administrators, without secrets."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from biont import Scope, Workbench
from biont.store.growth import keep_size
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of


@pytest.fixture
def sections() -> dict[str, object]:
    """Settings with a secret in each form."""
    connection = {"kind": "slack", "url": "https://hooks.slack.com/services/T0/B0/hidden"}
    backend = {"base_url": "https://models.example.com/v1", "api_key": "hidden-too", "model": "m"}
    return {
        "log": {"level": "warning"},
        "plugins": {
            "integrations": {"connections": {"team": connection}},
            "llm": {"backends": {"mine": backend}},
        },
    }


async def test_administrator_sees_plugins_with_their_handlers(client: ApiClient) -> None:
    plugins = {plugin["name"]: plugin for plugin in rows_of(await client.get("/plugins"))}
    assert plugins["notes"]["state"] == "running"
    assert "POST /api/v1/notes" in str(plugins["notes"]["routes"])
    assert "note_created" in str(plugins["notes"]["event_types"])
    assert plugins["notes"]["built_in"] is True
    handlers = plugins["audit"]["handlers"]
    assert isinstance(handlers, list)
    assert {"name": "audit.log_events", "behind": 0, "waiting_since": None} in handlers


async def test_settings_have_places_and_no_secrets(client: ApiClient) -> None:
    system = await client.get("/system")
    settings = {row["key"]: row for row in rows_of({"data": system["settings"]})}
    assert settings["log.level"]["value"] == '"warning"'
    assert "biont.yaml:" in str(settings["log.level"]["place"])
    assert settings["limits.chat"]["place"] is None
    assert settings["plugins.integrations.connections"]["value"] == '["team"]'
    assert "hidden" not in str(system)
    assert int(str(system["database_bytes"])) > 0


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_members_and_narrow_keys_see_neither(
    client: ApiClient, open_client: MakeClient
) -> None:
    member = await open_client("bob")
    reader = await open_client("ada", Scope.READ)
    for path in (
        "/plugins",
        "/system",
        "/system/log",
        "/system/backups",
        "/system/handlers",
        "/system/growth",
    ):
        assert (await client.ask("GET", path))[0] == 200
        assert (await member.ask("GET", path))[0] == 403
        assert (await reader.ask("GET", path))[0] == 200
    assert (await member.ask("POST", "/system/backups"))[0] == 403
    assert (await reader.ask("POST", "/system/backups"))[0] == 403


async def test_administrator_makes_backups_that_replace_none(
    client: ApiClient, workbench: Workbench
) -> None:
    folder = workbench.settings.database.path.parent / "backups"
    assert await client.get("/system/backups") == {"folder": str(folder), "data": []}
    await client.post("/notes", {"title": "in both"})
    first = await client.post("/system/backups")
    await client.post("/notes", {"title": "in the second"})
    second = await client.post("/system/backups")
    names = {row["name"] for row in rows_of(await client.get("/system/backups"))}
    assert names == {first["name"], second["name"]}
    counts = []
    for backup in (first, second):
        path = Path(str(backup["path"]))
        assert path == folder / str(backup["name"])
        assert read_mode(path) == 0o600
        found = await client.get(f"/system/backups/{backup['name']}")
        assert found == {name: backup[name] for name in ("name", "bytes", "made_at")}
        with closing(sqlite3.connect(path)) as connection:
            counts += connection.execute("SELECT count(*) FROM notes").fetchone()
    assert counts == [1, 2]
    assert read_mode(folder) == 0o700
    for name in ("x", "..%2Fbiont.sqlite3"):
        assert (await client.ask("GET", f"/system/backups/{name}"))[0] == 404


async def test_one_backup_is_made_at_a_time(client: ApiClient) -> None:
    answers = await asyncio.gather(*(client.ask("POST", "/system/backups") for _ in range(4)))
    statuses = sorted(status for status, _ in answers)
    assert statuses[0] == 201
    assert set(statuses) <= {201, 409}
    made = rows_of(await client.get("/system/backups"))
    assert len(made) == statuses.count(201)


async def test_backup_into_a_folder_that_is_none_names_the_setting(
    client: ApiClient, workbench: Workbench
) -> None:
    (workbench.settings.database.path.parent / "backups").write_text("a file")
    status, problem = await client.ask("POST", "/system/backups")
    assert status == 503
    assert "database.backup_folder" in str(problem["detail"])


async def test_backup_leaves_no_part_of_one_that_was_broken_off(
    client: ApiClient, workbench: Workbench
) -> None:
    folder = workbench.settings.database.path.parent / "backups"
    folder.mkdir()
    (folder / "biont-20260101T000000Z.sqlite3.partial").write_bytes(b"half")
    (folder / "notes.txt").write_text("of the operator")
    made = await client.post("/system/backups")
    assert list_names(folder) == [made["name"], "notes.txt"]


async def test_growth_has_a_size_each_hour_and_all_tables(
    client: ApiClient, workbench: Workbench, clock: ManualClock
) -> None:
    begun = clock.now()
    for hour in range(800):
        at = begun + timedelta(hours=hour)
        await workbench.store.write(keep_size, at, 1000 + hour)
        # Such as by a restart.
        await workbench.store.write(keep_size, at + timedelta(minutes=5), 1)
    await client.post("/notes", {"title": "one"})
    growth = await client.get("/system/growth")
    sizes = rows_of({"data": growth["sizes"]})
    assert 30 * 24 <= len(sizes) <= 30 * 24 + 1
    assert sizes[-1]["bytes"] == 1799
    tables = {row["name"]: row for row in rows_of({"data": growth["tables"]})}
    assert tables["notes"]["rows"] == 1
    assert tables["api_keys"]["rows"] == 1
    # Not measured again within the hour.
    await client.post("/notes", {"title": "two"})
    assert (await client.get("/system/growth"))["tables"] == growth["tables"]
    clock.advance(hours=1)
    again = rows_of({"data": (await client.get("/system/growth"))["tables"]})
    assert {row["name"]: row["rows"] for row in again}["notes"] == 2


async def test_size_is_kept_from_the_start(client: ApiClient) -> None:
    growth = await client.get_until("/system/growth", lambda found: found["sizes"])
    (size,) = rows_of({"data": growth["sizes"]})
    assert int(str(size["bytes"])) > 0
