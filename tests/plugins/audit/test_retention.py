"""Retention of the event log: old entries are deleted, and the remaining chain is valid."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from support.process import run_biont

from biont import Event, Workbench
from biont.application import open_application
from biont.settings import load_settings
from biont.testing import ManualClock, make_user, write_config
from biont_audit import EVENT_LOG

AUDIT: dict[str, object] = {"plugins": {"audit": {"keep_days": 30}}}


async def read_until(workbench: Workbench, user_id: int, count: int) -> list[Event]:
    async with asyncio.timeout(20):
        while (
            len(found := await workbench.get(EVENT_LOG).read_events(user_id, limit=5000)) > count
        ):
            pass
    return found


async def test_retention_deletes_old_entries_at_the_start_and_the_chain_stays_valid(
    tmp_path: Path, clock: ManualClock
) -> None:
    config = write_config(tmp_path, AUDIT)
    settings = load_settings(config, environ={})
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        user_id = await make_user(workbench, "ada")
        emit = workbench.events.emit
        await asyncio.gather(*(emit("custom_x", user_id, {"n": n}) for n in range(1200)))
        clock.advance(days=20)
        await asyncio.gather(*(emit("custom_y", user_id, {"n": n}) for n in range(7)))
        assert len(await workbench.get(EVENT_LOG).read_events(user_id, limit=5000)) == 1207
    clock.advance(days=10, seconds=1)
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        kept = await read_until(workbench, user_id, 7)
        assert [event.event_type for event in kept] == ["custom_y"] * 7
        await workbench.events.emit("custom_z", user_id, {})
    code, out, error = await run_biont("audit", "verify", config=config)
    assert (code, error) == (0, "")
    assert "whole; checked: 8" in out
    assert "ends with 1208:" in out
    clock.advance(days=31)
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        assert await read_until(workbench, user_id, 0) == []
        again = await workbench.events.emit("custom_z", user_id, {})
        assert await workbench.get(EVENT_LOG).read_events(user_id) == [again]
    _, out, _ = await run_biont("audit", "verify", config=config)
    assert "whole; checked: 1" in out
    assert "ends with 1209:" in out


async def test_verify_detects_a_missing_entry_after_the_anchor(
    tmp_path: Path, clock: ManualClock
) -> None:
    config = write_config(tmp_path, AUDIT)
    settings = load_settings(config, environ={})
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        user_id = await make_user(workbench, "ada")
        for number in range(6):
            await workbench.events.emit("custom_x", user_id, {"n": number})
            clock.advance(days=31 * (number == 2))
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        await read_until(workbench, user_id, 3)
    for number in (5, 4):
        database = settings.database.path
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("DELETE FROM event_logs WHERE number = ?", (number,))
        code, _, error = await run_biont("audit", "verify", config=config)
        assert code == 1
        assert f"number {number} is missing" in error


async def test_keep_days_0_keeps_the_log_for_ever(tmp_path: Path, clock: ManualClock) -> None:
    sections: dict[str, object] = {"plugins": {"audit": {"keep_days": 0}}}
    settings = load_settings(write_config(tmp_path, sections), environ={})
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        user_id = await make_user(workbench, "ada")
        event = await workbench.events.emit("custom_x", user_id, {})
    clock.advance(days=10_000)
    async with open_application(settings, clock=clock) as application:
        workbench = application.workbench
        later = await workbench.events.emit("custom_x", user_id, {})
        assert await workbench.get(EVENT_LOG).read_events(user_id) == [event, later]
