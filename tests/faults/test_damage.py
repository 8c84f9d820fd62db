"""Databases that are damaged, truncated or out of reach, at the start and in mid-life."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import MakeKey, StartServer
from support.process import Server, run_biont, start_biont

from biont.testing import ApiClient, DatabaseTemplate, write_config

PAGE = 4096


def damage_random_pages(database: Path, count: int, seed: int) -> None:
    """Overwrite half of some pages of the database, but not of the first."""
    chance = random.Random(seed)  # noqa: S311  # the same pages in each run
    pages = database.stat().st_size // PAGE
    with database.open("r+b") as file:
        for page in chance.sample(range(1, pages), count):
            file.seek(page * PAGE)
            file.write(chance.randbytes(2000))


def damage_all_tables(database: Path) -> None:
    """Overwrite the first page of each table and index."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        query = "SELECT rootpage FROM sqlite_schema WHERE rootpage > 1"
        pages = [page for (page,) in connection.execute(query)]
    with database.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(b"\xff" * PAGE)


def cut_in_half(database: Path) -> None:
    os.truncate(database, database.stat().st_size // PAGE // 2 * PAGE)


def write_nonsense(database: Path) -> None:
    database.write_text("This is no database.\n" * 1000)


@pytest.fixture
async def config(tmp_path: Path, database_template: DatabaseTemplate) -> Path:
    """Copy a database with its key file; return the configuration."""
    database_template.copy_to(tmp_path, {})
    return write_config(tmp_path, {})


async def start_or_fail(config: Path) -> tuple[int, str]:
    """Start a server and stop it as soon as it serves; return exit code and standard error."""
    process = await start_biont("serve", config=config)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            if b"http://" in await process.stdout.readline():
                process.terminate()
            _, error = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, error.decode()


def assert_one_line_names_the_damage(error: str, database: Path) -> None:
    assert "Traceback" not in error
    (line,) = (line for line in error.splitlines() if line.startswith("biont: "))
    assert str(database) in line
    assert "backup" in line
    assert ".recover" in line


@pytest.mark.parametrize("damage", [damage_all_tables, cut_in_half, write_nonsense])
@pytest.mark.parametrize("command", ["serve", "users list", "audit verify", "events replay --yes"])
async def test_each_command_names_a_damaged_database_in_one_line(
    config: Path, tmp_path: Path, damage: Callable[[Path], None], command: str
) -> None:
    database = tmp_path / "biont.sqlite3"
    damage(database)
    if command == "serve":
        code, error = await start_or_fail(config)
    else:
        code, _, error = await run_biont(*command.split(), config=config)
    assert code != 0
    assert_one_line_names_the_damage(error, database)


async def test_a_start_with_random_damage_serves_or_ends_in_one_line(
    config: Path, tmp_path: Path
) -> None:
    database = tmp_path / "biont.sqlite3"
    shutil.copyfile(database, tmp_path / "good")
    for seed in range(3):
        shutil.copyfile(tmp_path / "good", database)
        damage_random_pages(database, 10, seed)
        code, error = await start_or_fail(config)
        assert "Traceback" not in error
        if code != 0:
            assert_one_line_names_the_damage(error, database)


@pytest.fixture
async def server(start_server: StartServer, make_key: MakeKey) -> Server:
    server = await start_server()
    async with ApiClient(server.url, await make_key()) as client:
        await client.post("/notes", {"title": "before"})
    return server


async def test_damage_in_mid_life_is_a_503_in_the_log_and_in_the_health(
    server: Server, make_key: MakeKey, tmp_path: Path
) -> None:
    key = await make_key()
    damage_all_tables(tmp_path / "biont.sqlite3")
    async with ApiClient(server.url, key) as client, asyncio.timeout(60):
        status, answer = await client.ask("POST", "/notes", {"title": "after"})
        assert status == 503
        assert "damaged" in str(answer["detail"])
        status, answer = await client.ask("GET", "/health")
        assert status == 503
        assert "database" in str(answer["detail"])
        assert str(tmp_path) not in str(answer)
        await server.stop()
    lines = server.read_log().splitlines()
    assert sum('"event": "the database is damaged"' in line for line in lines) == 1
    assert not any("Traceback" in line for line in lines)


async def test_random_damage_in_mid_life_never_hangs_a_request_or_the_stop(
    server: Server, make_key: MakeKey, tmp_path: Path
) -> None:
    key = await make_key()
    damage_random_pages(tmp_path / "biont.sqlite3", 10, 1)
    async with ApiClient(server.url, key) as client, asyncio.timeout(60):
        for path in ("/notes", "/events", "/schedule", "/webhooks/outgoing", "/keys"):
            status, _ = await client.ask("GET", path)
            assert status in (200, 401, 503)
        status, _ = await client.ask("POST", "/notes", {"title": "after"})
        assert status in (201, 401, 503)
        await server.stop()


async def test_a_writer_that_dies_ends_the_process_with_an_exit_code_and_a_log_line(
    server: Server, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "biont.sqlite3")) as connection, connection:
        connection.execute("INSERT INTO inbox (event) VALUES ('not an event')")
    async with asyncio.timeout(60):
        await server.wait()
    # Once by the process that died; `stop` reports its exit code.
    assert await server.stop() == 1
    lines = server.read_log().splitlines()
    assert sum('"level": "critical"' in line for line in lines) == 1
    assert lines[-1].startswith("biont: the store has failed: ")
    # A supervisor that starts it again gets an exit code again, and no process that hangs.
    code, error = await start_or_fail(server.config)
    assert code == 1
    assert "the store has failed" in error


# Root may write everywhere, unless it has given up that right.
ORDINARY = ("setpriv", "--bounding-set=-all") if os.getuid() == 0 else ()


@pytest.mark.skipif(
    bool(ORDINARY) and shutil.which("setpriv") is None, reason="root may write everywhere"
)
@pytest.mark.parametrize("place", ["biont.sqlite3", "."])
async def test_a_read_only_database_or_folder_is_named_in_one_line(
    config: Path, tmp_path: Path, place: str
) -> None:
    path = tmp_path / place
    mode = path.stat().st_mode
    path.chmod(mode & ~0o222)
    try:
        process = await asyncio.create_subprocess_exec(
            *ORDINARY,
            *(sys.executable, "-m", "biont", "serve"),
            env=os.environ | {"BIONT_CONFIG": str(config)},
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            _, written = await process.communicate()
    finally:
        path.chmod(mode)
    error = written.decode()
    assert process.returncode == 1
    assert "Traceback" not in error
    (line,) = (line for line in error.splitlines() if line.startswith("biont: "))
    assert str(tmp_path / "biont.sqlite3") in line


async def test_a_database_of_another_program_is_refused_and_not_changed(config: Path) -> None:
    database = config.parent / "biont.sqlite3"
    database.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE recipes (title TEXT)")
        connection.commit()
    code, error = await start_or_fail(config)
    assert code == 1
    assert "belongs to another program" in error.splitlines()[-1]
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("recipes",)]
