"""Timing is judged when it is written; rows of older versions are explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue
from support.process import run_biont

from biont import Workbench
from biont.scheduling import Schedule
from biont.testing import ApiClient, rows_of, write_config

Body = dict[str, JsonValue]
CRON: Body = {"cron": "0 9 * * *", "prompt": "x"}
EARLY, LATE = "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"
WRONG: list[tuple[Body, str]] = [
    ({"starts_at": LATE, "ends_at": EARLY}, "#/ends_at"),
    ({"starts_at": EARLY, "ends_at": EARLY}, "#/ends_at"),
    ({"starts_at": EARLY, "ends_at": "2026-04-01T08:00:00Z"}, "#/ends_at"),
    ({"cron": "0 0 29 2 *", "starts_at": EARLY, "ends_at": LATE}, "#/ends_at"),
    ({"ends_at": "2026-01-01T00:00:00Z"}, "#/ends_at"),
    ({"cron": None, "every": 1e12}, "#/every"),
    ({"cron": None, "every": 10**12}, "#/every"),
    ({"cron": None, "every": "999999999d"}, "#/every"),
    ({"cron": None, "every": 60, "seconds": True}, "#/seconds"),
    ({"seconds": True}, "#/cron"),
    ({"cron": "0 0 9 * * *"}, "#/cron"),
    ({"cron": None, "at": EARLY, "starts_at": LATE}, "#/starts_at"),
    ({"cron": None, "at": LATE, "ends_at": EARLY}, "#/ends_at"),
    ({"cron": None, "at": "2026-01-01T00:00:00Z"}, "#/at"),
    ({"time_zone": "Mars/Base"}, "#/time_zone"),
]


def pointers(problem: Body) -> str:
    return str(problem["errors"])


@pytest.mark.parametrize(("body", "pointer"), WRONG)
@pytest.mark.parametrize("paused", [True, False], ids=["paused", "active"])
async def test_a_wrong_timing_is_refused_by_create_and_by_change(
    client: ApiClient, body: Body, pointer: str, paused: bool
) -> None:
    status, problem = await client.ask("POST", "/schedule", CRON | body)
    assert (status, f"'{pointer}'" in pointers(problem)) == (422, True), problem
    made = await client.post("/schedule", CRON)
    path = f"/schedule/{made['id']}"
    if paused:
        made = await client.post(f"{path}/pause")
    status, problem = await client.ask("PATCH", path, body)
    assert (status, f"'{pointer}'" in pointers(problem)) == (422, True), problem
    assert await client.get(path) == made


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (
            "cron: 0 9 * * *, starts_at: 2026-05-01T00:00:00Z, ends_at: 2026-04-01T00:00:00Z",
            "ends",
        ),
        ("cron: 0 0 29 2 *, starts_at: 2026-05-01T00:00:00Z, ends_at: 2026-06-01T00:00:00Z", ""),
        ("every: 1000000000000", "every"),
        ("every: 60, seconds: true", "seconds"),
        ("cron: 0 0 9 * * *", "cron"),
        ("at: 2026-05-01T00:00:00Z, ends_at: 2026-04-01T00:00:00Z", "ends_at"),
    ],
)
async def test_config_check_refuses_a_wrong_timing_in_a_file(
    tmp_path: Path, wrong: str, place: str
) -> None:
    config = write_config(tmp_path, {})
    (config / "schedules.yaml").write_text(
        f"plugins:\n  schedules:\n    declared:\n      s: {{user: ada, prompt: x, {wrong}}}\n"
    )
    code, out, error = await run_biont("config", "check", config=config)
    assert code != 0
    assert "schedules.yaml" in out + error
    assert place in out + error


@pytest.mark.parametrize(
    "bad",
    [
        {"starts_at": "2026-05-01 00:00:00+00:00", "ends_at": "2026-04-01 00:00:00+00:00"},
        {"kind": "every", "expression": "", "every": 10**12},
        {"seconds": True},
        {"time_zone": "Mars/Base"},
        {"expression": "no cron"},
    ],
)
async def test_a_bad_row_of_an_older_version_is_explained_everywhere(
    client: ApiClient, workbench: Workbench, tmp_path: Path, bad: dict[str, object]
) -> None:
    good = await client.post("/schedule", CRON | {"name": "good"})
    made = await client.post("/schedule", CRON | {"name": "bad"})
    path = f"/schedule/{made['id']}"
    active = await client.get("/schedule/upcoming?limit=2")

    def spoil(**more: object) -> None:
        Schedule.update(**bad, **more).where(Schedule.id == made["id"]).execute()

    await workbench.store.write(spoil)
    for url in (f"{path}/why", f"{path}/why?at=2026-03-03T09:00:00Z"):
        assert "Its timing is not valid" in str((await client.get(url))["sentences"])
    upcoming = rows_of(await client.get("/schedule/upcoming?limit=2"))
    assert [row["due_at"] for row in upcoming] == [row["due_at"] for row in rows_of(active)]
    assert [row["problem"] is None for row in upcoming if row["name"] == "bad"] == [False]
    await workbench.store.write(lambda: spoil(paused=True))
    status, problem = await client.ask("POST", f"{path}/resume")
    assert (status, "change its timing" in str(problem["detail"])) == (409, True)
    arguments = ("--from", "2026-03-03T00:00:00Z", "--to", "2026-03-04T00:00:00Z")
    code, out, error = await run_biont(
        "schedule", "simulate", *arguments, config=tmp_path / "config"
    )
    assert (code, "bad is left out" in error, "good" in out) == (0, True, True)
    fixed: Body = CRON | {"starts_at": None, "ends_at": None, "time_zone": "UTC", "seconds": False}
    status, changed = await client.ask("PATCH", path, fixed)
    assert status == 200, changed
    assert (await client.post(f"{path}/resume"))["next_fire_at"] == good["next_fire_at"]
