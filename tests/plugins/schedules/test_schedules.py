from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont.testing import ApiClient, ManualClock

DAILY: dict[str, JsonValue] = {"cron": "0 9 * * *", "prompt": "Good morning"}


async def test_a_schedule_is_created_read_paused_resumed_and_deleted(
    client: ApiClient, clock: ManualClock
) -> None:
    made = await client.post("/schedule", DAILY | {"time_zone": "Europe/Berlin"})
    assert made["next_fire_at"] == "2026-03-03T08:00:00Z"
    assert made["name"] == "Good morning"
    path = f"/schedule/{made['id']}"
    assert await client.get(path) == made
    assert (await client.post(f"{path}/pause"))["next_fire_at"] is None
    clock.advance(days=2)
    resumed = await client.post(f"{path}/resume")
    assert (resumed["paused"], resumed["next_fire_at"]) == (False, "2026-03-05T08:00:00Z")
    assert (await client.get(f"{path}/runs"))["data"] == []
    assert (await client.ask("DELETE", path))[0] == 204
    assert (await client.ask("GET", path))[0] == 404


async def test_a_schedule_without_a_zone_has_the_zone_of_the_workbench(client: ApiClient) -> None:
    assert (await client.post("/schedule", DAILY))["time_zone"] == "UTC"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"cron": "99 * * * *"}, "#/cron"),
        ({"cron": "* * * *"}, "#/cron"),
        ({"cron": "* * * * * *"}, "#/cron"),
        ({"cron": "0 0 31 2 *"}, "#/cron"),
        ({"cron": ""}, "#/cron"),
        ({"cron": "every day"}, "#/cron"),
        ({"time_zone": "Europe/Brelin"}, "#/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "#/time_zone"),
        ({"prompt": ""}, "#/prompt"),
        ({"job": "unheard_of"}, "#/job"),
        ({"parameters": {"modle": "x"}}, "#/parameters/modle"),
        ({"crno": "* * * * *"}, "#/crno"),
    ],
)
async def test_a_wrong_schedule_is_refused_with_pointers_to_the_errors(
    client: ApiClient, body: dict[str, JsonValue], pointer: str
) -> None:
    status, problem = await client.ask("POST", "/schedule", DAILY | body)
    assert status == 422
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors if isinstance(error, dict)] == [pointer]


async def test_a_schedule_without_a_prompt_is_refused(client: ApiClient) -> None:
    status, problem = await client.ask("POST", "/schedule", {"cron": "0 9 * * *"})
    assert status == 422
    assert "#/prompt" in str(problem["errors"])
