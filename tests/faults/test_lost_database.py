"""Databases that are removed, replaced or truncated under a running server, or before a start."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MakeKey, StartServer
from support.process import Server, run_biont

from biont.event import EventFactory
from biont.exceptions import StoreUnavailable
from biont.store.database import execute_sql
from biont.store.store import Store
from biont.testing import ApiClient, ManualClock, write_config


def remove(database: Path) -> None:
    database.unlink()


def remove_log(database: Path) -> None:
    database.with_name("biont.sqlite3-wal").unlink()


def replace(database: Path) -> None:
    copy = database.with_name("copy")
    shutil.copyfile(database, copy)
    copy.replace(database)


def empty(database: Path) -> None:
    os.truncate(database, 0)


def truncate(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


def find_log(database: Path) -> Path:
    return database.with_name("biont.sqlite3-wal")


def empty_log(database: Path) -> None:
    os.truncate(find_log(database), 0)


def truncate_log(database: Path) -> None:
    os.truncate(find_log(database), find_log(database).stat().st_size // 2)


def overwrite_log(database: Path) -> None:
    with find_log(database).open("r+b") as file:
        file.write(b"x" * 8)


def remove_index(database: Path) -> None:
    database.with_name("biont.sqlite3-shm").unlink()


CHANGES: dict[Callable[[Path], None], str] = {
    remove: "removed",
    remove_log: "removed",
    replace: "replaced",
    empty: "truncated",
    truncate: "truncated",
    remove_index: "removed",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_no_write_is_acknowledged_after_the_file_is_gone_and_the_health_fails(
    start_server: StartServer,
    make_key: MakeKey,
    tmp_path: Path,
    change: Callable[[Path], None],
) -> None:
    server = await start_server()
    async with ApiClient(server.url, await make_key()) as client, asyncio.timeout(60):
        await client.post("/notes", {"title": "before"})
        change(tmp_path / "biont.sqlite3")
        for _ in range(3):
            status, answer = await client.ask("POST", "/notes", {"title": "after"})
            assert status == 503
            # Already the check of the key may miss pages of a truncated file.
            assert CHANGES[change] in str(answer["detail"]) or "damaged" in str(answer["detail"])
        status, answer = await client.ask("GET", "/health")
        assert status == 503
        assert CHANGES[change] in str(answer["detail"])
    lines = server.read_log().splitlines()
    assert sum("the database is lost" in line for line in lines) == 1
    await server.stop()


async def test_the_health_fails_although_nobody_writes(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = await start_server()
    (tmp_path / "biont.sqlite3").unlink()
    async with ApiClient(server.url, None) as client, asyncio.timeout(60):
        while (await client.ask("GET", "/health"))[0] != 503:
            pass


async def test_writes_are_accepted_again_after_the_same_file_is_back(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server()
    database, elsewhere = tmp_path / "biont.sqlite3", tmp_path / "elsewhere"
    async with ApiClient(server.url, await make_key()) as client:
        database.rename(elsewhere)
        assert (await client.ask("POST", "/notes", {"title": "lost"}))[0] == 503
        elsewhere.rename(database)
        await client.post("/notes", {"title": "kept"})
        assert (await client.get("/health"))["status"] == "ok"
    assert await server.stop() == 0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the configuration of a workbench whose key file exists, and no database."""
    (tmp_path / "biont.key").write_text("A" * 43 + "=\n")
    (tmp_path / "biont.key").chmod(0o600)
    return write_config(tmp_path, {})


@pytest.mark.parametrize("state", ["missing", "empty"])
@pytest.mark.parametrize("command", ["serve", "users create ada", "users list"])
async def test_no_command_creates_a_database_in_place_of_a_lost_one(
    config: Path, tmp_path: Path, state: str, command: str
) -> None:
    database = tmp_path / "biont.sqlite3"
    if state == "empty":
        database.touch()
    async with asyncio.timeout(60):
        code, _, error = await run_biont(*command.split(), config=config)
    assert code == 1
    (line,) = (line for line in error.splitlines() if line.startswith("biont: "))
    assert str(database) in line
    assert state in line
    assert "biont serve --new-database" in line
    assert not database.exists() or database.stat().st_size == 0


async def test_a_log_without_its_database_is_a_lost_database(tmp_path: Path) -> None:
    (tmp_path / "biont.sqlite3-wal").write_bytes(b"x" * 4096)
    code, _, error = await run_biont("users", "list", config=write_config(tmp_path, {}))
    assert code == 1
    assert "biont.sqlite3-wal" in error


