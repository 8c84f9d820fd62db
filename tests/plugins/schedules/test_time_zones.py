"""Default time zone of schedules."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.process import run_biont

from biont.testing import ApiClient, write_config


async def test_a_schedule_without_a_zone_has_the_zone_of_its_user(client: ApiClient) -> None:
    body = {"cron": "0 9 * * *", "prompt": "x"}
    before = await client.post("/schedule", dict(body))
    assert (await client.get("/me"))["time_zone"] is None
    status, me = await client.ask("PATCH", "/me", {"time_zone": "Asia/Tokyo"})
    assert (status, me["time_zone"], me["name"]) == (200, "Asia/Tokyo", "ada")
    after = await client.post("/schedule", dict(body))
    assert (before["time_zone"], after["time_zone"]) == ("UTC", "Asia/Tokyo")
    assert after["next_fire_at"] == "2026-03-03T00:00:00Z"
    previewed = await client.post("/schedule/preview", {"cron": "0 9 * * *", "count": 1})
    assert previewed["time_zone"] == "Asia/Tokyo"
    assert (await client.post("/schedule", {**body, "time_zone": "UTC"}))["time_zone"] == "UTC"
    assert (await client.get(f"/schedule/{before['id']}"))["time_zone"] == "UTC"
    assert (await client.ask("PATCH", "/me", {"time_zone": None}))[1]["time_zone"] is None


@pytest.mark.parametrize("body", [{"time_zone": "Mars/Base"}, {"name": "eve"}])
async def test_an_unknown_zone_is_refused(client: ApiClient, body: dict[str, str]) -> None:
    assert (await client.ask("PATCH", "/me", dict(body)))[0] == 422


async def test_an_operator_sets_the_zone_of_a_new_user(tmp_path: Path) -> None:
    config = write_config(tmp_path, {})
    code, _, error = await run_biont(
        "users", "create", "eve", "--time-zone", "Europe/Berlim", config=config
    )
    assert code == 1
    assert "did you mean 'Europe/Berlin'?" in error
    code, _, error = await run_biont(
        "users", "create", "eve", "--time-zone", "Europe/Berlin", config=config
    )
    assert code == 0, error
