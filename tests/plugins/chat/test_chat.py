"""`POST /api/v1/chat` with a scripted model server."""

from __future__ import annotations

import pytest
from plugins.chat.chat_settings import make_chat_settings
from pydantic import JsonValue

from biont import Scope
from biont.testing import (
    MODEL,
    ApiClient,
    MakeClient,
    ModelServer,
    Reply,
    answer,
    make_completion,
    respond,
)

QUESTION: dict[str, JsonValue] = {"message": "What is the capital of France?"}


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return make_chat_settings(scripted.url)


async def read_messages(client: ApiClient) -> list[JsonValue]:
    """Return the payloads of all `ai_message` events in the event log."""
    page = await client.get_until("/events?event_type=ai_message", lambda page: page["data"])
    assert isinstance(page["data"], list)
    return [event["payload"] for event in page["data"] if isinstance(event, dict)]


async def test_a_question_is_answered(client: ApiClient) -> None:
    assert await client.ask("POST", "/chat", QUESTION) == (
        200,
        {
            "answer": "It is Paris.",
            "model": MODEL,
            "backend": "openai",
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "estimated": False},
            "conversation_id": 1,
            "message_id": 2,
            "waiting": [],
        },
    )


async def test_a_repeated_question_gets_the_first_answer_and_asks_the_model_once(
    client: ApiClient, scripted: ModelServer
) -> None:
    answers = [
        await client.request("POST", "/chat", QUESTION, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert answers[0].document == answers[1].document
    assert len(scripted.asked) == 1


async def test_a_failed_model_leaves_the_idempotency_key_free(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [respond(400, b"{}")]
    headers = {"Idempotency-Key": "k"}
    failed = await client.request("POST", "/chat", QUESTION, headers=headers)
    assert failed.status == 502
    answer = await client.request("POST", "/chat", QUESTION, headers=headers)
    assert answer.status == 200


async def test_an_answer_emits_an_event(client: ApiClient) -> None:
    await client.post("/chat", QUESTION)
    assert await read_messages(client) == [
        {
            **QUESTION,
            "answer": "It is Paris.",
            "model": MODEL,
            "backend": "openai",
            "conversation_id": 1,
            "message_id": 2,
            "interrupted": False,
        }
    ]


async def test_a_long_answer_is_returned_completely_and_cut_in_the_event(
    client: ApiClient, scripted: ModelServer
) -> None:
    scripted.script = [answer(make_completion("\x01" * 300_000))]
    reply = await client.post("/chat", {"message": "\x01" * 20_000})
    assert reply["answer"] == "\x01" * 300_000
    (payload,) = await read_messages(client)
    assert isinstance(payload, dict)
    assert payload["answer"] == "\x01" * 20_000


async def test_system_message_and_model_reach_the_server(
    client: ApiClient, scripted: ModelServer
) -> None:
    await client.post("/chat", {**QUESTION, "system": "Be brief.", "model": "other"})
    assert scripted.asked[0].messages[0] == ("system", "Be brief.")
    assert scripted.asked[0].body["model"] == "other"


async def test_a_key_of_scope_chat_may_chat_and_a_key_of_scope_webhooks_may_not(
    open_client: MakeClient,
) -> None:
    chatting = await open_client(scope=Scope.CHAT)
    assert (await chatting.ask("POST", "/chat", QUESTION))[0] == 200
    for path in ("/conversations", "/conversations/1", "/conversations/search?q=capital"):
        assert (await chatting.ask("GET", path))[0] == 200
    for path in ("/notes", "/schedule", "/webhooks/outgoing", "/keys", "/events", "/usage"):
        assert (await chatting.ask("GET", path))[0] == 403
    other = await open_client(scope=Scope.WEBHOOK)
    assert (await other.ask("GET", "/conversations"))[0] == 403
    assert (await other.ask("POST", "/chat", QUESTION))[0] == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/message"),
        ({"message": ""}, "#/message"),
        ({"message": "x" * 20_001}, "#/message"),
        ({"message": 7}, "#/message"),
        ({**QUESTION, "system": ""}, "#/system"),
        ({**QUESTION, "backend": "nobody"}, "#/backend"),
        ({**QUESTION, "stream": "maybe"}, "#/stream"),
        ({**QUESTION, "conversation_id": 0}, "#/conversation_id"),
    ],
)
async def test_invalid_input_is_422_and_asks_no_model(
    client: ApiClient, scripted: ModelServer, body: JsonValue, pointer: str
) -> None:
    status, problem = await client.ask("POST", "/chat", body)
    assert status == 422
    assert isinstance(problem["errors"], list)
    assert [error["pointer"] for error in problem["errors"] if isinstance(error, dict)] == [
        pointer
    ]
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (respond(429, b""), 503),
        (respond(500, b""), 502),
        (respond(400, b'{"error": {"code": "context_length_exceeded"}}'), 422),
        (respond(200, b"<html>", "text/html"), 502),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_backend_error_is_a_problem_and_nothing_is_stored(
    client: ApiClient, scripted: ModelServer, reply: Reply, status: int, streamed: bool
) -> None:
    scripted.script = [reply]
    asked = await client.request("POST", "/chat", {**QUESTION, "stream": streamed})
    assert asked.status == status
    assert asked.headers["Content-Type"] == "application/problem+json"
    assert (await client.get("/conversations"))["data"] == []
    await client.post("/chat", {"message": "capital, again"})
    payloads = await read_messages(client)
    assert [payload["message"] for payload in payloads if isinstance(payload, dict)] == [
        "capital, again"
    ]
