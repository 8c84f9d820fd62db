"""Schedules with calendar intervals by REST, in files, in simulations, and as runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue
from support.process import run_biont

from biont import Workbench
from biont.testing import ApiClient, ManualClock, rows_of, write_config

Body = dict[str, JsonValue]
FORTNIGHT: Body = {"weeks": 2, "at": "09:00"}
SCHEDULE: Body = {
    "every": FORTNIGHT,
    "time_zone": "Europe/Berlin",
    "starts_at": "2026-03-03T00:00:00+01:00",
    "job": "reminder",
    "parameters": {"text": "x"},
}


async def test_a_calendar_interval_is_created_shown_previewed_and_run(
    client: ApiClient, workbench: Workbench, clock: ManualClock
) -> None:
    made = await client.post("/schedule", SCHEDULE)
    path = f"/schedule/{made['id']}"
    assert (made["kind"], made["every"], made["cron"]) == ("calendar", FORTNIGHT, None)
    assert made["next_fire_at"] == "2026-03-03T08:00:00Z"
    body: Body = {name: SCHEDULE[name] for name in ("every", "time_zone", "starts_at")}
    _, shown = await client.ask("POST", "/schedule/preview", body | {"count": 3})
    assert shown["words"] == "Every 2 weeks on Tuesday at 09:00"
    instants = shown["instants"]
    assert isinstance(instants, list)
    due = [item["instant"] for item in instants if isinstance(item, dict)]
    assert due == ["2026-03-03T08:00:00Z", "2026-03-17T08:00:00Z", "2026-03-31T07:00:00Z"]
    upcoming = rows_of(await client.get("/schedule/upcoming?limit=3"))
    assert [row["due_at"] for row in upcoming] == due
    clock.advance(days=1)
    workbench.scheduler.wake()
    await client.get_until(f"{path}/runs", rows_of)
    assert (await client.get(path))["next_fire_at"] == "2026-03-17T08:00:00Z"
    told = str((await client.get(f"{path}/why?at=2026-03-10T09:00:00%2B01:00"))["sentences"])
    assert "due at 2026-03-17T08:00:00Z" in told


async def test_a_change_of_an_interval_merges_its_members(client: ApiClient) -> None:
    path = f"/schedule/{(await client.post('/schedule', SCHEDULE))['id']}"
    _, changed = await client.ask("PATCH", path, {"every": {"at": "10:00", "weekdays": ["FRI"]}})
    assert changed["every"] == {"weeks": 2, "at": "10:00", "weekdays": ["FRI"]}
    assert changed["next_fire_at"] == "2026-03-06T09:00:00Z"
    patch: Body = {"every": {"weeks": None, "weekdays": None, "months": 1, "day": "last"}}
    _, changed = await client.ask("PATCH", path, patch)
    assert changed["every"] == {"months": 1, "at": "10:00", "day": "last"}
    assert (await client.ask("PATCH", path, {"every": {"days": 1}}))[0] == 422
    _, changed = await client.ask("PATCH", path, {"every": "2h"})
    assert (changed["kind"], changed["every"]) == ("every", 7200)
    _, changed = await client.ask("PATCH", path, {"every": {"days": 1, "at": "10:00"}})
    assert (changed["kind"], changed["every"]) == ("calendar", {"days": 1, "at": "10:00"})
    _, changed = await client.ask("PATCH", path, {"cron": "0 9 * * *"})
    assert (changed["kind"], changed["every"], changed["cron"]) == ("cron", None, "0 9 * * *")


@pytest.mark.parametrize(
    "every",
    [
        {},
        {"weeks": 0},
        {"weeks": "2"},
        {"weeks": 2, "at": 540},
        {"weeks": 2, "day": 3},
        {"years": 2, "month": 2, "day": 30},
        {"days": 1, "days_of_rest": 1},
        [1],
        1.5,
    ],
)
async def test_a_wrong_interval_is_refused_at_its_place(
    client: ApiClient, every: JsonValue
) -> None:
    status, problem = await client.ask("POST", "/schedule", SCHEDULE | {"every": every})
    assert (status, "'#/every'" in str(problem["errors"])) == (422, True), problem
    assert "Value error" not in str(problem)


async def test_an_interval_that_reaches_no_day_names_what_to_change(client: ApiClient) -> None:
    # Every tenth year from 2027 on is no leap year.
    never: JsonValue = {"years": 10, "month": 2, "day": 29}
    body = SCHEDULE | {"every": never, "starts_at": "2027-01-01T00:00:00Z"}
    _, problem = await client.ask("POST", "/schedule", body)
    assert problem["errors"] == [
        {
            "detail": "the schedule would never be due; change 'every' or 'starts_at'",
            "pointer": "#/every",
        }
    ]


async def test_a_reminder_may_have_a_calendar_interval(client: ApiClient) -> None:
    made = await client.post("/reminders", {"text": "x", "every": {"months": 1, "at": "08:00"}})
    assert (made["kind"], made["every"]) == ("calendar", {"months": 1, "at": "08:00"})
    assert made["next_at"] == "2026-04-02T08:00:00Z"


async def test_a_file_may_declare_a_calendar_interval(tmp_path: Path) -> None:
    config = write_config(tmp_path, {})
    await run_biont("users", "create", "ada", config=config)
    (config / "schedules.yaml").write_text(
        "plugins:\n  schedules:\n    declared:\n      s:\n        user: ada\n        prompt: x\n"
        "        every: {weeks: 2, at: '10:00', weekdays: [MON]}\n"
        "        starts_at: 2026-03-02T00:00:00Z\n"
    )
    arguments = ("--from", "2026-03-01T00:00:00Z", "--to", "2026-03-20T00:00:00Z")
    code, out, error = await run_biont("schedule", "simulate", *arguments, config=config)
    assert (code, error) == (0, "")
    assert "2026-03-02T10:00:00Z" in out
    assert "2026-03-16T10:00:00Z" in out
    assert "2026-03-09" not in out
