"""Upcoming occurrences and previews show when runs will be due, with jitter."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont import Workbench
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of

Body = dict[str, JsonValue]
DAILY: Body = {"cron": "0 9 * * *", "prompt": "x"}


def list_due(page: Body) -> list[tuple[JsonValue, str]]:
    return [(row["name"], str(row["due_at"])[11:16]) for row in rows_of(page)]


async def test_the_next_occurrences_of_all_schedules_are_listed(
    open_client: MakeClient,
) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    await client.post("/schedule", {"prompt": "x", "name": "hourly", "cron": "0 * * * *"})
    await client.post("/schedule", {"prompt": "x", "name": "once", "at": "2026-03-02T13:30:00Z"})
    paused = await client.post("/schedule", DAILY)
    await client.post(f"/schedule/{paused['id']}/pause")
    await other.post("/schedule", DAILY)
    page = await client.get("/schedule/upcoming?limit=4")
    assert list_due(page) == [
        ("hourly", "13:00"),
        ("once", "13:30"),
        ("hourly", "14:00"),
        ("hourly", "15:00"),
    ]


async def test_upcoming_occurrences_with_jitter_are_those_that_become_runs(
    client: ApiClient, workbench: Workbench, clock: ManualClock
) -> None:
    made = await client.post(
        "/schedule", {"every": 60, "jitter": 50, "job": "reminder", "parameters": {"text": "x"}}
    )
    path = f"/schedule/{made['id']}"
    announced = rows_of(await client.get("/schedule/upcoming?limit=5"))
    assert announced[0]["due_at"] == made["next_fire_at"]
    previewed = await client.ask(
        "POST",
        "/schedule/preview",
        {"every": 60, "schedule_id": made["id"], "start": made["created_at"], "count": 5},
    )
    instants = previewed[1]["instants"]
    assert isinstance(instants, list)
    for row, item in zip(announced, instants, strict=True):
        assert isinstance(item, dict)
        assert (item["due_at"], item["instant"]) == (row["due_at"], row["scheduled_for"])
        assert item["latest_at"] == item["due_at"]
    for count in range(1, 6):
        clock.advance(seconds=60 if count > 1 else 111)
        workbench.scheduler.wake()
        runs = await client.get_until(
            f"{path}/runs",
            lambda page, count=count: (
                sum(  # type: ignore[misc]
                    row["status"] == "succeeded" for row in rows_of(page)
                )
                >= count
            ),
        )
    made_runs = [(row["scheduled_for"], row["due_at"]) for row in reversed(rows_of(runs))]
    # The next run may be made before the list is read.
    assert made_runs[:5] == [(row["scheduled_for"], row["due_at"]) for row in announced]


async def test_the_preview_of_a_new_schedule_with_jitter_shows_the_latest_instant(
    client: ApiClient,
) -> None:
    _, shown = await client.ask("POST", "/schedule/preview", DAILY_TIMING | {"jitter": "5m"})
    items = shown["instants"]
    assert isinstance(items, list)
    assert isinstance(items[0], dict)
    assert items[0]["instant"] == "2026-03-03T09:00:00Z"
    assert (items[0]["due_at"], items[0]["latest_at"]) == (None, "2026-03-03T09:05:00Z")


DAILY_TIMING: Body = {"cron": "0 9 * * *"}


async def test_upcoming_occurrences_are_chosen_by_window_and_schedule(
    open_client: MakeClient,
) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    for name in ("one", "two"):
        body: Body = {"prompt": "x", "name": name, "cron": "0 * * * *"}
        made = await client.post("/schedule", body)
    window = "from=2026-03-03T00:00:00Z&until=2026-03-03T01:00:00Z"
    page = await client.get(f"/schedule/upcoming?{window}")
    both = [("one", "00:00"), ("two", "00:00"), ("one", "01:00"), ("two", "01:00")]
    assert (list_due(page), page["next"]) == (both, None)
    page = await client.get(f"/schedule/upcoming?{window}&schedule_id={made['id']}")
    assert list_due(page) == [("two", "00:00"), ("two", "01:00")]
    path = f"/schedule/upcoming?schedule_id={made['id']}"
    assert (await other.ask("GET", path))[0] == 404
    assert (await client.ask("GET", "/schedule/upcoming?from=tomorrow"))[0] == 422
    await client.post(f"/schedule/{made['id']}/pause")
    assert rows_of(await client.get(path)) == []


async def test_pages_of_upcoming_occurrences_follow_each_other_without_a_gap(
    client: ApiClient,
) -> None:
    for name in ("one", "two", "three"):
        await client.post("/schedule", {"prompt": "x", "name": name, "cron": "0 * * * *"})
    until = "until=2026-03-02T16:00:00Z"
    whole = rows_of(await client.get(f"/schedule/upcoming?{until}"))
    found: list[Body] = []
    cursor = ""
    while True:
        page = await client.get(f"/schedule/upcoming?{until}&limit=2{cursor}")
        found += rows_of(page)
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert (len(found), found) == (12, whole)


async def test_a_page_that_is_asked_for_late_leaves_nothing_out(
    client: ApiClient, clock: ManualClock
) -> None:
    await client.post("/schedule", {"prompt": "x", "cron": "0 * * * *"})
    page = await client.get("/schedule/upcoming?limit=1")
    clock.advance(hours=1, minutes=30)
    late = await client.get(f"/schedule/upcoming?limit=2&cursor={page['next']}")
    now = await client.get("/schedule/upcoming?limit=2")
    assert rows_of(late) == rows_of(now)


@pytest.mark.parametrize(
    ("window", "count"), [("from=2026-03-02T13:00:00Z", 3), ("from=2026-03-02T14:30:00Z", 1)]
)
async def test_runs_before_a_window_count_towards_the_limit_of_runs(
    client: ApiClient, window: str, count: int
) -> None:
    await client.post("/schedule", {"prompt": "x", "cron": "0 * * * *", "max_runs": 3})
    assert len(rows_of(await client.get(f"/schedule/upcoming?{window}"))) == count


async def test_why_tells_an_instant_in_utc_and_in_the_zone_of_the_schedule(
    client: ApiClient,
) -> None:
    made = await client.post("/schedule", DAILY | {"time_zone": "Asia/Tokyo"})
    path = f"/schedule/{made['id']}/why"
    for asked in ("2026-03-03T10:30:00%2B01:00", "2026-03-03T09:30:00Z"):
        told = str((await client.get(f"{path}?at={asked}"))["sentences"])
        instant = "2026-03-03T09:30:00Z (2026-03-03T18:30:00+09:00 in Asia/Tokyo)"
        assert f"not due at {instant}" in told
        assert "due at 2026-03-04T00:00:00Z (2026-03-04T09:00:00+09:00 in Asia/Tokyo)" in told
    told = str((await client.get(f"{path}?at=2026-03-03T01:00:00%2B01:00"))["sentences"])
    assert "2026-03-03T00:00:00Z (2026-03-03T09:00:00+09:00 in Asia/Tokyo) is still" in told
