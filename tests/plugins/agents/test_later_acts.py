"""Acts that a model arranges for later do not escape the approval that the act would need."""

from __future__ import annotations

import orjson
import pytest
from pydantic import JsonValue

from biont.testing import ApiClient, ModelServer, rows_of, say


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    openai = {"base_url": scripted.url, "api_key": "x", "model": "m"}
    plugins = {
        "llm": {"backend": "openai", "openai": openai},
        "schedules": {"tool_interval": 600, "tool_runs": 7},
    }
    return {"plugins": plugins}


async def let_call(
    client: ApiClient, scripted: ModelServer, tool: str, **arguments: JsonValue
) -> JsonValue:
    """Let a model call `tool` in a chat; return the result that the model gets."""
    scripted.script += [say(calls=[(tool, orjson.dumps(arguments).decode())]), say("Done.")]
    await client.post("/chat", {"message": "Do it.", "tools": [tool]})
    call, *_ = rows_of(await client.get("/tool-calls"))
    return call["result"]


@pytest.mark.parametrize("tool", ["create_schedule", "create_reminder"])
@pytest.mark.parametrize(
    "timing",
    [
        {"every": 5},
        {"every": 599},
        {"cron": "* * * * *"},
        {"cron": "0,5 9 * * *"},
    ],
)
async def test_a_model_cannot_schedule_too_often(
    client: ApiClient, scripted: ModelServer, tool: str, timing: dict[str, JsonValue]
) -> None:
    result = await let_call(client, scripted, tool, **name_text(tool), **timing)
    assert "at most every 600 seconds" in str(result)
    assert rows_of(await client.get("/schedule")) == []
    assert rows_of(await client.get("/reminders")) == []


def name_text(tool: str) -> dict[str, JsonValue]:
    return {"prompt": "Look."} if tool == "create_schedule" else {"text": "Look."}


async def test_a_reminder_of_a_model_ends(client: ApiClient, scripted: ModelServer) -> None:
    await let_call(
        client, scripted, "create_reminder", text="Look.", cron="0 0 9 * * *", seconds=True
    )
    (reminder,) = rows_of(await client.get("/reminders"))
    assert (await client.get(f"/schedule/{reminder['schedule_id']}"))["max_runs"] == 7


async def test_a_schedule_of_a_model_ends_and_reports_to_nobody(
    client: ApiClient, scripted: ModelServer
) -> None:
    result = await let_call(client, scripted, "create_schedule", prompt="Look.", every="10m")
    (made,) = rows_of(await client.get("/schedule"))
    assert isinstance(result, dict)
    assert result["schedule_id"] == made["id"]
    assert made["max_runs"] == 7
    assert made["parameters"]["report_to"] == []  # type: ignore[index,call-overload]


async def test_a_model_cannot_name_the_integrations_of_a_schedule(
    client: ApiClient, scripted: ModelServer
) -> None:
    result = await let_call(
        client, scripted, "create_schedule", prompt="x", every="1h", report_to=["chat"]
    )
    assert "report_to" in str(result)
    assert rows_of(await client.get("/schedule")) == []


async def test_a_model_may_schedule_something_once(
    client: ApiClient, scripted: ModelServer
) -> None:
    at = "2100-01-01T09:00:00Z"
    await let_call(client, scripted, "create_schedule", prompt="x", at=at)
    (made,) = rows_of(await client.get("/schedule"))
    assert made["max_runs"] is None
