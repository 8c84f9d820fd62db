"""Pages of schedules: the list, the forms with their preview, runs, comparison and calendar."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from dashboard.conftest import Visit
from pydantic import JsonValue
from support.visitor import Visitor

from biont import Scope
from biont.testing import ApiClient, ManualClock, ModelServer, respond, rows_of, say


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    """Settings with the scripted model."""
    return scripted.sections


async def create(client: ApiClient, **fields: JsonValue) -> int:
    """Create a schedule and return its id."""
    given = {"name": "Brief", "cron": "0 9 * * 1-5", "prompt": "What is new?", **fields}
    return int(str((await client.post("/schedule", given))["id"]))


async def run_once(client: ApiClient, schedule_id: int) -> int:
    """Run a schedule and return the id of the ended run."""
    run = await client.post(f"/schedule/{schedule_id}/run-now")
    path = f"/schedule/{schedule_id}/runs/{run['id']}"
    await client.get_until(path, lambda found: found["ended_at"])
    return int(str(run["id"]))


async def test_list_shows_timing_in_words_and_the_last_outcomes(
    visitor: Visitor, client: ApiClient
) -> None:
    empty = await visitor.open("/dashboard/schedules")
    assert "No schedules yet" in empty.text
    schedule_id = await create(client, name="<b>Brief</b>")
    await run_once(client, schedule_id)
    screen = await visitor.open("/dashboard/schedules")
    assert "At 09:00, Monday to Friday" in screen.text
    assert "&lt;b&gt;Brief&lt;/b&gt;" in screen.text
    assert "Last runs: 1 succeeded" in screen.text


async def test_run_now_pause_and_resume_by_buttons(visitor: Visitor, client: ApiClient) -> None:
    schedule_id = await create(client)
    path = f"/dashboard/schedules/{schedule_id}"
    paused = await visitor.press(await visitor.open(path), "Pause")
    assert (await client.get(f"/schedule/{schedule_id}"))["state"] == "paused"
    resumed = await visitor.press(paused, "Resume")
    assert (await client.get(f"/schedule/{schedule_id}"))["state"] == "active"
    await visitor.press(resumed, "Run now")
    assert len(rows_of(await client.get(f"/schedule/{schedule_id}/runs"))) == 1


async def test_preview_keeps_the_fields_and_makes_nothing(
    visitor: Visitor, client: ApiClient
) -> None:
    screen = await visitor.open("/dashboard/schedules/new?kind=every")
    form = screen.find_form("Create schedule")
    fields = form.fields | {
        "body.name:optional": "Tea",
        "body.every": "90m",
        "body.prompt": "Tea?",
        "body.overlap": "skip",
        "body.catch_up": "latest",
    }
    shown = await visitor.send("/dashboard/schedules/new?kind=every", fields)
    assert (shown.status, "Every 90 minutes" in shown.text) == (200, True)
    assert 'value="Tea"' in shown.text
    assert (await client.get("/schedule"))["data"] == []
    wrong = fields | {"body.every": "soon"}
    shown = await visitor.send("/dashboard/schedules/new?kind=every", wrong)
    assert "Not a timing yet" in shown.text
    assert 'value="soon"' in shown.text
    refused = await visitor.send("/dashboard/schedules/new?kind=every", fields | {"csrf": "0"})
    assert refused.status == 403
    made = await visitor.send("/dashboard/act", fields)
    assert (made.status, "Every 90 minutes" in made.text) == (200, True)


@pytest.mark.parametrize("kind", ["cron", "every", "calendar", "at", "nonsense"])
async def test_each_kind_of_timing_has_a_form(visitor: Visitor, kind: str) -> None:
    screen = await visitor.open(f"/dashboard/schedules/new?kind={kind}")
    assert screen.status == 200
    assert "Not a timing yet" not in screen.text


async def test_edit_shows_and_changes_the_present_values(
    visitor: Visitor, client: ApiClient
) -> None:
    interval: dict[str, JsonValue] = {"months": 1, "at": "18:00", "day": "last"}
    schedule_id = await create(client, cron=None, every=interval, max_runs=5)
    path = f"/dashboard/schedules/{schedule_id}/edit"
    screen = await visitor.open(path)
    assert "on the last day of the month" in screen.text
    changes = {
        "body.prompt": "And now?",
        "body.every:json": '{"months": 2, "at": "18:00", "day": "last"}',
        "body.max_runs:int:null": "",
        "body.overlap": "queue",
        "body.catch_up": "none",
    }
    form = screen.find_form("Save")
    previewed = await visitor.send(path, form.fields | changes)
    assert "Every 2 months" in previewed.text
    saved = await visitor.send("/dashboard/act", form.fields | changes)
    assert saved.path == f"/dashboard/schedules/{schedule_id}"
    schedule = await client.get(f"/schedule/{schedule_id}")
    assert (schedule["max_runs"], schedule["overlap"]) == (None, "queue")
    assert isinstance(schedule["parameters"], dict)
    assert schedule["parameters"]["prompt"] == "And now?"


async def test_runs_are_filtered_shown_and_compared(
    visitor: Visitor, client: ApiClient, clock: ManualClock, scripted: ModelServer
) -> None:
    scripted.script = [say("**First** <i>answer</i>"), say("Second answer")]
    schedule_id = await create(client)
    first = await run_once(client, schedule_id)
    clock.advance(minutes=1)
    second = await run_once(client, schedule_id)
    path = f"/dashboard/schedules/{schedule_id}"
    assert "Note 2" in (await visitor.open(path)).text
    assert "Note 2" not in (await visitor.open(f"{path}?status=failed&since=&until=")).text
    wrong = await visitor.open(f"{path}?since=soon&status=failed")
    assert (wrong.status, "These filters do not work." in wrong.text) == (422, True)
    assert 'value="failed" selected' in wrong.text
    run = await visitor.open(f"{path}/runs/{first}")
    assert "<strong>First</strong> &lt;i&gt;answer&lt;/i&gt;" in run.text
    assert "What is new?" in run.text
    both = await visitor.open(f"{path}/compare?a={first}&b={second}")
    assert "<strong>First</strong>" in both.text
    assert "Second answer" in both.text
    assert (await visitor.open(f"{path}/compare?a={first}&b=99")).status == 404


async def test_failed_run_says_why_and_is_tried_again(
    visitor: Visitor, client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [respond(500, b"{}")]
    schedule_id = await create(client)
    run_id = await run_once(client, schedule_id)
    path = f"/dashboard/schedules/{schedule_id}/runs/{run_id}"
    screen = await visitor.open(path)
    assert "Failed." in screen.text
    again = await visitor.press(screen, "Retry")
    assert (again.path, "The run is tried again." in again.text) == (path, True)
    run = await client.get_until(
        path.removeprefix("/dashboard").replace("schedules", "schedule"),
        lambda found: found["status"] == "succeeded",
    )
    assert run["trigger"] == "retry"


async def test_calendar_shows_past_and_coming_in_the_zone_of_the_user(
    visitor: Visitor, client: ApiClient, clock: ManualClock
) -> None:
    await client.ask("PATCH", "/me", {"time_zone": "Europe/Berlin"})
    schedule_id = await create(client, cron="30 23 * * *", time_zone="UTC")
    await run_once(client, schedule_id)
    for view in ("month", "week"):
        screen = await visitor.open(f"/dashboard/schedules/calendar?view={view}")
        assert screen.status == 200
        assert f"/dashboard/schedules/{schedule_id}/runs/1" in screen.text
        due_at = clock.now().replace(hour=23, minute=30).astimezone(ZoneInfo("Europe/Berlin"))
        assert f"{due_at:%H:%M}" in screen.text


async def test_calendar_marks_days_on_which_the_clock_changes(
    visitor: Visitor, client: ApiClient
) -> None:
    await client.ask("PATCH", "/me", {"time_zone": "Europe/Berlin"})
    march = await visitor.open("/dashboard/schedules/calendar?date=2027-03-15")
    assert march.text.count("clock +1 h") == 1
    october = await visitor.open("/dashboard/schedules/calendar?view=week&date=2027-10-31")
    assert october.text.count("clock -1 h") == 1
    assert (await visitor.open("/dashboard/schedules/calendar?date=never")).status == 422


async def test_busy_schedule_leaves_room_for_others_in_the_calendar(
    visitor: Visitor, client: ApiClient, clock: ManualClock
) -> None:
    await create(client, name="Busy", cron=None, every="1s")
    later = (clock.now() + timedelta(days=2)).astimezone(UTC)
    await create(client, name="Rare", cron=None, at=later.isoformat())
    screen = await visitor.open(f"/dashboard/schedules/calendar?date={later:%Y-%m-%d}")
    assert "Rare" in screen.text
    assert "Of Busy, the next 100 occurrences are shown." in screen.text


async def test_other_user_sees_nothing_of_a_schedule(visit: Visit, client: ApiClient) -> None:
    schedule_id = await create(client, name="Secret")
    run_id = await run_once(client, schedule_id)
    bob = await visit("bob")
    path = f"/dashboard/schedules/{schedule_id}"
    for page in ("", "/edit", f"/runs/{run_id}", f"/compare?a={run_id}&b={run_id}"):
        assert (await bob.open(path + page)).status == 404, page
    for page in ("", "/calendar"):
        assert "Secret" not in (await bob.open(f"/dashboard/schedules{page}")).text


async def test_read_only_session_sees_all_and_changes_nothing(
    visit: Visit, client: ApiClient
) -> None:
    schedule_id = await create(client)
    run_id = await run_once(client, schedule_id)
    reader = await visit("ada", Scope.READ)
    path = f"/dashboard/schedules/{schedule_id}"
    for page in ("", "/edit", f"/runs/{run_id}", f"/compare?a={run_id}&b={run_id}"):
        screen = await reader.open(path + page)
        assert screen.status == 200, page
        assert not [form for form in screen.forms if form.action == "/dashboard/act"]


async def test_change_is_simulated_before_it_is_saved(visitor: Visitor, client: ApiClient) -> None:
    schedule_id = await create(client, name="Brief <b>", cron="0 * * * *", time_zone="UTC")
    path = f"/dashboard/schedules/{schedule_id}/edit"
    screen = await visitor.open(path)
    assert "Simulation until" not in screen.text
    changes = {"body.cron": "*/30 * * * *", "body.timeout:float:null": "3000"}
    conditions = {"simulation.duration": "2400", "simulation.days": "1"}
    fields = screen.find_form("Save").fields | changes | conditions
    address = f"{path}?kind=cron&simulate=true"
    shown = await visitor.send(address, fields)
    assert "Simulation until" in shown.text
    # As it is, each run exceeds its time limit; with the change, every second one is skipped.
    assert "25 failed" in shown.text
    assert "25 succeeded, 24 skipped overlap" in shown.text
    assert shown.find_form("Save").fields["body.cron"] == "*/30 * * * *"
    assert (await client.get(f"/schedule/{schedule_id}"))["cron"] == "0 * * * *"
    problems = ("body.cron", "never"), ("simulation.days", "99"), ("body.max_runs:int:null", "x")
    for wrong in ({name: text} for name, text in problems):
        refused = await visitor.send(address, fields | wrong)
        assert (refused.status, "Not a change yet" in refused.text) == (200, True), wrong
    saved = await visitor.send("/dashboard/act", fields)
    assert "Saved." in saved.text
    assert (await client.get(f"/schedule/{schedule_id}"))["cron"] == "*/30 * * * *"
