"""Modes of the files of a workbench: no other user of the machine can read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import StartServer
from support.process import Server, run_biont

from biont.testing import DatabaseTemplate, write_config


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Let new files be readable and writable by everybody, as far as the umask decides."""
    former = os.umask(0)
    yield
    os.umask(former)


def read_mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize("first", ["serve", "users"])
async def test_new_files_are_for_this_user_alone_whatever_the_umask(
    tmp_path: Path, first: str
) -> None:
    folder = tmp_path / "data"
    sections: dict[str, object] = {
        "database": {"url": f"sqlite:///{folder / 'biont.sqlite3'}"},
        "vault": {"key_file": str(folder / "biont.key")},
    }
    config = write_config(tmp_path, sections)
    if first == "users":
        code, _, error = await run_biont("users", "create", "ada", config=config)
        assert code == 0, error
    server = Server(config)
    await server.start()
    try:
        modes = {path.name: read_mode(path) for path in folder.iterdir()}
    finally:
        await server.kill()
    assert {"biont.sqlite3", "biont.sqlite3-wal", "biont.key"} < modes.keys()
    assert set(modes.values()) == {"600"}
    assert read_mode(folder) == "700"


async def test_a_database_that_everybody_can_read_is_closed_to_others_at_the_start(
    start_server: StartServer, tmp_path: Path, database_template: DatabaseTemplate
) -> None:
    database_template.copy_to(tmp_path, {})
    database = tmp_path / "biont.sqlite3"
    database.chmod(0o644)
    server = await start_server()
    assert read_mode(database) == "600"
    assert read_mode(tmp_path / "biont.sqlite3-wal") == "600"
    assert str(database) in server.read_log()


async def test_a_group_that_the_operator_lets_in_can_still_read_the_database(
    start_server: StartServer, tmp_path: Path, database_template: DatabaseTemplate
) -> None:
    database_template.copy_to(tmp_path, {})
    database = tmp_path / "biont.sqlite3"
    database.chmod(0o640)
    await start_server()
    assert read_mode(database) == "640"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
async def test_a_key_file_that_others_can_read_is_refused_with_the_command_to_type(
    tmp_path: Path, database_template: DatabaseTemplate, mode: int
) -> None:
    database_template.copy_to(tmp_path, {})
    key_file = tmp_path / "biont.key"
    key_file.chmod(mode)
    code, _, error = await run_biont("serve", config=write_config(tmp_path, {}))
    assert code == 1
    assert f"chmod 600 {key_file}" in error
    assert read_mode(key_file) == f"{mode:o}"
