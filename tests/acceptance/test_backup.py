"""Backup beside a running workbench, and restoration."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
from conftest import MakeKey, StartServer
from support.process import Server, run_biont

from biont.testing import ApiClient, rows_of, write_config


async def back_up(server: Server, target: Path) -> str:
    code, out, error = await run_biont("backup", str(target), config=server.config)
    assert (code, error) == (0, "")
    return out


async def restore(server: Server, source: Path) -> tuple[int, str, str]:
    return await run_biont("restore", str(source), config=server.config)


def list_files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


async def list_titles(client: ApiClient) -> list[str]:
    page = await client.get("/notes?limit=100")
    return sorted(str(note["title"]) for note in rows_of(page))


async def keep_emitting(client: ApiClient, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await client.post("/events", {"event_type": "custom_load", "payload": {}})


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    return await start_server()


async def test_a_restored_backup_has_the_state_of_the_backup(
    server: Server, make_key: MakeKey, tmp_path: Path
) -> None:
    backup, stop = tmp_path / "backup.sqlite3", asyncio.Event()
    async with ApiClient(server.url, await make_key()) as client:
        await client.post("/notes", {"title": "before", "content": "x"})
        load = [asyncio.create_task(keep_emitting(client, stop)) for _ in range(4)]
        out = await back_up(server, backup)
        stop.set()
        await asyncio.gather(*load)
        await client.post("/notes", {"title": "later", "content": "x"})
        key = client.headers["X-API-Key"]
    assert f"of {tmp_path / 'biont.key'}" in out
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert list_files(tmp_path, "backup*") == [backup]
    code, _, error = await restore(server, backup)
    assert code == 1
    assert "another process runs" in error
    await server.kill()
    code, out, error = await restore(server, backup)
    assert (code, error) == (0, "")
    assert "replaced-1" in out
    assert (await run_biont("audit", "verify", config=server.config))[0] == 0
    await server.start()
    async with ApiClient(server.url, key) as client:
        assert await list_titles(client) == ["before"]
        await client.post("/notes", {"title": "after", "content": "x"})
        assert await list_titles(client) == ["after", "before"]


async def test_a_backup_restores_a_lost_database(
    server: Server, make_key: MakeKey, tmp_path: Path
) -> None:
    async with ApiClient(server.url, await make_key()) as client:
        await client.post("/notes", {"title": "kept", "content": "x"})
        key = client.headers["X-API-Key"]
    backup = tmp_path / "backup.sqlite3"
    await back_up(server, backup)
    await server.kill()
    for file in list_files(tmp_path, "biont.sqlite3*"):
        file.unlink()
    assert (await restore(server, backup))[0] == 0
    await server.start()
    async with ApiClient(server.url, key) as client:
        assert await list_titles(client) == ["kept"]


def damage(backup: Path, _: Path) -> None:
    with backup.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 2 * 4096)


def truncate(backup: Path, _: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:5000])


def replace_by_text(backup: Path, _: Path) -> None:
    backup.write_text("no database")


def replace_by_another(backup: Path, _: Path) -> None:
    backup.unlink()
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("CREATE TABLE a (b)")


def change_event(backup: Path, _: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute("""UPDATE event_logs SET payload = '{"n": 1}' WHERE number = 1""")


def make_newer(backup: Path, _: Path) -> None:
    add_migration(backup, "core")


def make_newer_plugin(backup: Path, _: Path) -> None:
    add_migration(backup, "notes")


def add_migration(backup: Path, owner: str) -> None:
    with closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute(
            f"INSERT INTO migrations_{owner} (name, applied) VALUES ('9999_future', '')"  # noqa: S608
        )


def change_key(_: Path, key_file: Path) -> None:
    from cryptography.fernet import Fernet  # noqa: PLC0415  # of this case alone

    key_file.write_bytes(Fernet.generate_key())


def lose_key(_: Path, key_file: Path) -> None:
    key_file.unlink()


CASES = [
    (damage, "is no usable backup"),
    (truncate, "is no usable backup"),
    (replace_by_text, "is no usable backup"),
    (replace_by_another, "no database of Biont"),
    (change_event, "the event log is broken: number 1 does not match its hash"),
    (make_newer, "newer version of core, which ran 9999_future"),
    (make_newer_plugin, "newer version of notes, which ran 9999_future"),
    (change_key, "lacks a key"),
    (lose_key, "is missing"),
]


async def test_an_unusable_backup_is_refused_and_the_database_stays(
    server: Server, make_key: MakeKey, tmp_path: Path
) -> None:
    async with ApiClient(server.url, await make_key()) as client:
        for number in range(3):
            await client.post("/events", {"event_type": "custom_a", "payload": {"n": number}})
    await back_up(server, tmp_path / "good.sqlite3")
    await server.stop()
    key_file, database = tmp_path / "biont.key", tmp_path / "biont.sqlite3"
    key, content = key_file.read_bytes(), database.read_bytes()
    for spoil, reason in CASES:
        backup = tmp_path / "spoilt.sqlite3"
        backup.write_bytes((tmp_path / "good.sqlite3").read_bytes())
        spoil(backup, key_file)
        code, out, error = await restore(server, backup)
        assert (code, out) == (1, ""), spoil
        assert reason in error, spoil
        assert len(error.splitlines()) == 1, spoil
        assert database.read_bytes() == content, spoil
        key_file.write_bytes(key)
        key_file.chmod(0o600)
    code, out, _ = await run_biont(
        "restore", "--check", str(tmp_path / "good.sqlite3"), config=server.config
    )
    assert (code, "is whole" in out) == (0, True)
    assert database.read_bytes() == content


async def test_a_backup_overwrites_no_file_and_copies_no_damage(
    server: Server, tmp_path: Path
) -> None:
    await server.stop()
    target = tmp_path / "backup.sqlite3"
    target.write_text("mine")
    code, _, error = await run_biont("backup", str(target), config=server.config)
    assert (code, "exists" in error, target.read_text()) == (1, True, "mine")
    code, _, error = await run_biont("backup", str(tmp_path / "no" / "x"), config=server.config)
    assert (code, "cannot be written" in error) == (1, True)
    with (tmp_path / "biont.sqlite3").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4 * 4096)
    code, _, error = await run_biont("backup", str(tmp_path / "new"), config=server.config)
    assert (code, "damaged" in error, len(error.splitlines())) == (1, True, 1)
    assert list_files(tmp_path, "new*") == []
    (tmp_path / "biont.sqlite3").unlink()
    code, _, error = await run_biont("backup", str(tmp_path / "new"), config=server.config)
    assert (code, "does not exist" in error) == (1, True)


async def test_a_backup_on_a_full_disk_names_the_backup_and_leaves_nothing(
    server: Server, tmp_path: Path
) -> None:
    await server.stop()
    # A limit of the size of files stands for a full disk.
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'ulimit -f 100; exec "$@"', "sh"),
        *(sys.executable, "-m", "biont", "backup", str(tmp_path / "new")),
        env=os.environ | {"BIONT_CONFIG": str(server.config)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, written = await process.communicate()
    error = written.decode()
    assert (process.returncode, len(error.splitlines())) == (1, 1)
    assert f"the backup {tmp_path / 'new'} cannot be written: the disk" in error
    assert list_files(tmp_path, "new*") == []


async def test_a_start_keeps_a_backup_before_it_migrates_an_older_database(
    server: Server, tmp_path: Path
) -> None:
    await server.stop()
    assert list_files(tmp_path, "*.backup") == []
    for number in range(2, 4):
        (tmp_path / f"biont.sqlite3.before-0.0.{number}-1.backup").touch()
    with closing(sqlite3.connect(tmp_path / "biont.sqlite3")) as connection, connection:
        connection.execute("DROP INDEX schedules_user_due")
        connection.execute("DELETE FROM migrations_core WHERE name = '0009_upcoming_index'")
    await server.start()
    await server.stop()
    backups = list_files(tmp_path, "*.backup")
    assert len(backups) == 2
    (made,) = (path for path in backups if path.stat().st_size)
    assert str(made) in server.read_log()
    assert (await restore(server, made))[0] == 0


async def test_a_backup_from_before_the_first_start_is_refused_in_one_line(
    tmp_path: Path,
) -> None:
    config = write_config(tmp_path, {})
    assert (await run_biont("users", "create", "ada", config=config))[0] == 0
    assert (await run_biont("backup", str(tmp_path / "early"), config=config))[0] == 0
    code, _, error = await run_biont("restore", str(tmp_path / "early"), config=config)
    assert (code, len(error.splitlines())) == (1, 1)
    assert "start the workbench once" in error
