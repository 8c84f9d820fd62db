"""The job kind ``prompt``."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biont import Workbench
from biont.scheduling import Schedule
from biont.testing import ApiClient, ManualClock, ModelServer, rows_of

TEMPLATE = (
    "{{ greeting }} on {{weekday}} {{ date }} at {{ time }} {{ time_zone }}. {{ last_note }}"
)


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    return {
        "plugins": {"llm": {"backend": "openai", "openai": openai, "system_prompt": ""}},
    }


async def run_once(client: ApiClient, path: str) -> dict[str, JsonValue]:
    run = await client.ask("POST", f"{path}/run-now")
    return await client.get_until(
        f"{path}/runs/{run[1]['id']}", lambda run: run["status"] in {"succeeded", "failed"}
    )


async def test_a_prompt_is_filled_in_and_the_answer_kept_with_title_tags_and_link(
    workbench: Workbench, client: ApiClient, clock: ManualClock, scripted: ModelServer
) -> None:
    made = await client.post(
        "/schedule",
        {
            "name": "Greeting",
            "cron": "30 18 * * *",
            "time_zone": "Asia/Kathmandu",
            "prompt": TEMPLATE,
            "parameters": {
                "variables": {"greeting": "Hello {{ date }}"},
                "title": "{{ schedule }} of {{ date }}",
                "tags": ["daily"],
            },
        },
    )
    path = f"/schedule/{made['id']}"
    clock.advance(hours=1)
    workbench.scheduler.wake()
    page = await client.get_until(f"{path}/runs", lambda page: "'succeeded'" in str(page["data"]))
    question = scripted.asked[0].messages[-1][1]
    assert question == "Hello {{ date }} on Monday 2026-03-02 at 18:30 Asia/Kathmandu. "
    (note,) = rows_of(await client.get("/notes?tag=daily"))
    assert note["title"] == "Greeting of 2026-03-02"
    (run,) = rows_of(page)
    linked = await client.get(str(note["source_url"]).removeprefix("/api/v1"))
    assert linked == run
    assert linked["result"] == {"note_id": note["id"], "model": "scripted-1"}
    clock.advance(minutes=1)
    await run_once(client, path)
    assert scripted.asked[1].messages[-1][1].endswith(str(note["content"]))


async def test_an_empty_title_becomes_the_name_of_the_schedule(client: ApiClient) -> None:
    parameters: dict[str, JsonValue] = {"prompt": "Hello: you.", "title": "{{ last_note }}"}
    made = await client.post(
        "/schedule", {"name": "Greeting", "cron": "0 9 * * *", "parameters": parameters}
    )
    await run_once(client, f"/schedule/{made['id']}")
    assert [note["title"] for note in rows_of(await client.get("/notes"))] == ["Greeting"]


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"prompt": "{{ tomorrow }}"}, "#/prompt"),
        ({"prompt": "{{ Date }}"}, "#/prompt"),
        ({"prompt": "{{ date | upper }}"}, "#/prompt"),
        ({"prompt": "{{ note.title }}"}, "#/prompt"),
        ({"prompt": "{{"}, "#/prompt"),
        ({"prompt": "{{ a }}", "parameters": {"variables": {"b": "x"}}}, "#/prompt"),
        ({"parameters": {"title": "{{ tomorrow }}"}}, "#/parameters/title"),
        ({"parameters": {"variables": {"date": "x"}}}, "#/parameters/variables"),
        ({"parameters": {"variables": {"Not a name": "x"}}}, "#/parameters/variables/Not a name"),
        ({"parameters": {"tags": ["a,b"]}}, "#/parameters/tags/0"),
    ],
)
async def test_an_unknown_placeholder_is_refused(
    client: ApiClient, parameters: dict[str, JsonValue], pointer: str
) -> None:
    body: dict[str, JsonValue] = {"cron": "0 9 * * *", "prompt": "x", **parameters}
    status, problem = await client.ask("POST", "/schedule", body)
    assert status == 422
    assert f"'{pointer}" in str(problem["errors"])


async def test_a_backslash_makes_two_braces_literal(
    client: ApiClient, scripted: ModelServer
) -> None:
    body: dict[str, JsonValue] = {"cron": "0 9 * * *", "prompt": "\\{{ date }} {{{{ schedule }}"}
    status, problem = await client.ask("POST", "/schedule", body)
    assert status == 422
    assert "for two braces" in str(problem["errors"])
    made = await client.post(
        "/schedule", {"name": "S", "cron": "0 9 * * *", "prompt": "\\{{ date }} {{ schedule }}"}
    )
    await run_once(client, f"/schedule/{made['id']}")
    assert scripted.asked[0].messages[-1][1] == "{{ date }} S"


async def test_a_stored_prompt_with_braces_of_an_older_version_runs_on(
    workbench: Workbench, client: ApiClient, scripted: ModelServer
) -> None:
    made = await client.post("/schedule", {"cron": "0 9 * * *", "prompt": "x"})
    old = '{"prompt": "{{ Date }} of {{ nobody }}"}'
    await workbench.store.write(lambda: Schedule.update(parameters=old).execute())
    assert (await run_once(client, f"/schedule/{made['id']}"))["status"] == "succeeded"
    assert scripted.asked[0].messages[-1][1] == "{{ Date }} of {{ nobody }}"
