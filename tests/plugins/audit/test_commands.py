"""Command `biont audit`: detects each change of the log, and exports the log."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import MakeKey, StartServer
from support.node import Node
from support.process import run_biont

from biont.application import open_application
from biont.settings import load_settings
from biont.testing import ApiClient, make_user, write_config
from biont_audit.chain import hash_row

# Changes to a log of 20 entries, and the problem that the command reports.
TAMPERINGS = {
    "payload changed": (
        """UPDATE event_logs SET payload = '{"n":0}' WHERE number = 7""",
        "number 7 does not match its hash",
    ),
    "user changed": (
        "UPDATE event_logs SET user_id = user_id + 1 WHERE number = 7",
        "number 7 does not match its hash",
    ),
    "cause added": (
        "UPDATE event_logs SET causation_id = event_id WHERE number = 1",
        "number 1 does not match its hash",
    ),
    "payload no text": (
        "UPDATE event_logs SET payload = X'7b7d' WHERE number = 7",
        "number 7 does not match its hash",
    ),
    "payload no UTF-8": (
        "UPDATE event_logs SET payload = CAST(X'22ff22' AS TEXT) WHERE number = 7",
        "number 7 does not match its hash",
    ),
    "hash changed": (
        "UPDATE event_logs SET hash = hex(randomblob(32)) WHERE number = 20",
        "number 20 does not match its hash",
    ),
    "first removed": ("DELETE FROM event_logs WHERE number = 1", "number 1 is missing"),
    "one removed": ("DELETE FROM event_logs WHERE number = 7", "number 7 is missing"),
    "one removed and the rest moved up": (
        """
        DELETE FROM event_logs WHERE number = 7;
        UPDATE event_logs SET number = -number WHERE number > 7;
        UPDATE event_logs SET number = -number - 1 WHERE number < 0;
        UPDATE event_log_ends SET head_number = 19;
        """,
        "number 7 does not match its hash",
    ),
    "one inserted": (
        """
        UPDATE event_logs SET number = -number WHERE number >= 7;
        UPDATE event_logs SET number = -number + 1 WHERE number < 0;
        INSERT INTO event_logs SELECT 7, 'forged', user_id, event_type, payload, created_at,
            correlation_id, causation_id, hops, hash, origin FROM event_logs WHERE number = 6;
        UPDATE event_log_ends SET head_number = 21;
        """,
        "number 7 does not match its hash",
    ),
    "one inserted before the beginning": (
        """
        INSERT INTO event_logs SELECT 0, 'forged', user_id, event_type, payload, created_at,
            correlation_id, causation_id, hops, hash, origin FROM event_logs WHERE number = 6;
        """,
        "number 0 was inserted before the beginning",
    ),
    "one inserted after the end": (
        """
        INSERT INTO event_logs SELECT 21, 'forged', user_id, event_type, payload, created_at,
            correlation_id, causation_id, hops, hash, origin FROM event_logs WHERE number = 6;
        """,
        "number 21 was inserted after the end",
    ),
    "two exchanged": (
        """
        UPDATE event_logs SET number = -1 WHERE number = 7;
        UPDATE event_logs SET number = 7 WHERE number = 12;
        UPDATE event_logs SET number = 12 WHERE number = -1;
        """,
        "number 7 does not match its hash",
    ),
    "end cut off": (
        "DELETE FROM event_logs WHERE number > 18",
        "the end is missing, from number 19 to 20",
    ),
    "all removed": ("DELETE FROM event_logs", "the end is missing, from number 1 to 20"),
    "ends removed": (
        "DELETE FROM event_log_ends",
        "the beginning and the end of the log is missing",
    ),
    "beginning moved": (
        "UPDATE event_log_ends SET anchor_number = 5",
        "number 1 was inserted before the beginning",
    ),
}


async def make_log(folder: Path, count: int = 20) -> Path:
    """Log events of two users; return the configuration of the workbench, which does not run."""
    config = write_config(folder, {})
    async with open_application(load_settings(config, environ={})) as application:
        workbench = application.workbench
        users = [await make_user(workbench, name) for name in ("ada", "eve")]
        emit = workbench.events.emit
        types = ["custom_even", "custom_odd"]
        await asyncio.gather(*(emit(types[n % 2], users[n % 2], {"n": n}) for n in range(count)))
    return config


def open_database(config: Path) -> sqlite3.Connection:
    path = load_settings(config, environ={}).database.path
    return sqlite3.connect(path, isolation_level=None)


async def test_verify_accepts_an_unchanged_log(tmp_path: Path) -> None:
    config = await make_log(tmp_path)
    code, out, error = await run_biont("audit", "verify", config=config)
    assert (code, error) == (0, "")
    assert "is whole; checked: 20" in out


async def test_verify_and_export_work_while_the_workbench_runs(
    start_server: StartServer, make_key: MakeKey
) -> None:
    server = await start_server()
    async with ApiClient(server.url, await make_key()) as client:
        for number in range(5):
            await client.post("/events", {"event_type": "custom_x", "payload": {"n": number}})
        code, out, _ = await run_biont("audit", "verify", config=server.config)
        assert (code, out.splitlines()[0]) == (0, "the event log is whole; checked: 7")
        code, out, _ = await run_biont("audit", "export", config=server.config)
        entries = [orjson.loads(line) for line in out.splitlines()]
        emitted = [each["payload"]["n"] for each in entries if each["event_type"] == "custom_x"]
        assert emitted == [0, 1, 2, 3, 4]
        await client.post("/events", {"event_type": "custom_x"})


@pytest.mark.parametrize("case", TAMPERINGS)
async def test_verify_names_the_first_wrong_entry(tmp_path: Path, case: str) -> None:
    config = await make_log(tmp_path)
    script, complaint = TAMPERINGS[case]
    open_database(config).executescript(script).connection.close()
    code, out, error = await run_biont("audit", "verify", config=config)
    assert (code, out) == (1, "")
    assert complaint in error


async def test_verify_and_export_read_a_long_log_completely(tmp_path: Path) -> None:
    config = await make_log(tmp_path, 3001)
    _, out, _ = await run_biont("audit", "verify", config=config)
    assert "checked: 3001" in out
    _, out, _ = await run_biont("audit", "export", config=config)
    assert [orjson.loads(line)["number"] for line in out.splitlines()] == list(range(1, 3002))
    with closing(open_database(config)) as connection:
        connection.executescript("DELETE FROM event_logs WHERE number = 2001")
    _, _, error = await run_biont("audit", "verify", config=config)
    assert "number 2001 is missing; checked before that: 2000" in error


async def test_verify_detects_a_forged_last_entry(tmp_path: Path) -> None:
    config = await make_log(tmp_path)
    with closing(open_database(config)) as connection:
        forge(connection, 20)
    _, _, error = await run_biont("audit", "verify", config=config)
    assert "number 20 is not the entry that was logged last" in error


async def test_verify_detects_a_forged_log_by_an_earlier_entry(tmp_path: Path) -> None:
    config = await make_log(tmp_path)
    _, out, _ = await run_biont("audit", "verify", config=config)
    last_entry = out.split()[-1]
    assert (await run_biont("audit", "verify", "--expect", last_entry, config=config))[0] == 0
    connection = open_database(config)
    for number in range(7, 21):
        last = forge(connection, number)
    connection.execute("UPDATE event_log_ends SET head_hash = ?", (last,))
    assert (await run_biont("audit", "verify", config=config))[0] == 0
    code, _, error = await run_biont("audit", "verify", "--expect", last_entry, config=config)
    assert code == 1
    assert "number 20 is not the expected entry" in error
    connection.executescript(
        "DELETE FROM event_logs WHERE number = 20;"
        "UPDATE event_log_ends SET head_number = 19,"
        " head_hash = (SELECT hash FROM event_logs WHERE number = 19)"
    )
    _, _, error = await run_biont("audit", "verify", "--expect", last_entry, config=config)
    assert "number 20 is expected, and is missing" in error
    connection.close()


def forge(connection: sqlite3.Connection, number: int) -> str:
    """Change an entry, and compute its hash again from the hash of the entry before."""
    connection.execute("UPDATE event_logs SET payload = '{}' WHERE number = ?", (number,))
    query = "SELECT * FROM event_logs WHERE number = ?"
    *_, previous_hash, _ = connection.execute(query, (number - 1,)).fetchone()
    *columns, _, origin = connection.execute(query, (number,)).fetchone()
    forged = hash_row(previous_hash, (*columns, origin))
    connection.execute("UPDATE event_logs SET hash = ? WHERE number = ?", (forged, number))
    return forged


async def test_export_filters_by_user_type_and_time(tmp_path: Path) -> None:
    config = await make_log(tmp_path)

    async def choose(*options: str) -> list[int]:
        code, out, error = await run_biont("audit", "export", *options, config=config)
        assert code == 0, error
        return [orjson.loads(line)["payload"]["n"] for line in out.splitlines()]

    everything = list(range(20))
    assert await choose() == everything
    assert await choose("--user", "eve") == everything[1::2]
    assert await choose("--type", "custom_even") == everything[::2]
    assert await choose("--type", "custom_*") == everything
    assert await choose("--since", "2020-01-01", "--until", "2100-01-01T00:00+05:00") == everything
    assert await choose("--until", "2020-01-01") == []
    code, _, error = await run_biont("audit", "export", "--user", "nobody", config=config)
    assert (code, error) == (1, "biont: there is no user 'nobody'\n")


async def test_export_writes_a_valid_batch_of_cloud_events(tmp_path: Path, node: Node) -> None:
    config = await make_log(tmp_path)
    _, out, _ = await run_biont("audit", "export", "--format", "cloudevents", config=config)
    # Their own library reads them, and is strict about it.
    events: list[dict[str, Any]] = orjson.loads(
        await node.run("read_cloud_events.mjs", stdin=out.encode())
    )
    assert [event["data"]["n"] for event in events] == list(range(20))
    assert {event["specversion"] for event in events} == {"1.0"}
    assert {event["type"] for event in events} == {"custom_even", "custom_odd"}
    assert len({(event["source"], event["id"]) for event in events}) == 20
    _, out, _ = await run_biont(
        "audit", "export", "--format", "cloudevents", "--type", "none", config=config
    )
    assert orjson.loads(out) == []


async def test_verify_fails_without_a_database(tmp_path: Path) -> None:
    config = write_config(tmp_path, {})
    code, _, error = await run_biont("audit", "verify", config=config)
    assert code == 1
    assert "does not exist" in error
    assert not (tmp_path / "biont.sqlite3").exists()
