"""Operations on schedules: change, preview, list, run, explain."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue
from support.process import run_biont

from biont import Workbench
from biont.scheduling import Scheduler
from biont.testing import ApiClient, MakeClient, ManualClock, rows_of

DAILY: dict[str, JsonValue] = {"cron": "0 9 * * *", "prompt": "Good morning"}


@pytest.mark.parametrize(
    ("body", "due"),
    [
        ({"every": "90m"}, "2026-03-02T13:30:00Z"),
        ({"every": 3600, "starts_at": "2026-03-05T00:30:00Z"}, "2026-03-05T00:30:00Z"),
        ({"at": "2026-03-02T20:00:00+05:00"}, "2026-03-02T15:00:00Z"),
        ({"cron": "30 0 9 * * *", "seconds": True}, "2026-03-03T09:00:30Z"),
    ],
)
async def test_a_schedule_is_due_by_expression_interval_or_instant(
    client: ApiClient, body: dict[str, JsonValue], due: str
) -> None:
    made = await client.post("/schedule", {"prompt": "x", **body})
    assert made["next_fire_at"] == due
    assert await client.get(f"/schedule/{made['id']}") == made


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/cron"),
        ({"cron": "* * * * *", "every": 60}, "#/every"),
        ({"every": 0}, "#/every"),
        ({"every": "soon"}, "#/every"),
        ({"at": "2020-01-01T00:00:00Z"}, "#/at"),
        ({"at": "2026-05-01T00:00:00"}, "#/at"),
        ({"cron": "0 9 * * *", "ends_at": "2026-01-01T00:00:00Z"}, "#/ends_at"),
        (
            {
                "every": 60,
                "starts_at": "2026-05-01T00:00:00Z",
                "ends_at": "2026-04-01T00:00:00Z",
            },
            "#/ends_at",
        ),
        ({"cron": "0 9 * * *", "overlap": "maybe"}, "#/overlap"),
        ({"cron": "0 9 * * *", "retry": [-1]}, "#/retry/0"),
        ({"cron": "0 9 * * *", "max_runs": 0}, "#/max_runs"),
    ],
)
async def test_a_timing_that_is_never_due_or_not_valid_is_refused_with_a_pointer(
    client: ApiClient, body: dict[str, JsonValue], pointer: str
) -> None:
    status, problem = await client.ask("POST", "/schedule", {"prompt": "x", **body})
    assert status == 422, problem
    assert f"'{pointer}'" in str(problem["errors"])


async def test_only_a_change_of_the_timing_moves_the_next_occurrence(
    client: ApiClient, clock: ManualClock
) -> None:
    made = await client.post("/schedule", {"prompt": "x", "every": "24h"})
    path = f"/schedule/{made['id']}"
    clock.advance(hours=5)
    status, renamed = await client.ask("PATCH", path, {"name": "Greeting", "retry": [1, 2]})
    assert (status, renamed["name"], renamed["retry"]) == (200, "Greeting", [1.0, 2.0])
    assert renamed["next_fire_at"] == made["next_fire_at"]
    _, moved = await client.ask("PATCH", path, {"cron": "0 18 * * *", "time_zone": "Asia/Tokyo"})
    assert (moved["kind"], moved["next_fire_at"]) == ("cron", "2026-03-03T09:00:00Z")
    assert moved["retry"] == [1.0, 2.0]
    _, asked = await client.ask("PATCH", path, {"prompt": "Good night"})
    assert asked["parameters"] == {**dict(made["parameters"]), "prompt": "Good night"}  # type: ignore[arg-type]
    assert (await client.ask("PATCH", path, {"cron": "99 * * * *"}))[0] == 422
    assert await client.get(path) == asked


async def test_a_preview_shows_gaps_and_overlaps(client: ApiClient) -> None:
    body: dict[str, JsonValue] = {
        "cron": "30 2 * * *",
        "time_zone": "Europe/Berlin",
        "start": "2026-03-28T00:00:00Z",
        "count": 2,
    }
    _, spring = await client.ask("POST", "/schedule/preview", body)
    assert spring["words"] == "At 02:30 every day"
    assert spring["instants"] == [
        {
            "instant": "2026-03-28T01:30:00Z",
            "due_at": "2026-03-28T01:30:00Z",
            "latest_at": "2026-03-28T01:30:00Z",
            "local_time": "2026-03-28T02:30:00+01:00",
            "wall_time": "ordinary",
        },
        {
            "instant": "2026-03-29T01:00:00Z",
            "due_at": "2026-03-29T01:00:00Z",
            "latest_at": "2026-03-29T01:00:00Z",
            "local_time": "2026-03-29T03:00:00+02:00",
            "wall_time": "gap",
        },
    ]
    _, autumn = await client.ask(
        "POST", "/schedule/preview", body | {"start": "2026-10-25T00:00:00Z", "count": 1}
    )
    assert "overlap" in str(autumn["instants"])


async def test_a_run_by_hand_is_recorded_and_can_be_retried_but_not_cancelled_after_its_end(
    open_client: MakeClient,
) -> None:
    client, other = await open_client("ada"), await open_client("eve")
    made = await client.post("/schedule", DAILY | {"parameters": {"backend": "unheard_of"}})
    path = f"/schedule/{made['id']}"
    status, run = await client.ask("POST", f"{path}/run-now")
    assert (status, run["trigger"]) == (202, "run_now")
    run_path = f"{path}/runs/{run['id']}"
    failed = await client.get_until(run_path, lambda answer: answer["status"] == "failed")
    assert "unheard_of" in str(failed["error"])
    assert (await other.ask("GET", run_path))[0] == 404
    assert (await client.ask("GET", f"/schedule/{int(str(made['id'])) + 1}/runs/{run['id']}"))[
        0
    ] == 404
    assert (await client.ask("POST", f"{run_path}/cancel"))[0] == 409
    status, again = await client.ask("POST", f"{run_path}/retry")
    assert (status, again["id"]) == (202, run["id"])
    ended = await client.get_until(run_path, lambda answer: answer["attempts"] == 2)
    assert [row["id"] for row in rows_of(await client.get(f"{path}/runs?status=failed"))] in (
        [ended["id"]],
        [],
    )


async def test_why_explains_the_recorded_runs(
    client: ApiClient, clock: ManualClock, workbench: Workbench, tmp_path: Path
) -> None:
    made = await client.post("/schedule", DAILY | {"parameters": {"backend": "unheard_of"}})
    path = f"/schedule/{made['id']}/why"

    async def ask(at: str | None = None) -> str:
        answer = await client.get(path if at is None else f"{path}?at={at}")
        sentences = answer["sentences"]
        assert isinstance(sentences, list)
        return " ".join(map(str, sentences))

    assert "no occurrence since the schedule was created" in await ask()
    assert "not due at 2026-03-03T10:00:00Z" in await ask("2026-03-03T10:00:00Z")
    assert "still to come" in await ask("2026-03-03T09:00:00Z")
    assert "was created at" in await ask("2026-03-01T09:00:00Z")
    clock.advance(days=2, minutes=5)
    scheduler: Scheduler = workbench.scheduler
    scheduler.wake()
    await client.get_until(
        f"/schedule/{made['id']}/runs",
        lambda page: {row["status"] for row in rows_of(page)} == {"missed"},
    )
    told = await ask("2026-03-03T09:00:00Z")
    assert "was missed" in told
    assert "2026-03-04T09:00:00Z was missed" in await ask()
    code, out, _ = await run_biont("schedule", "why", str(made["id"]), config=tmp_path / "config")
    assert code == 0
    assert "was missed" in out
    code, _, error = await run_biont("schedule", "why", "99", config=tmp_path / "config")
    assert (code, "no schedule 99" in error) == (1, True)
