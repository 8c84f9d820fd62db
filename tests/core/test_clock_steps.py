"""A clock that was ahead and is set back: schedules are due at their times again."""

from __future__ import annotations

import pytest
from conftest import Restart
from pydantic import JsonValue

from biont import Workbench
from biont.testing import ApiClient, ManualClock, rows_of

REMINDER: dict[str, JsonValue] = {"job": "reminder", "parameters": {"text": "x"}}


async def read_next(client: ApiClient, path: str) -> JsonValue:
    return (await client.get(path))["next_fire_at"]


@pytest.mark.parametrize("step", [{"hours": 2}, {"days": 60}])
async def test_a_clock_that_is_set_back_leaves_no_schedule_silent(
    client: ApiClient, workbench: Workbench, clock: ManualClock, step: dict[str, float]
) -> None:
    made = await client.post("/schedule", {"cron": "0 * * * *", **REMINDER})
    once = await client.post("/schedule", {"at": "2026-03-02T13:30:00Z", **REMINDER})
    path = f"/schedule/{made['id']}"
    assert made["next_fire_at"] == "2026-03-02T13:00:00Z"
    clock.advance(**step)
    workbench.scheduler.wake()
    await client.get_until(path, lambda found: found["next_fire_at"] != made["next_fire_at"])
    clock.advance(**{unit: -amount for unit, amount in step.items()})
    workbench.scheduler.wake()
    await client.get_until(path, lambda found: found["next_fire_at"] == "2026-03-02T13:00:00Z")
    health = await client.get("/health")
    assert health["status"] == "degraded"
    assert "the clock was set back" in str(health["problems"])
    # Only what has really run keeps its record of the future.
    runs = rows_of(await client.get(f"{path}/runs"))
    assert {run["status"] for run in runs} <= {"succeeded"}
    clock.advance(minutes=61)
    workbench.scheduler.wake()
    await client.get_until(
        f"{path}/runs",
        lambda page: "2026-03-02T13:00:00Z" in [run["scheduled_for"] for run in rows_of(page)],
    )
    clock.advance(hours=1)
    workbench.scheduler.wake()
    await client.get_until(f"/schedule/{once['id']}/runs", rows_of)
    assert (await client.get("/health"))["status"] == "ok"


async def test_a_clock_that_was_set_back_during_a_stop_is_noticed_at_the_start(
    restart: Restart, clock: ManualClock
) -> None:
    async with restart() as client:
        made = await client.post("/schedule", {"every": 3600, **REMINDER})
    path = f"/schedule/{made['id']}"
    clock.advance(days=60)
    async with restart() as client:
        await client.get_until(path, lambda found: found["next_fire_at"] != made["next_fire_at"])
    clock.advance(days=-60)
    async with restart() as client:
        await client.get_until(path, lambda found: found["next_fire_at"] == made["next_fire_at"])


async def test_a_schedule_made_while_the_clock_was_ahead_is_due_from_the_present_on(
    client: ApiClient, workbench: Workbench, clock: ManualClock
) -> None:
    clock.advance(days=60)
    made = await client.post("/schedule", {"every": 3600, **REMINDER})
    path = f"/schedule/{made['id']}"
    await workbench.scheduler.sweep()
    clock.advance(days=-60)
    await workbench.scheduler.sweep()
    assert str(await read_next(client, path)) <= "2026-03-02T13:00:00Z"


async def test_a_reminder_that_is_done_does_not_come_again_after_a_step_back(
    client: ApiClient, workbench: Workbench, clock: ManualClock
) -> None:
    made = await client.post("/reminders", {"text": "x", "at": "2026-03-02T18:00:00Z"})
    await client.post(f"/reminders/{made['id']}/done")
    clock.advance(hours=2)
    await workbench.scheduler.sweep()
    clock.advance(hours=-2)
    await workbench.scheduler.sweep()
    assert (await client.get(f"/reminders/{made['id']}"))["state"] == "done"


async def test_an_occurrence_that_has_run_is_not_planned_again_after_a_step_back(
    client: ApiClient, workbench: Workbench, clock: ManualClock
) -> None:
    made = await client.post("/schedule", {"cron": "0 * * * *", "max_runs": 9, **REMINDER})
    path = f"/schedule/{made['id']}"
    clock.advance(hours=1)
    await workbench.scheduler.sweep()
    await client.get_until(f"{path}/runs", lambda page: "succeeded" in str(page))
    clock.advance(minutes=-30)
    await workbench.scheduler.sweep()
    assert await read_next(client, path) == "2026-03-02T14:00:00Z"
    clock.advance(minutes=90)
    await workbench.scheduler.sweep()
    assert (await client.get(path))["run_count"] == 2


async def test_a_short_step_back_changes_nothing(
    client: ApiClient, workbench: Workbench, clock: ManualClock
) -> None:
    made = await client.post("/schedule", {"every": 60, **REMINDER})
    path = f"/schedule/{made['id']}"
    clock.advance(seconds=61)
    workbench.scheduler.wake()
    await client.get_until(f"{path}/runs", rows_of)
    planned = await read_next(client, path)
    clock.advance(seconds=-30)
    await workbench.scheduler.sweep()
    assert await read_next(client, path) == planned
    assert len(rows_of(await client.get(f"{path}/runs"))) == 1
    assert (await client.get("/health"))["status"] == "ok"
