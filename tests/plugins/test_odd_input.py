"""What nobody sends on purpose is refused, or taken, and never a mistake of the server."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont.testing import ApiClient, rows_of

HUGE = 2**64 - 1
CRON: dict[str, JsonValue] = {"cron": "0 9 * * *"}
GREEDY: dict[str, JsonValue] = {"goal": "Open it", "max_tokens": HUGE}
LAST = "9999-12-31T23:59:00Z"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/notes", {"title": "Plan", "tags": ["a\0b", "a\0c"]}),
        ("/notes", {"title": "Plan", "tags": ["a\nb"]}),
        ("/missions", {"goal": "Open it", "start": False, "max_tokens": HUGE}),
        ("/schedule", {**CRON, "prompt": "Hello", "max_runs": HUGE}),
        ("/schedule", {**CRON, "prompt": "Hello", "daily_budget": HUGE}),
        ("/schedule", {**CRON, "job": "mission", "parameters": GREEDY}),
        ("/schedule/preview", {"at": LAST, "time_zone": "Asia/Tokyo"}),
        ("/schedule/preview", {"every": 60, "starts_at": LAST}),
        ("/schedule/preview", {**CRON, "start": "0001-01-01T00:00:00Z"}),
        ("/reminders", {"text": "Now", "at": LAST}),
    ],
)
async def test_text_that_the_database_cannot_store_is_refused(
    client: ApiClient, path: str, body: JsonValue
) -> None:
    status, document = await client.ask("POST", path, body)
    assert status == 422, document


@pytest.mark.parametrize("words", ["%00", "a%00b", "*", '%22%00"', "%22%22"])
async def test_search_accepts_any_words(client: ApiClient, words: str) -> None:
    await client.post("/notes", {"title": "a b", "content": "nothing\0else"})
    assert "data" in await client.get(f"/notes/search?q={words}")
    assert "data" in await client.get(f"/conversations/search?q={words}")


async def test_search_treats_nul_as_a_separator(client: ApiClient) -> None:
    await client.post("/notes", {"title": "ivy and oak"})
    assert len(rows_of(await client.get("/notes/search?q=ivy%00oak"))) == 1


@pytest.mark.parametrize("path", ["/reminders", "/schedule"])
async def test_a_null_time_zone_means_the_time_zone_of_the_user(
    client: ApiClient, path: str
) -> None:
    await client.ask("PATCH", "/me", {"time_zone": "Asia/Kathmandu"})
    body: dict[str, JsonValue] = {**CRON, "time_zone": None}
    words = {"text": "Tea"} if path == "/reminders" else {"prompt": "Tea"}
    made = await client.post(path, {**body, **words})
    status, changed = await client.ask("PATCH", f"{path}/{made['id']}", {"time_zone": None})
    assert (status, changed["time_zone"]) == (200, "Asia/Kathmandu")
    assert (await client.post("/schedule/preview", body))["time_zone"] == "Asia/Kathmandu"


async def test_a_schedule_every_ten_years_ends_with_the_calendar(client: ApiClient) -> None:
    body: JsonValue = {"every": "3650d", "starts_at": "9880-01-01T00:00:00Z"}
    assert len(rows_of({"data": (await client.post("/schedule/preview", body))["instants"]})) == 3


@pytest.mark.parametrize("path", ["/reminders", "/schedule"])
async def test_a_change_to_a_past_instant_is_refused(client: ApiClient, path: str) -> None:
    words = {"text": "Tea"} if path == "/reminders" else {"prompt": "Tea"}
    made = await client.post(path, {**CRON, **words})
    past: JsonValue = {"at": "2000-01-01T00:00:00Z"}
    status, document = await client.ask("PATCH", f"{path}/{made['id']}", past)
    assert (status, document["errors"]) == (
        422,
        [
            {
                "detail": "the schedule would never be due; give an instant in the future",
                "pointer": "#/at",
            }
        ],
    )
    assert await client.get(f"{path}/{made['id']}") == made


@pytest.mark.parametrize(
    "parameter",
    [{"backend": "x" * 101}, {"model": "x" * 201}, {"report_to": ["x"] * 101}],
    ids=["backend", "model", "report_to"],
)
async def test_the_parameters_of_a_prompt_are_bounded(
    client: ApiClient, parameter: dict[str, JsonValue]
) -> None:
    body: JsonValue = {**CRON, "prompt": "Tea", "parameters": parameter}
    status, problem = await client.ask("POST", "/schedule", body)
    assert (status, f"#/parameters/{next(iter(parameter))}" in str(problem)) == (422, True), (
        problem
    )
