"""PATCH of schedules and reminders: a merge patch changes what it names, and nothing else."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont.testing import ApiClient

Body = dict[str, JsonValue]

FULL: Body = {
    "name": "Morning",
    "cron": "30 0 9 * * *",
    "seconds": True,
    "time_zone": "Europe/Berlin",
    "starts_at": "2026-04-01T00:00:00Z",
    "ends_at": "2027-04-01T00:00:00Z",
    "max_runs": 5,
    "jitter": 60,
    "catch_up": "all",
    "catch_up_window": 600,
    "catch_up_limit": 3,
    "overlap": "queue",
    "timeout": 5.0,
    "retry": [1.0, 2.0],
    "daily_budget": 2,
    "on_crash": "fail",
    "parameters": {
        "prompt": "Hello {{ who }} and {{ whom }}",
        "title": "A {{ date }}",
        "tags": ["one", "two"],
        "variables": {"who": "you", "whom": "me"},
        "report_to": [],
        "backend": "local",
        "model": "small",
    },
}
KEPT = (*FULL, "kind", "next_fire_at")


async def make(client: ApiClient, body: Body = FULL) -> tuple[str, Body]:
    made = await client.post("/schedule", body)
    return f"/schedule/{made['id']}", made


def pointers(problem: Body) -> list[JsonValue]:
    errors = problem["errors"]
    assert isinstance(errors, list)
    return [error["pointer"] for error in errors if isinstance(error, dict)]


@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"name": "Evening"},
        {"max_runs": 9},
        {"seconds": True},
        {"cron": "0 30 18 * * *"},
        {"time_zone": "Asia/Tokyo"},
        {"jitter": "5m"},
        {"starts_at": "2026-05-01T00:00:00Z"},
        {"ends_at": "2026-06-01T00:00:00Z"},
        {"retry": []},
        {"catch_up_limit": 4},
        {"parameters": {"title": "B"}},
        {"prompt": "Bye {{ who }}"},
    ],
)
async def test_a_change_keeps_all_that_it_does_not_name(client: ApiClient, patch: Body) -> None:
    path, made = await make(client)
    status, changed = await client.ask("PATCH", path, patch)
    assert status == 200, changed
    for name in set(KEPT) - set(patch) - {"next_fire_at", "parameters"}:
        assert changed[name] == made[name], name
    before, after = dict(made["parameters"]), dict(changed["parameters"])  # type: ignore[arg-type]
    named = patch.get("parameters", {"prompt": patch.get("prompt", before["prompt"])})
    assert isinstance(named, dict)
    assert after == before | named


async def test_parameters_merge_member_by_member_null_removes_and_lists_replace(
    client: ApiClient,
) -> None:
    path, _ = await make(client)
    patch: Body = {
        "prompt": "Hello {{ whom }}",
        "parameters": {
            "variables": {"who": None, "whom": "us", "new": "x"},
            "tags": ["three"],
            "report_to": None,
            "model": None,
        },
    }
    status, changed = await client.ask("PATCH", path, patch)
    assert status == 200, changed
    parameters = dict(changed["parameters"])  # type: ignore[arg-type]
    assert parameters["variables"] == {"whom": "us", "new": "x"}
    assert parameters["tags"] == ["three"]
    assert (parameters["report_to"], parameters["model"]) == (None, None)
    assert (parameters["backend"], parameters["title"]) == ("local", "A {{ date }}")


async def test_null_clears_a_field_that_may_be_empty(client: ApiClient) -> None:
    path, _ = await make(client)
    names = (
        *("starts_at", "ends_at", "max_runs", "catch_up_window", "timeout", "daily_budget"),
        *("every", "at"),
    )
    status, cleared = await client.ask("PATCH", path, dict.fromkeys((*names, "time_zone")))
    assert status == 200, cleared
    assert [cleared[name] for name in names] == [None] * len(names)
    assert cleared["time_zone"] == "UTC"
    assert cleared["cron"] == FULL["cron"]


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"name": None}, "#/name"),
        ({"prompt": None}, "#/prompt"),
        ({"cron": None}, "#/cron"),
        ({"seconds": None}, "#/seconds"),
        ({"jitter": None}, "#/jitter"),
        ({"retry": None}, "#/retry"),
        ({"overlap": None}, "#/overlap"),
        ({"on_crash": None}, "#/on_crash"),
        ({"catch_up": None}, "#/catch_up"),
        ({"catch_up_limit": None}, "#/catch_up_limit"),
        ({"parameters": {"prompt": None}}, "#/prompt"),
        ({"parameters": None}, "#/parameters"),
        ({"parameters": {"variables": {"who": None}}}, "#/prompt"),
        ({"parameters": {"tags": [1]}}, "#/parameters/tags/0"),
        ({"seconds": False}, "#/cron"),
        ({"cron": "0 9 * * *"}, "#/cron"),
        ({"job": "reminder"}, "#/job"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    client: ApiClient, patch: Body, pointer: str
) -> None:
    path, made = await make(client)
    status, problem = await client.ask("PATCH", path, {"max_runs": 7} | patch)
    assert (status, pointers(problem)) == (422, [pointer])
    assert await client.get(path) == made


async def test_a_new_kind_of_timing_replaces_the_old_one(client: ApiClient) -> None:
    path, _ = await make(client)
    _, changed = await client.ask("PATCH", path, {"every": "2h"})
    kind = [changed[name] for name in ("kind", "cron", "seconds", "every", "at")]
    assert kind == ["every", None, False, 7200, None]
    assert changed["starts_at"] == FULL["starts_at"]
    _, changed = await client.ask("PATCH", path, {"at": "2026-04-05T00:00:00Z"})
    kind = [changed[name] for name in ("kind", "cron", "every", "at")]
    assert kind == ["at", None, None, "2026-04-05T00:00:00Z"]


async def test_a_reminder_keeps_all_that_a_change_does_not_name(client: ApiClient) -> None:
    body: Body = {
        "text": "Drink",
        "cron": "0 30 9 * * *",
        "seconds": True,
        "time_zone": "Europe/Berlin",
        "starts_at": "2026-04-01T00:00:00Z",
        "ends_at": "2027-04-01T00:00:00Z",
    }
    made = await client.post("/reminders", body)
    path, schedule = f"/reminders/{made['id']}", f"/schedule/{made['schedule_id']}"
    before = await client.get(schedule)
    assert (await client.ask("PATCH", path, {"text": "Eat"}))[0] == 200
    assert (await client.ask("PATCH", path, {"time_zone": "Asia/Tokyo"}))[0] == 200
    assert (await client.ask("PATCH", path, {"ends_at": None}))[0] == 200
    after = await client.get(schedule)
    kept = ("cron", "seconds", "starts_at", "catch_up_window", "origin")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert (after["time_zone"], after["ends_at"], after["name"]) == ("Asia/Tokyo", None, "Eat")
    for patch, pointer in (({"text": None}, "#/text"), ({"cron": None}, "#/cron")):
        status, problem = await client.ask("PATCH", path, dict(patch))
        assert (status, pointers(problem)) == (422, [pointer])


async def test_an_expression_without_seconds_is_refused_with_the_option(client: ApiClient) -> None:
    path, _ = await make(client)
    _, problem = await client.ask("PATCH", path, {"cron": "0 9 * * *"})
    assert "seconds: false" in str(problem["errors"])
    status, _ = await client.ask("PATCH", path, {"cron": "0 9 * * *", "seconds": False})
    assert status == 200
