"""Reminders: triggered when due, snoozed, done, changed and deleted."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont import Workbench
from biont.testing import ApiClient, MakeClient, ManualClock, payload_of, rows_of

NOON = "2026-03-02T12:00:00Z"
ONE: dict[str, JsonValue] = {"text": "Water the plants", "at": "2026-03-02T13:00:00Z"}
DAILY: dict[str, JsonValue] = {"text": "Stand up", "cron": "0 13 * * *"}


async def wait_for_events(client: ApiClient, count: int) -> list[dict[str, JsonValue]]:
    """Wait for `count` events and return their payloads, the oldest first."""
    path = "/events?event_type=reminder_triggered"
    page = await client.get_until(path, lambda page: len(rows_of(page)) >= count)
    return [payload_of(row) for row in reversed(rows_of(page))]


def pass_time(workbench: Workbench, clock: ManualClock, **by: float) -> None:
    clock.advance(**by)
    workbench.scheduler.wake()


async def test_a_reminder_is_triggered_once_and_marked_as_done(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    made = await client.post("/reminders", ONE)
    assert (made["state"], made["next_at"]) == ("waiting", "2026-03-02T13:00:00Z")
    pass_time(workbench, clock, hours=1)
    (payload,) = await wait_for_events(client, 1)
    assert payload["reminder_id"] == made["id"]
    assert (payload["text"], payload["scheduled_for"]) == (
        "Water the plants",
        "2026-03-02T13:00:00+00:00",
    )
    path = f"/reminders/{made['id']}"
    assert (await client.get(path))["state"] == "triggered"
    done = await client.post(f"{path}/done")
    assert (done["state"], done["next_at"]) == ("done", None)
    assert await client.get(path) == done


async def test_a_recurring_reminder_waits_for_its_next_occurrence(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    made = await client.post("/reminders", DAILY)
    path = f"/reminders/{made['id']}"
    assert (await client.ask("POST", f"{path}/done"))[0] == 409
    pass_time(workbench, clock, hours=1)
    await wait_for_events(client, 1)
    done = await client.post(f"{path}/done")
    assert (done["state"], done["next_at"]) == ("waiting", "2026-03-03T13:00:00Z")


async def test_a_reminder_whose_schedule_is_paused_is_not_done(client: ApiClient) -> None:
    made = await client.post("/reminders", DAILY)
    await client.ask("POST", f"/schedule/{made['schedule_id']}/pause")
    paused = await client.get(f"/reminders/{made['id']}")
    assert (paused["state"], paused["next_at"]) == ("waiting", None)


async def test_a_snoozed_reminder_is_triggered_again(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    path = f"/reminders/{(await client.post('/reminders', ONE))['id']}"
    pass_time(workbench, clock, hours=1)
    await wait_for_events(client, 1)
    assert (await client.post(f"{path}/snooze"))["next_at"] == "2026-03-02T13:10:00Z"
    later = await client.post(f"{path}/snooze", {"after": "1h"})
    assert (later["state"], later["next_at"]) == ("snoozed", "2026-03-02T14:00:00Z")
    await client.ask("PATCH", path, {"text": "Water them now"})
    pass_time(workbench, clock, hours=1)
    first, second = await wait_for_events(client, 2)
    assert first["reminder_id"] == second["reminder_id"]
    assert second["text"] == "Water them now"
    assert (await client.get(path))["state"] == "triggered"
    await client.post(f"{path}/snooze", {"until": "2026-03-03T00:00:00Z"})
    assert (await client.post(f"{path}/done"))["state"] == "done"


async def test_a_reminder_is_rescheduled_and_deleted(client: ApiClient) -> None:
    path = f"/reminders/{(await client.post('/reminders', ONE))['id']}"
    _, moved = await client.ask("PATCH", path, {"cron": "0 9 * * *", "time_zone": "Asia/Tokyo"})
    assert (moved["kind"], moved["next_at"]) == ("cron", "2026-03-03T00:00:00Z")
    schedule = f"/schedule/{moved['schedule_id']}"
    assert (await client.get(schedule))["origin"] == "reminder"
    assert (await client.ask("DELETE", schedule))[0] == 409
    assert (await client.ask("DELETE", path))[0] == 204
    assert (await client.ask("GET", path))[0] == 404
    assert (await client.ask("GET", schedule))[0] == 404


async def test_reminders_are_listed_and_private(open_client: MakeClient) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    for body in (ONE, DAILY, DAILY):
        made = await client.post("/reminders", body)
    page = await client.get("/reminders?limit=2")
    assert rows_of(page)[0] == made
    assert len(rows_of(await client.get(f"/reminders?cursor={page['next']}"))) == 1
    path = f"/reminders/{made['id']}"
    for method, below in (("GET", ""), ("DELETE", ""), ("POST", "/done"), ("POST", "/snooze")):
        assert (await other.ask(method, path + below))[0] == 404
    assert (await other.ask("PATCH", path, {"text": "x"}))[0] == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "x"}, "#/cron"),
        ({"at": NOON}, "#/text"),
        ({"text": "", "at": NOON}, "#/text"),
        ({"text": "x", "at": "2020-01-01T00:00:00Z"}, "#/at"),
        ({"text": "x", "cron": "0 9 31 2 *"}, "#/cron"),
        ({"text": "x", "at": NOON, "time_zone": "Mars"}, "#/time_zone"),
    ],
)
async def test_a_wrong_reminder_is_refused_with_a_pointer_to_the_error(
    client: ApiClient, body: dict[str, JsonValue], pointer: str
) -> None:
    status, problem = await client.ask("POST", "/reminders", body)
    assert status == 422
    assert f"'{pointer}'" in str(problem["errors"])


@pytest.mark.parametrize(
    "body", [{"until": "2020-01-01T00:00:00Z"}, {"after": "soon"}, {"after": 1, "until": NOON}]
)
async def test_a_wrong_snooze_is_refused(client: ApiClient, body: dict[str, JsonValue]) -> None:
    made = await client.post("/reminders", ONE)
    assert (await client.ask("POST", f"/reminders/{made['id']}/snooze", body))[0] == 422
    assert await client.get(f"/reminders/{made['id']}") == made


async def test_a_schedule_with_the_job_reminder_emits_the_event(
    workbench: Workbench, client: ApiClient, clock: ManualClock
) -> None:
    await client.post(
        "/schedule", {"every": "1h", "job": "reminder", "parameters": {"text": "Drink"}}
    )
    pass_time(workbench, clock, hours=1)
    (payload,) = await wait_for_events(client, 1)
    assert (payload["reminder_id"], payload["text"]) == (None, "Drink")
