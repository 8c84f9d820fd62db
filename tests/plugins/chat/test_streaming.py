"""Streamed answers: complete, interrupted and broken off."""

from __future__ import annotations

import asyncio

import pytest
from plugins.chat.chat_settings import make_chat_settings
from pydantic import JsonValue
from support.sse import Chat, Sent

import biont_chat.streams
from biont import Workbench
from biont.http import EventStreamResponse
from biont.testing import MODEL, ApiClient, ModelServer, make_chunk, say, stream

LONG = "One two three four five"


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return make_chat_settings(scripted.url, concurrency=1, timeout=30)


class Brake:
    """Pauses a server's answer after a number of chunks, until `go_on` is set."""

    def __init__(self, chunks: int) -> None:
        self._chunks = chunks
        self.go_on = asyncio.Event()

    async def __call__(self, number: int) -> None:
        if number > self._chunks:
            await self.go_on.wait()


async def read_conversation(
    client: ApiClient, number: int = 1
) -> list[tuple[JsonValue, JsonValue]]:
    """Return the stored messages of a conversation: text and `interrupted`."""
    whole = await client.get_until(f"/conversations/{number}", lambda page: page["messages"])
    messages = whole["messages"]
    assert isinstance(messages, list)
    return [(turn["content"], turn["interrupted"]) for turn in messages if isinstance(turn, dict)]


async def wait_for_conversation(client: ApiClient) -> None:
    await client.get_until("/conversations", lambda page: page["data"])


async def test_an_answer_is_streamed_in_pieces(client: ApiClient) -> None:
    async with Chat(client, body={"message": "What is the capital of France?"}) as chat:
        events = await chat.read_all()
    assert events == [
        Sent("", "token", {"text": "It"}),
        Sent("", "token", {"text": " is"}),
        Sent("", "token", {"text": " Paris."}),
        Sent("", "usage", {"prompt_tokens": 9, "completion_tokens": 3, "estimated": False}),
        Sent(
            "",
            "done",
            {
                "conversation_id": 1,
                "message_id": 2,
                "model": MODEL,
                "backend": "openai",
                "finish_reason": "stop",
                "interrupted": False,
                "waiting": [],
            },
        ),
    ]
    assert await read_conversation(client) == [
        ("What is the capital of France?", False),
        ("It is Paris.", False),
    ]
    page = await client.get("/events?event_type=ai_message")
    assert "It is Paris." in str(page["data"])


async def test_each_piece_is_sent_at_once(client: ApiClient, scripted: ModelServer) -> None:
    brake = Brake(2)
    scripted.script = [say(LONG, pause=brake)]
    async with Chat(client, body={"message": "Count."}) as chat:
        assert await chat.read_tokens(2) == ["One", " two"]
        brake.go_on.set()
        assert await chat.read_tokens(3) == [" three", " four", " five"]


async def test_comments_are_sent_during_silence(
    client: ApiClient, scripted: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EventStreamResponse, "silence_limit", 0.01)
    monkeypatch.setattr(biont_chat.streams, "WATCH_INTERVAL", 0.01)
    brake = Brake(2)
    scripted.script = [say(LONG, pause=brake)]
    async with Chat(client, body={"message": "Count."}) as chat:
        assert await chat.read_tokens(2) == ["One", " two"]
        for _ in range(3):
            assert (await chat.read_line()).startswith(":")
            assert await chat.read_line() == ""
        brake.go_on.set()
        assert (await chat.read_all())[-1].event == "done"


async def test_a_tool_call_of_the_model_is_an_event(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [say("Let me see.", calls=[("look", "{}")])]
    async with Chat(client, body={"message": "What is new?"}) as chat:
        events = await chat.read_all()
    assert Sent("", "tool", {"id": "call-0", "name": "look", "arguments": "{}"}) in events
    assert events[-1].data["finish_reason"] == "tool_calls"


async def test_the_partial_answer_is_stored_when_the_client_leaves(
    client: ApiClient, scripted: ModelServer
) -> None:
    brake = Brake(2)
    scripted.script = [say(LONG, pause=brake)]
    async with Chat(client, body={"message": "Count."}) as chat:
        await chat.read_tokens(2)
    await wait_for_conversation(client)
    assert await read_conversation(client) == [("Count.", False), ("One two", True)]
    page = await client.get("/events?event_type=ai_message")
    assert "'interrupted': True" in str(page["data"])
    # The model was stopped, and its only slot is free.
    await scripted.wait_until_busy(0)
    assert (await client.post("/chat", {"message": "Again."}))["answer"]


async def test_stop_keeps_the_partial_answer_and_notifies_the_client(
    client: ApiClient, scripted: ModelServer, workbench: Workbench
) -> None:
    scripted.script = [say(LONG, pause=Brake(2))]
    async with Chat(client, body={"message": "Count."}) as chat:
        await chat.read_tokens(2)
        workbench.shutdown.request()
        (last,) = await chat.read_all()
    assert (last.event, last.data["interrupted"]) == ("done", True)
    assert await read_conversation(client) == [("Count.", False), ("One two", True)]


async def test_nothing_is_stored_when_the_client_leaves_before_the_first_piece(
    client: ApiClient, scripted: ModelServer
) -> None:
    brake = Brake(-1)
    scripted.script = [say(LONG, pause=brake)]
    async with asyncio.timeout(20):
        asking = asyncio.create_task(
            client.request("POST", "/chat", {"message": "Count.", "stream": True})
        )
        await scripted.wait_until_busy(1)
        asking.cancel()
        await scripted.wait_until_busy(0)
    assert (await client.get("/conversations"))["data"] == []


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (b"", 502),
        (b'data: {"error": {"message": "out of memory"}}\n\n', 502),
        (b"data: nonsense\n\n", 502),
    ],
)
async def test_a_broken_off_answer_is_an_error_and_not_stored(
    client: ApiClient, scripted: ModelServer, end: bytes, status: int
) -> None:
    scripted.script = [stream(make_chunk("One"), make_chunk(" two"), end=end)]
    async with Chat(client, body={"message": "Count."}) as chat:
        await chat.read_tokens(2)
        (last,) = await chat.read_all()
    assert last.event == "error"
    assert last.data["status"] == status
    assert (await client.get("/conversations"))["data"] == []
    assert (await client.post("/chat", {"message": "Again."}))["answer"]
