"""The home page: what needs a person, what is at work, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

import pytest
from support.operations import PLUGIN
from support.visitor import Visitor

from biont.testing import ApiClient, rows_of


@pytest.fixture
def plugins() -> Mapping[str, ModuleType]:
    """A plugin whose jobs wait or fail, and whose handler refuses an event."""
    module = ModuleType("situations")
    exec(PLUGIN, module.__dict__)  # noqa: S102  # a plugin of our own tests
    return {"situations": module}


async def test_quiet_workbench_needs_nobody_and_offers_first_steps(visitor: Visitor) -> None:
    home = await visitor.open("/dashboard")
    assert "All is well." in home.text
    assert "First steps" in home.text
    assert "Look at" not in home.text


async def test_failed_run_and_dead_letter_are_named(visitor: Visitor, client: ApiClient) -> None:
    made = await client.post(
        "/schedule", {"name": "Broken job", "cron": "0 9 * * *", "job": "fail", "parameters": {}}
    )
    await client.post(f"/schedule/{made['id']}/run-now", None)
    await client.get_until(
        f"/schedule/{made['id']}/runs",
        lambda page: any(run["status"] == "failed" for run in rows_of(page)),
    )
    await client.post("/events", {"event_type": "custom_failure", "payload": {}})
    await client.get_until("/dead-letters", rows_of)
    home = await visitor.open("/dashboard")
    assert "All is well." not in home.text
    assert "Broken job: 1 of the last runs failed" in home.text
    assert "1 dead letter" in home.text
    assert f'href="/dashboard/schedules/{made["id"]}/runs/1"' in home.text


async def test_run_at_work_is_counted(visitor: Visitor, client: ApiClient) -> None:
    made = await client.post(
        "/schedule", {"name": "Long job", "cron": "0 9 * * *", "job": "wait", "parameters": {}}
    )
    await client.post(f"/schedule/{made['id']}/run-now", None)
    await client.get_until(
        f"/schedule/{made['id']}/runs",
        lambda page: any(run["status"] == "running" for run in rows_of(page)),
    )
    home = await visitor.open("/dashboard")
    at_work = home.text.partition("<span>At work</span>")[2].partition("</b>")[0]
    assert at_work.endswith(">1")


async def test_next_occurrence_is_shown(visitor: Visitor, client: ApiClient) -> None:
    await client.post("/schedule", {"name": "Soon", "every": 3600, "prompt": "Hello"})
    await client.post("/schedule", {"name": "Sooner", "every": 600, "prompt": "Hello"})
    home = await visitor.open("/dashboard")
    following = home.text.partition("<span>Next run</span>")[2].partition("</a>")[0]
    assert "Sooner" in following
