"""The clock of the machine is set while a real process serves, by libfaketime."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import MakeKey
from pydantic import JsonValue
from support.process import Server

from biont.testing import ApiClient, DatabaseTemplate, rows_of, write_config

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="Debian's package faketime is missing")

REMINDER: dict[str, JsonValue] = {"job": "reminder", "parameters": {"text": "x"}}


async def test_schedules_go_on_after_the_clock_was_hours_and_days_ahead(
    tmp_path: Path, database_template: DatabaseTemplate, make_key: MakeKey
) -> None:
    sections: dict[str, object] = {"scheduler": {"poll_interval": 0.2}}
    database_template.copy_to(tmp_path, sections)
    offset = tmp_path / "offset"
    offset.write_text("+0")
    server = Server(
        write_config(tmp_path, sections),
        {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        },
    )
    await server.start()
    try:
        async with ApiClient(server.url, await make_key()) as client:
            path = (
                f"/schedule/{(await client.post('/schedule', {'every': '1h', **REMINDER}))['id']}"
            )
            for wrong, ahead in (("+2h", timedelta(hours=2)), ("+60d", timedelta(days=60))):
                begun = datetime.now(UTC)
                offset.write_text(wrong)
                await client.get_until(path, lambda row: _is_later(row, begun + ahead))  # noqa: B023
                offset.write_text("+0")
                limit = begun + timedelta(hours=2)
                await client.get_until(path, lambda row: not _is_later(row, limit))  # noqa: B023
                assert "clock" in str((await client.get("/health"))["problems"])
            runs = rows_of(await client.get(f"{path}/runs?limit=1000"))
            assert "missed" not in {row["status"] for row in runs}
    finally:
        await server.stop()


def _is_later(row: dict[str, JsonValue], instant: datetime) -> bool:
    return datetime.fromisoformat(str(row["next_fire_at"])) > instant
