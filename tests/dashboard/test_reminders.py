"""Pages of reminders: the list with its buttons, and the form of a new one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Scope, Workbench
from biont.testing import ApiClient, ManualClock, rows_of


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("at", {"body.at:instant": "2026-12-24T18:00"}, "Once, on 2026-12-24 at 18:00"),
        ("every", {"body.every": "90m"}, "Every 90 minutes"),
        ("cron", {"body.cron": "0 16 * * 1-5"}, "At 16:00, Monday to Friday"),
    ],
)
async def test_reminder_of_each_kind_is_made_and_deleted(
    visitor: Visitor, client: ApiClient, kind: str, fields: dict[str, str], words: str
) -> None:
    assert "No reminders yet" in (await visitor.open("/dashboard/reminders")).text
    form = await visitor.open(f"/dashboard/reminders/new?kind={kind}")
    made = await visitor.press(
        form, "Create reminder", **{"body.text": "Tea <b>now</b>", **fields}
    )
    assert made.path == "/dashboard/reminders"
    assert "Tea &lt;b&gt;now&lt;/b&gt;" in made.text
    assert words in made.text
    await visitor.press(made, "Delete")
    assert rows_of(await client.get("/reminders")) == []


async def test_triggered_reminder_is_snoozed_and_done(
    visitor: Visitor, client: ApiClient, clock: ManualClock, workbench: Workbench
) -> None:
    at = clock.now() + timedelta(hours=1)
    await client.post("/reminders", {"text": "Tea", "at": at.isoformat()})
    clock.advance(hours=1)
    workbench.scheduler.wake()
    await client.get_until("/reminders/1", lambda found: found["state"] == "triggered")
    screen = await visitor.open("/dashboard/reminders")
    snoozed = await visitor.press(screen, "Snooze", **{"body.after": "1h"})
    assert (await client.get("/reminders/1"))["state"] == "snoozed"
    await visitor.press(snoozed, "Done")
    assert (await client.get("/reminders/1"))["state"] == "done"


async def test_other_user_and_reader(visit: Visit, client: ApiClient) -> None:
    await client.post("/reminders", {"text": "Secret", "cron": "0 9 * * *"})
    bob = await visit("bob")
    assert "Secret" not in (await bob.open("/dashboard/reminders")).text
    reader = await visit("ada", Scope.READ)
    screen = await reader.open("/dashboard/reminders")
    assert "Secret" in screen.text
    assert not [form for form in screen.forms if form.action == "/dashboard/act"]