async def test_the_operator_can_begin_with_an_empty_database_once(
    config: Path, tmp_path: Path
) -> None:
    server = Server(config, arguments=("--new-database",))
    await server.start()
    assert await server.stop() == 0
    assert (tmp_path / "biont.sqlite3").exists()
    async with asyncio.timeout(60):
        code, _, error = await run_biont("serve", "--new-database", config=config)
    assert code == 1
    assert "exists" in error


async def test_nothing_is_acknowledged_after_the_log_was_truncated_and_the_next_start_goes_on(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    server = await start_server()
    key = await make_key()
    is_truncated = False
    answers: list[tuple[bool, int]] = []
    async with ApiClient(server.url, key) as client, asyncio.timeout(60):

        async def post() -> None:
            for number in range(10):
                asked_after = is_truncated
                status, _ = await client.ask("POST", "/notes", {"title": f"note {number}"})
                answers.append((asked_after, status))

        async def truncate() -> None:
            nonlocal is_truncated
            while len(answers) < 5:  # noqa: ASYNC110  # until traffic has begun
                await asyncio.sleep(0)
            empty_log(tmp_path / "biont.sqlite3")
            is_truncated = True

        await asyncio.gather(post(), post(), truncate())
        status, answer = await client.ask("GET", "/health")
        assert status == 503
        assert "biont.sqlite3-wal" in str(answer["detail"])
    assert {status for asked_after, status in answers if asked_after} == {503}
    await server.kill()
    # The next start goes on with what is in the database.
    await server.start()
    async with ApiClient(server.url, None) as client:
        assert (await client.get("/health"))["status"] == "ok"
    assert await server.stop() == 0


@pytest.mark.parametrize("change", [empty_log, truncate_log, overwrite_log])
async def test_a_write_is_not_acknowledged_when_the_log_changes_before_its_commit(
    clock: ManualClock, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    store = Store(tmp_path / "biont.sqlite3", EventFactory(clock, 8))
    await store.open()
    await store.write(lambda: execute_sql("CREATE TABLE kept (title TEXT)"))

    def write() -> None:
        execute_sql("CREATE TABLE lost (title TEXT)")
        change(tmp_path / "biont.sqlite3")

    with pytest.raises(StoreUnavailable, match=r"truncated|overwritten"):
        await store.write(write)
    with pytest.raises(StoreUnavailable, match="nothing was written"):
        await store.write(lambda: execute_sql("CREATE TABLE further (title TEXT)"))
    await store.close()


@pytest.mark.parametrize("statement", ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"])
async def test_checkpoints_by_another_process_are_no_loss(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path, statement: str
) -> None:
    server = await start_server()
    key = await make_key()
    async with ApiClient(server.url, key) as client, asyncio.timeout(60):

        async def write() -> None:
            for number in range(30):
                await client.post("/notes", {"title": f"note {number}"})

        async def disturb() -> None:
            for _ in range(5):
                await asyncio.to_thread(run_sql, tmp_path / "biont.sqlite3", statement)

        await asyncio.gather(write(), write(), disturb())
        assert (await client.get("/health"))["status"] == "ok"
    code, _, error = await run_biont("backup", str(tmp_path / "copy"), config=server.config)
    assert code == 0, error
    assert await server.stop() == 0
    assert "lost" not in server.read_log()


def run_sql(database: Path, statement: str) -> None:
    """Run one statement as an operator does, in a process of its own."""
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=30).execute(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(database), statement], check=True)


async def test_a_folder_in_place_of_the_database_is_refused_and_keeps_its_mode(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "biont.sqlite3"
    folder.mkdir(mode=0o755)
    config = write_config(tmp_path, {})
    for command in ("users list", "config check"):
        code, _, error = await run_biont(*command.split(), config=config)
        assert code == 1
        assert f"{folder} is no file" in error
    assert folder.stat().st_mode & 0o777 == 0o755


async def test_a_new_database_is_told_in_the_log_and_the_output_has_only_the_result(
    tmp_path: Path,
) -> None:
    config = write_config(tmp_path, {})
    code, out, error = await run_biont("users", "create", "ada", config=config)
    assert (code, out) == (0, "1\tada\n")
    (line,) = error.splitlines()
    assert str(tmp_path / "biont.sqlite3") in line
