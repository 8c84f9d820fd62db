"""Simulation of a change of a schedule by the API."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont import Scope
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of

PATH = "/schedule/1/simulate"
Body = dict[str, JsonValue]


@pytest.fixture(autouse=True)
async def schedule(client: ApiClient) -> Body:
    """The schedule of the tests, at the full hour; the tests begin at 12:00."""
    made: Body = {"name": "A", "cron": "0 * * * *", "prompt": "x", "timeout": 7200}
    return await client.post("/schedule", made)


def part(answer: Body, name: str) -> Body:
    """Return a part of an answer."""
    found = answer[name]
    assert isinstance(found, dict)
    return found


async def test_change_is_simulated_beside_the_present_and_nothing_is_stored(
    client: ApiClient, schedule: Body
) -> None:
    answer = await client.post(f"{PATH}?days=1&limit=3", {"cron": "*/30 * * * *"})
    present, changed = part(answer, "present"), part(answer, "changed")
    assert present["counts"] == {"succeeded": 25}
    assert changed["counts"] == {"succeeded": 49}
    assert str(changed["words"]).startswith("Every 30 minutes")
    due = [str(each["scheduled_for"])[11:16] for each in rows_of({"data": changed["occurrences"]})]
    assert due == ["12:00", "12:30", "13:00"]
    assert await client.get("/schedule/1") == schedule
    assert rows_of(await client.get("/schedule/1/runs")) == []


async def test_run_policy_decides_about_overlap_and_downtime(client: ApiClient) -> None:
    down = "&down_from=2026-03-02T13:30:00Z&down_until=2026-03-02T16:30:00Z"
    answer = await client.post(
        f"{PATH}?days=1&duration=5400{down}",
        {"overlap": "allow", "catch_up": "all", "catch_up_window": "6h"},
    )
    present, changed = part(answer, "present"), part(answer, "changed")
    assert answer["duration"] == 5400
    counts = part(present, "counts")
    assert (counts["missed"], "skipped_overlap" in counts) == (2, True)
    assert part(changed, "counts") == {"succeeded": 25}
    skipped = next(
        each
        for each in rows_of({"data": present["occurrences"]})
        if each["status"] == "skipped_overlap"
    )
    assert "still going on" in str(skipped["reason"])


async def test_body_is_judged_as_that_of_the_change(client: ApiClient) -> None:
    wrong: list[Body] = [{"cron": "never"}, {"every": 0}, {"max_runs": 0}]
    wrong.append({"at": "2001-01-01T00:00:00Z"})
    for body in wrong:
        simulated = await client.ask("POST", PATH, body)
        changed = await client.ask("PATCH", "/schedule/1", body)
        assert simulated[0] == changed[0] == 422
        assert simulated[1]["errors"] == changed[1]["errors"]
    for query in ("days=0", "days=99", "duration=-1", "down_from=2026-03-02T13:30:00Z", "limit=0"):
        assert (await client.ask("POST", f"{PATH}?{query}", {}))[0] == 422, query


async def test_simulation_of_very_many_occurrences_ends_early(client: ApiClient) -> None:
    answer = await client.post(PATH, {"cron": "* * * * * *", "seconds": True})
    assert part(part(answer, "changed"), "counts") == {"succeeded": 500}
    assert part(part(answer, "present"), "counts") == {"succeeded": 1}
    assert str(answer["until"]).startswith("2026-03-02T12:08:19")


async def test_paused_schedule_is_simulated_as_if_resumed(
    client: ApiClient, clock: ManualClock
) -> None:
    await client.post("/schedule/1/pause")
    answer = await client.post(PATH)
    assert part(answer, "present") == part(answer, "changed")
    assert part(part(answer, "present"), "counts") == {"succeeded": 169}
    assert str(answer["start"])[:19] == f"{clock.now():%Y-%m-%dT%H:%M:%S}"


async def test_others_simulate_nothing(client: ApiClient, open_client: MakeClient) -> None:
    assert (await (await open_client("eve")).ask("POST", PATH, {}))[0] == 404
    assert (await (await open_client("ada", Scope.READ)).ask("POST", PATH, {}))[0] == 403
    assert (await client.ask("POST", "/schedule/9/simulate", {}))[0] == 404
