"""Backend `openai`, with servers that keep or break the protocol."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import pytest
from aiohttp.test_utils import unused_port
from plugins.llm.gateways import CAPITAL, make_openai
from pydantic import HttpUrl, SecretStr, ValidationError
from support.model_quirks import cut_body, cut_chunks, hang_up, send_garbage

from biont.exceptions import (
    BackendError,
    BackendFailed,
    BackendOverloaded,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
    InvalidAnswer,
    PromptTooLong,
)
from biont.llm import (
    ChatRequest,
    Chunk,
    Completion,
    Message,
    TextChunk,
    TokenUsage,
    ToolCallChunk,
    ToolDefinition,
)
from biont.testing import (
    MODEL,
    ModelServer,
    Reply,
    answer,
    make_chunk,
    make_completion,
    respond,
    say,
    stream,
    wait_for,
)
from biont_llm.settings import OpenAiSettings

KEY = "sk-0123456789abcdef"


async def ask(server: ModelServer, reply: Reply | None = None) -> Completion:
    if reply is not None:
        server.script = [reply]
    backend = make_openai(server.url, key=KEY)
    try:
        return await backend.chat(ChatRequest(CAPITAL))
    finally:
        await backend.close()


async def follow(server: ModelServer, reply: Reply) -> list[Chunk]:
    server.script = [reply]
    backend = make_openai(server.url, key=KEY)
    try:
        return [chunk async for chunk in backend.stream(ChatRequest(CAPITAL))]
    finally:
        await backend.close()


async def test_a_valid_answer_is_parsed_completely(scripted: ModelServer) -> None:
    completion = await ask(scripted, answer(make_completion("  It is Paris.\n")))
    assert completion == Completion(text="It is Paris.", model=MODEL, usage=TokenUsage(9, 3))


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_kept_connection_that_the_server_closes_is_replaced(
    scripted: ModelServer, streamed: bool
) -> None:
    scripted.script = [say("First."), hang_up, say("Second.")]
    backend = make_openai(scripted.url)
    try:
        await backend.chat(ChatRequest(CAPITAL))
        if streamed:
            chunks = [chunk async for chunk in backend.stream(ChatRequest(CAPITAL))]
            assert TextChunk("Second.") in chunks
        else:
            assert (await backend.chat(ChatRequest(CAPITAL))).text == "Second."
    finally:
        await backend.close()
    assert len(scripted.asked) == 3


async def test_an_answer_at_its_token_limit_is_valid(scripted: ModelServer) -> None:
    completion = await ask(scripted, answer(make_completion("It", finish_reason="length")))
    assert completion.text == "It"


async def test_an_answer_without_usage_is_valid(scripted: ModelServer) -> None:
    completion = await ask(scripted, answer(make_completion(usage=None)))
    assert completion.usage is None


@dataclass(frozen=True)
class Fault:
    reply: Reply
    error: type[BackendError]
    message: str = ""


HTML = b"<html><body>Sign in to the guest network</body></html>"

FAULTS = {
    "HTML with status 200": Fault(respond(200, HTML, "text/html"), InvalidAnswer, "JSON"),
    "an empty body": Fault(respond(200, b""), InvalidAnswer),
    "half of a JSON": Fault(respond(200, b'{"choices": [{"mess'), InvalidAnswer, "JSON"),
    "bytes that are no UTF-8": Fault(respond(200, b'{"model": "\xff\xfe"}'), InvalidAnswer),
    "a lone surrogate": Fault(
        respond(200, b'{"model": "m", "choices": [{"message": {"content": "\\ud800"}}]}'),
        InvalidAnswer,
    ),
    "an empty document": Fault(answer({}), InvalidAnswer, "choices"),
    "a list": Fault(answer([make_completion()]), InvalidAnswer),
    "null": Fault(answer(None), InvalidAnswer),
    "an error with status 200": Fault(answer({"error": {"message": "no"}}), InvalidAnswer),
    "choices that are null": Fault(answer(make_completion(choices=None)), InvalidAnswer),
    "no choice": Fault(answer(make_completion(choices=[])), InvalidAnswer, "choices"),
    "choices that are words": Fault(answer(make_completion(choices=["Paris"])), InvalidAnswer),
    "no message": Fault(
        answer(make_completion(choices=[{"finish_reason": "stop"}])), InvalidAnswer, "message"
    ),
    "no content": Fault(answer(make_completion(None)), InvalidAnswer, "max_tokens"),
    "no call of a tool": Fault(
        answer(make_completion("", finish_reason="tool_calls")), InvalidAnswer, "tool_calls"
    ),
    "empty content": Fault(answer(make_completion("")), InvalidAnswer, "max_tokens"),
    "blank content": Fault(answer(make_completion(" \n\t ")), InvalidAnswer, "max_tokens"),
    "content that is a number": Fault(answer(make_completion(7)), InvalidAnswer),
    "no model": Fault(answer(make_completion(model=None)), InvalidAnswer, "model"),
    "usage of another shape": Fault(answer(make_completion(usage="little")), InvalidAnswer),
    "a call of a tool": Fault(
        answer(make_completion(finish_reason="tool_calls")), InvalidAnswer, "finish_reason"
    ),
    "a filtered answer": Fault(
        answer(make_completion(finish_reason="content_filter")), InvalidAnswer, "finish_reason"
    ),
    "an unfinished answer": Fault(
        answer(make_completion(finish_reason=None)), InvalidAnswer, "finish_reason"
    ),
    "a cut body": Fault(cut_body, InvalidAnswer, "broke off"),
    "a cut stream": Fault(cut_chunks, InvalidAnswer, "broke off"),
    "no HTTP": Fault(send_garbage, InvalidAnswer, "broke off"),
    "a closed connection": Fault(hang_up, InvalidAnswer, "broke off"),
    "false gzip": Fault(
        respond(200, b"plain", headers={"Content-Encoding": "gzip"}), InvalidAnswer, "broke off"
    ),
    "429": Fault(
        respond(429, b'{"error": {"message": "slow down"}}', headers={"Retry-After": "7"}),
        BackendOverloaded,
        "slow down; Retry-After: 7",
    ),
    "429 without a word": Fault(respond(429, b""), BackendOverloaded, "429: Too Many Requests"),
    "503": Fault(respond(503, HTML, "text/html"), BackendOverloaded, "Service Unavailable"),
    "400": Fault(
        respond(400, b'{"error": {"message": "bad\\n luck"}}'), BackendRefused, "400: bad luck"
    ),
    "401": Fault(respond(401, b"{}"), BackendRefused, "openai.api_key"),
    "404": Fault(
        respond(404, b'{"error": "no such model"}'), BackendRefused, "no such model.*base_url"
    ),
    "too long, by OpenAI": Fault(
        respond(400, b'{"error": {"message": "no", "code": "context_length_exceeded"}}'),
        PromptTooLong,
    ),
    "too long, by vLLM": Fault(
        respond(400, b'{"message": "This model\'s maximum context length is 4096 tokens."}'),
        PromptTooLong,
        "4096",
    ),
    "500": Fault(respond(500, b"out of memory", "text/plain"), BackendFailed, "out of memory"),
    "500 in HTML": Fault(respond(500, HTML, "text/html"), BackendFailed, "500: Internal"),
    "a redirect": Fault(
        respond(307, b"", headers={"Location": "/v2"}), BackendRefused, "307: Temporary Redirect"
    ),
}


STREAM_FAULTS = {
    **{name: fault for name, fault in FAULTS.items() if re.match(r"[0-9]|a redirect|too", name)},
    "HTML with status 200": Fault(respond(200, HTML, "text/html"), InvalidAnswer, "broke off"),
    "an answer in one piece": Fault(answer(make_completion()), InvalidAnswer, "broke off"),
    "nothing": Fault(stream(end=b""), InvalidAnswer, "broke off"),
    "an end alone": Fault(stream(), InvalidAnswer, "broke off"),
    "no finish_reason": Fault(stream(make_chunk("It")), InvalidAnswer, "finish_reason"),
    "no [DONE]": Fault(
        stream(make_chunk("It", finish_reason="stop"), end=b""), InvalidAnswer, "DONE"
    ),
    "no JSON": Fault(stream(make_chunk("It"), end=b"data: {'a': 1}\n\n"), InvalidAnswer, "JSON"),
    "an empty document": Fault(stream({}), InvalidAnswer, "choices"),
    "choices that are null": Fault(stream(make_chunk(choices=None)), InvalidAnswer, "choices"),
    "content that is a number": Fault(stream(make_chunk(7)), InvalidAnswer, "content"),
    "no text": Fault(
        stream(make_chunk(" "), make_chunk(finish_reason="stop")), InvalidAnswer, "max_tokens"
    ),
    "a filtered answer": Fault(
        stream(make_chunk("It", finish_reason="content_filter")), InvalidAnswer, "content_filter"
    ),
    "no call of a tool": Fault(
        stream(make_chunk("It", finish_reason="tool_calls")), InvalidAnswer, "tool_calls"
    ),
    "a call without a name": Fault(
        stream(
            make_chunk(delta={"tool_calls": [{"index": 0, "id": "1"}]}, finish_reason="tool_calls")
        ),
        InvalidAnswer,
        "name",
    ),
    "an error in the middle": Fault(
        stream(make_chunk("It"), {"error": {"message": "out of memory"}}),
        BackendFailed,
        "out of memory",
    ),
    "a line without end": Fault(
        stream(end=b"data: " + b"x" * 2_000_000), InvalidAnswer, "endless line"
    ),
    "a closed connection": Fault(hang_up, InvalidAnswer, "broke off"),
    "a cut body": Fault(cut_body, InvalidAnswer, "broke off"),
    "no HTTP": Fault(send_garbage, InvalidAnswer, "broke off"),
}


@pytest.mark.parametrize("fault", STREAM_FAULTS.values(), ids=STREAM_FAULTS.keys())
async def test_an_invalid_stream_raises_a_backend_error(
    scripted: ModelServer, fault: Fault
) -> None:
    with pytest.raises(BackendError, match=f"(?s).*{fault.message}") as caught:
        await follow(scripted, fault.reply)
    assert type(caught.value) is fault.error


@pytest.mark.parametrize("streamed", [False, True])
async def test_tools_are_sent_and_tool_calls_parsed(scripted: ModelServer, streamed: bool) -> None:
    calls = [("add_note", '{"title": "Milk"}'), ("list_notes", "{}")]
    scripted.script = [say(calls=calls)]
    tool = ToolDefinition("add_note", "Keep a note.", {"type": "object"})
    question = Message("user", "Remember the milk.")
    backend = make_openai(scripted.url)
    chunks = [chunk async for chunk in backend.stream(ChatRequest([question], tools=[tool]))]
    made = tuple(chunk.call for chunk in chunks if isinstance(chunk, ToolCallChunk))
    if not streamed:
        scripted.script = [say(calls=calls)]
        completion = await backend.chat(ChatRequest([question], tools=[tool]))
        assert completion.finish_reason == "tool_calls"
        assert completion.text == ""
        made = completion.tool_calls
    assert [(call.name, call.arguments) for call in made] == calls
    assert scripted.asked[-1].body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "add_note",
                "description": "Keep a note.",
                "parameters": {"type": "object"},
            },
        }
    ]
    result = Message("tool", "It is kept.", tool_call_id=made[0].id)
    said = Message("assistant", "", tool_calls=made)
    await backend.chat(ChatRequest([question, said, result]))
    turns = scripted.asked[-1].body["messages"]
    assert isinstance(turns, list)
    assert [turn["id"] for turn in turns[1]["tool_calls"]] == ["call-0", "call-1"]
    assert turns[2] == {"role": "tool", "content": "It is kept.", "tool_call_id": "call-0"}
    await backend.close()


async def test_streamed_tool_calls_without_an_index_are_separated_by_their_ids(
    scripted: ModelServer,
) -> None:
    calls = [{"id": id_, "function": {"name": "add", "arguments": "{}"}} for id_ in ("one", "two")]
    chunks = await follow(
        scripted,
        stream(
            *(make_chunk(delta={"tool_calls": [call]}) for call in calls),
            make_chunk(delta={}, finish_reason="tool_calls"),
        ),
    )
    assert [chunk.call.id for chunk in chunks if isinstance(chunk, ToolCallChunk)] == [
        "one",
        "two",
    ]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_an_invalid_answer_raises_a_backend_error(
    scripted: ModelServer, fault: Fault
) -> None:
    with pytest.raises(BackendError, match=f"(?s).*{fault.message}") as caught:
        await ask(scripted, fault.reply)
    assert type(caught.value) is fault.error


async def test_the_backend_itself_does_not_retry(scripted: ModelServer) -> None:
    with pytest.raises(BackendFailed):
        await ask(scripted, respond(500, b""))
    assert len(scripted.asked) == 1


async def test_the_error_names_an_unreachable_server() -> None:
    url = f"http://127.0.0.1:{unused_port()}/v1"
    backend = make_openai(url)
    with pytest.raises(BackendUnavailable, match=rf"{url}.*plugins\.llm\.openai\.base_url"):
        await backend.chat(ChatRequest(CAPITAL))
    await backend.close()


async def test_a_silent_server_raises_an_error_after_the_timeout(scripted: ModelServer) -> None:
    never = asyncio.Event()
    scripted.script = [wait_for(never)]
    backend = make_openai(scripted.url, timeout=0.1)
    with pytest.raises(BackendTimeout, match=r"silent for 0\.1 s"):
        await backend.chat(ChatRequest(CAPITAL))
    never.set()
    await backend.close()


async def test_the_key_is_sent_and_redacted_in_errors(scripted: ModelServer) -> None:
    echo = respond(401, f'{{"error": {{"message": "wrong key {KEY}"}}}}'.encode())
    with pytest.raises(BackendRefused, match=r"wrong key \*\*\*") as caught:
        await ask(scripted, echo)
    assert KEY not in str(caught.getrepr(chain=True))
    assert scripted.asked[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_the_request_contains_model_messages_and_limits(scripted: ModelServer) -> None:
    backend = make_openai(scripted.url, temperature=0.5)
    await backend.chat(ChatRequest(CAPITAL))
    await backend.chat(ChatRequest(CAPITAL, "another"))
    await backend.close()
    first, second = scripted.asked
    assert first.messages == [("user", "What is the capital of France?")]
    assert (first.body["model"], second.body["model"]) == (MODEL, "another")
    assert (first.body["max_tokens"], first.body["temperature"]) == (64, 0.5)


async def test_an_unset_temperature_is_not_sent(scripted: ModelServer) -> None:
    backend = make_openai(scripted.url, temperature=None)
    await backend.chat(ChatRequest(CAPITAL))
    await backend.close()
    assert "temperature" not in scripted.asked[0].body


async def test_environment_variables_are_ignored(
    scripted: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = f"http://127.0.0.1:{unused_port()}"
    for name in ("OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, nowhere)
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-the-environment")
    monkeypatch.setenv(
        "OPENAI_CUSTOM_HEADERS",
        "Authorization: from-the-environment\nX-Team: from-the-environment",
    )
    backend = make_openai(scripted.url)
    await backend.chat(ChatRequest(CAPITAL))
    await backend.close()
    headers = scripted.asked[0].headers
    assert "from-the-environment" not in headers.values()
    assert headers["Authorization"] == "Bearer none"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/v1",
        "127.0.0.1:11434",
        "http://",
        "http://ada:secret@127.0.0.1/v1",
        "http://127.0.0.1/v1?key=secret",
    ],
)
def test_an_invalid_base_url_stops_the_start(url: str) -> None:
    with pytest.raises(ValidationError):
        OpenAiSettings.model_validate({"base_url": url})


@pytest.mark.parametrize("key", ["two words", "line\nend", "schlüssel"])
def test_a_key_that_does_not_fit_into_a_header_stops_the_start(key: str) -> None:
    with pytest.raises(ValidationError):
        OpenAiSettings.model_validate({"api_key": key})


def test_a_key_is_not_printed() -> None:
    settings = OpenAiSettings(base_url=HttpUrl("http://127.0.0.1/v1"), api_key=SecretStr(KEY))
    assert KEY not in f"{settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://team.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.openai.com.example.org/v1", "max_tokens"),
        ("http://127.0.0.1:11434/v1", "max_tokens"),
    ],
)
def test_the_token_limit_has_the_name_that_the_server_expects(url: str, name: str) -> None:
    assert OpenAiSettings(base_url=HttpUrl(url)).limit_name == name
