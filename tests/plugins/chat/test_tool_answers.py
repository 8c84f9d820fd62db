"""Chat answers for which the model calls tools."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from plugins.chat.chat_settings import make_chat_settings
from pydantic import BaseModel, JsonValue
from support.sse import Chat, Sent

from biont import Scope, ToolContext, Workbench, make_tool
from biont.llm import TOOLS, ToolResult
from biont.testing import MODEL, USAGE, ApiClient, MakeClient, ModelServer, respond, rows_of, say

KEEP = say("I keep it.", calls=[("create_note", '{"title": "Kept"}')])
SEND = say(calls=[("send_message", '{"integration": "team", "title": "Hi"}')])
QUESTION: dict[str, JsonValue] = {
    "message": "Keep a note.",
    "tools": ["create_note", "send_message"],
}


class Nothing(BaseModel):
    """No arguments."""


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return make_chat_settings(scripted.url)


async def read_turns(client: ApiClient, number: int = 1) -> list[tuple[JsonValue, JsonValue]]:
    """Return role and text of the messages of a conversation."""
    messages = (await client.get(f"/conversations/{number}"))["messages"]
    return [(turn["role"], turn["content"]) for turn in rows_of({"data": messages})]


async def test_a_model_calls_tools_for_its_answer(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [KEEP, say("Done.")]
    answer = await client.post("/chat", QUESTION)
    assert (answer["answer"], answer["model"], answer["waiting"]) == ("Done.", MODEL, [])
    assert answer["usage"] == {
        "prompt_tokens": 2 * int(USAGE["prompt_tokens"]),
        "completion_tokens": 2 * int(USAGE["completion_tokens"]),
        "estimated": False,
    }
    assert await read_turns(client) == [("user", "Keep a note."), ("assistant", "Done.")]
    (note,) = rows_of(await client.get("/notes"))
    assert (note["title"], note["source"]) == ("Kept", "chat")
    scripted.script = [KEEP, say("Again.")]
    await client.post("/chat", {**QUESTION, "conversation_id": 1})
    assert rows_of(await client.get("/notes"))[0]["source"] == "conversation-1"
    roles = [role for role, _ in scripted.asked[2].messages]
    assert roles == ["system", "user", "assistant", "user"]


async def test_a_tool_call_is_an_event_of_the_stream(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [KEEP, say("Done.")]
    async with Chat(client, body=QUESTION) as chat:
        events = await chat.read_all()
    assert [event.event for event in events] == [
        *["token"] * 3,
        "tool",
        "token",
        "usage",
        "done",
    ]
    assert events[3] == Sent(
        "", "tool", {"id": "call-0", "name": "create_note", "arguments": '{"title": "Kept"}'}
    )
    assert events[-1].data["message_id"] == 2
    assert await read_turns(client) == [("user", "Keep a note."), ("assistant", "Done.")]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_waiting_answer_is_stored_after_the_approval(
    client: ApiClient, scripted: ModelServer, stream: bool
) -> None:
    scripted.script = [SEND]
    if stream:
        async with Chat(client, body=QUESTION) as chat:
            answer = dict((await chat.read_all())[-1].data)
    else:
        answer = await client.post("/chat", QUESTION)
        assert answer["answer"] == ""
    (call,) = rows_of(await client.get("/tool-calls?status=waiting"))
    assert (answer["waiting"], answer["message_id"]) == ([call["id"]], None)
    assert await read_turns(client) == [("user", "Keep a note.")]
    scripted.script = [say("It was not sent.")]
    await client.post(f"/tool-calls/{call['id']}/approve")
    page = await client.get_until("/events?event_type=ai_message", lambda page: page["data"])
    assert "It was not sent." in str(page["data"])
    assert await read_turns(client) == [
        ("user", "Keep a note."),
        ("assistant", "It was not sent."),
    ]


async def test_a_question_without_an_answer_is_not_stored(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [KEEP, respond(500, b"")]
    assert (await client.ask("POST", "/chat", QUESTION))[0] == 502
    assert rows_of(await client.get("/conversations")) == []
    scripted.script = [say(calls=[("search_notes", '{"query": "x"}')])] * 20
    status, problem = await client.ask("POST", "/chat", QUESTION)
    assert (status, "10 rounds" in str(problem["detail"])) == (502, True)


async def test_the_partial_answer_is_stored_when_the_client_leaves(
    client: ApiClient, scripted: ModelServer
) -> None:
    never = asyncio.Event()

    async def pause(number: int) -> None:
        if number > 2:
            await never.wait()

    scripted.script = [say("One two three four", pause=pause)]
    async with Chat(client, body=QUESTION) as chat:
        await chat.read_tokens(2)
    await client.get_until("/conversations", lambda page: page["data"])
    assert await read_turns(client) == [("user", "Keep a note."), ("assistant", "One two")]
    never.set()


async def test_tools_require_a_full_key_and_must_exist(open_client: MakeClient) -> None:
    client, chatting = await open_client("ada"), await open_client("ada", Scope.CHAT)
    assert (await chatting.ask("POST", "/chat", QUESTION))[0] == 403
    assert (await chatting.ask("POST", "/chat", {"message": "Hi"}))[0] == 200
    status, problem = await client.ask("POST", "/chat", {"message": "Hi", "tools": ["dance"]})
    assert status == 422
    assert "'#/tools/0'" in str(problem["errors"])


async def test_an_error_after_the_approval_becomes_the_answer(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [SEND]
    await client.post("/chat", QUESTION)
    scripted.script = [respond(400, b"no")]
    await client.post("/tool-calls/1/approve")
    page = await client.get_until("/events?event_type=ai_message", lambda page: page["data"])
    payload: Any = rows_of(page)[0]["payload"]
    assert (payload["interrupted"], payload["message"]) == (True, "Keep a note.")
    assert "There is no answer" in str((await read_turns(client))[-1])


async def test_deleting_a_conversation_abandons_its_waiting_tool_calls(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [SEND]
    answer = await client.post("/chat", QUESTION)
    await client.ask("DELETE", f"/conversations/{answer['conversation_id']}")
    assert (await client.get("/tool-calls/1"))["status"] == "abandoned"
    assert (await client.ask("POST", "/tool-calls/1/approve"))[0] == 409


async def test_tool_calls_are_abandoned_when_the_client_leaves(
    client: ApiClient, scripted: ModelServer, workbench: Workbench
) -> None:
    never = asyncio.Event()

    async def wait(_: ToolContext, __: Nothing) -> ToolResult:
        await never.wait()
        return None

    workbench.services.replace(TOOLS, {"wait": make_tool("wait", "Waits.", Nothing, wait)})
    scripted.script = [say("Wait.", calls=[("wait", "{}")])]
    async with Chat(client, body={"message": "Do it.", "tools": ["wait"]}):
        await client.get_until("/tool-calls?status=queued", lambda page: page["data"])
    page = await client.get_until("/tool-calls?status=abandoned", lambda page: page["data"])
    assert rows_of(page)[0]["source"] == "chat"
