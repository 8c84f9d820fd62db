"""Retries of failed runs."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import JsonValue

from biont import Workbench
from biont.testing import ApiClient, ManualClock


async def test_a_failed_run_waits_for_the_instant_of_the_retry(
    client: ApiClient, clock: ManualClock, workbench: Workbench
) -> None:
    body: JsonValue = {
        "cron": "0 9 * * *",
        "prompt": "Hi.",
        "retry": [600],
        "parameters": {"backend": "no"},
    }
    made = await client.post("/schedule", body)
    path = f"/schedule/{made['id']}"
    _, run = await client.ask("POST", f"{path}/run-now")
    run_path = f"{path}/runs/{run['id']}"
    waiting = await client.get_until(run_path, lambda found: found["error"] is not None)
    assert (waiting["status"], waiting["attempts"]) == ("queued", 1)
    until = datetime.fromisoformat(str(waiting["waits_until"]))
    assert until == clock.now() + timedelta(seconds=600)
    clock.advance(seconds=600)
    workbench.scheduler.wake()
    failed = await client.get_until(run_path, lambda found: found["status"] == "failed")
    assert (failed["attempts"], failed["waits_until"]) == (2, None)
