"""Declared schedules."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Restart
from pydantic import JsonValue
from support.process import Server, run_biont

from biont.testing import ApiClient, ManualClock, rows_of, write_config

MORNING = {"user": "ada", "cron": "0 9 * * 1-5", "prompt": "Good morning"}
HOURLY = {"user": "ada", "name": "Look", "every": "1h", "prompt": "Anything new?"}


def declare(**declared: object) -> dict[str, object]:
    return {"plugins": {"schedules": {"declared": declared}}}


def by_slug(page: dict[str, JsonValue]) -> dict[str, dict[str, JsonValue]]:
    return {str(row["slug"]): row for row in rows_of(page)}


async def test_a_start_creates_changes_keeps_and_removes_declared_schedules(
    restart: Restart, clock: ManualClock, sections: dict[str, object]
) -> None:
    async with restart() as client:
        own = await client.post("/schedule", {"every": "7d", "prompt": "x"})
    sections |= declare(morning=MORNING, hourly=HOURLY)
    async with restart() as client:
        first = by_slug(await client.get("/schedule"))
        assert first["None"] == own
        assert (first["morning"]["origin"], first["morning"]["name"]) == ("file", "morning")
        assert first["morning"]["next_fire_at"] == "2026-03-03T09:00:00Z"
        assert first["hourly"]["every"] == 3600
    clock.advance(minutes=10)
    sections |= declare(morning=MORNING | {"prompt": "Hello"}, evening=MORNING, hourly=HOURLY)
    async with restart() as client:
        second = by_slug(await client.get("/schedule"))
        assert second["hourly"] == first["hourly"]
        assert second["morning"]["id"] == first["morning"]["id"]
        assert "Hello" in str(second["morning"]["parameters"])
        assert second["morning"]["next_fire_at"] == first["morning"]["next_fire_at"]
    sections |= declare(evening=MORNING | {"time_zone": "Asia/Tokyo"})
    async with restart() as client:
        third = by_slug(await client.get("/schedule"))
        assert set(third) == {"None", "evening"}
        assert third["evening"]["next_fire_at"] == "2026-03-03T00:00:00Z"
    del sections["plugins"]
    async with restart() as client:
        assert set(by_slug(await client.get("/schedule"))) == {"None"}


async def test_a_declared_schedule_can_be_paused_but_not_edited_by_api(
    restart: Restart, sections: dict[str, object]
) -> None:
    async with restart():
        pass
    sections |= declare(morning=MORNING)
    async with restart() as client:
        path = f"/schedule/{by_slug(await client.get('/schedule'))['morning']['id']}"
        for status, problem in (
            await client.ask("PATCH", path, {"name": "Mine"}),
            await client.ask("DELETE", path),
        ):
            assert (status, "file" in str(problem["detail"])) == (409, True)
        await client.post(f"{path}/pause")
    async with restart() as client:
        assert (await client.get(path))["paused"] is True
        assert (await client.post(f"{path}/resume"))["state"] == "active"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"cron": "99 * * * *"}, "morning.cron"),
        ({"every": 60}, "morning"),
        ({"user": "nobody"}, "morning.user: there is no user 'nobody'"),
        ({"job": "dance"}, "morning.job"),
        ({"prompt": None}, "morning.prompt"),
        ({"time_zone": "Mars/Base"}, "morning.time_zone"),
        ({"overlap": "maybe"}, "morning.overlap"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "morning.ends_at"),
        ({"sometimes": True}, "morning.sometimes"),
    ],
)
async def test_a_wrong_declaration_stops_the_start_and_is_reported_with_its_line(
    tmp_path: Path, change: dict[str, object], place: str
) -> None:
    config = write_config(tmp_path, {})
    await run_biont("users", "create", "ada", config=config)
    write_config(tmp_path, declare(morning=MORNING | change))
    code, _, error = await run_biont("serve", config=config)
    assert code != 0
    assert f"{config / 'biont.yaml'}:" in error
    assert f"plugins.schedules.declared.{place}" in error


async def test_any_file_of_the_config_folder_may_declare_schedules(tmp_path: Path) -> None:
    config = write_config(tmp_path, {})
    await run_biont("users", "create", "ada", config=config)
    _, key, _ = await run_biont("keys", "create", "--user", "ada", config=config)
    (config / "schedules.yaml").write_text(
        "plugins:\n  schedules:\n    declared:\n"
        "      morning: {user: ada, cron: 0 9 * * 1-5, prompt: Good morning}\n"
    )
    server = Server(config)
    await server.start()
    try:
        async with ApiClient(server.url, key.strip()) as client:
            assert set(by_slug(await client.get("/schedule"))) == {"morning"}
    finally:
        await server.stop()
