"""Databases that are removed, replaced or truncated under a running server, or before a start."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MakeKey, StartServer
from support.process import Server, run_biont

from biont.testing import ApiClient, write_config


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


CHANGES: dict[Callable[[Path], None], str] = {
    remove: "removed",
    remove_log: "removed",
    replace: "replaced",
    empty: "truncated",
    truncate: "truncated",
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
