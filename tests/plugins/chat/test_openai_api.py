"""OpenAI's API, used by OpenAI's own client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from plugins.chat.chat_settings import make_chat_settings

from biont import Scope
from biont.testing import (
    MODEL,
    ApiClient,
    MakeClient,
    ModelServer,
    Reply,
    make_chunk,
    respond,
    rows_of,
    say,
    stream,
)

CAPITAL: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the capital of France?"}
]
LOOK: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": {"type": "object"}},
}


@pytest.fixture
def sections(scripted: ModelServer) -> dict[str, object]:
    return make_chat_settings(scripted.url)


def make_ai(url: str, key: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{url}/v1",
        api_key=key,
        max_retries=0,
        http_client=httpx2.AsyncClient(trust_env=False),
    )


@pytest.fixture
async def ai(open_client: MakeClient) -> AsyncIterator[openai.AsyncOpenAI]:
    chatting = await open_client(scope=Scope.CHAT)
    async with make_ai(chatting.url, chatting.headers["X-API-Key"]) as client:
        yield client


async def test_a_chat_completion_is_answered(
    ai: openai.AsyncOpenAI, scripted: ModelServer
) -> None:
    done = await ai.chat.completions.create(
        model="default", messages=CAPITAL, temperature=0.5, max_tokens=9
    )
    assert done.choices[0].message.content == "It is Paris."
    assert done.choices[0].finish_reason == "stop"
    assert done.model == MODEL
    assert done.usage is not None
    assert done.usage.total_tokens == 12
    assert (scripted.asked[0].body["temperature"], scripted.asked[0].body["max_tokens"]) == (
        0.5,
        9,
    )


async def test_a_chat_completion_is_streamed(ai: openai.AsyncOpenAI) -> None:
    chunks = [
        chunk
        async for chunk in await ai.chat.completions.create(
            model="openai/big",
            messages=CAPITAL,
            stream=True,
            stream_options={"include_usage": True},
        )
    ]
    *pieces, end, last = chunks
    assert [piece.choices[0].delta.content for piece in pieces] == ["It", " is", " Paris."]
    assert pieces[0].choices[0].delta.role == "assistant"
    assert end.choices[0].finish_reason == "stop"
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 12
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_tools_of_the_client_are_passed_to_the_model_and_back(
    ai: openai.AsyncOpenAI, scripted: ModelServer, streamed: bool
) -> None:
    scripted.script = [say(calls=[("look", '{"at": 1}'), ("look", "{}")]), say("A cat.")]
    if streamed:
        async with ai.chat.completions.stream(
            model="default", messages=CAPITAL, tools=[LOOK]
        ) as opened:
            done = await opened.get_final_completion()
        calls = done.choices[0].message.tool_calls
    else:
        plain = await ai.chat.completions.create(model="default", messages=CAPITAL, tools=[LOOK])
        calls = plain.choices[0].message.tool_calls  # type: ignore[assignment]  # or none
    assert calls is not None
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("look", '{"at": 1}'),
        ("look", "{}"),
    ]
    assert scripted.asked[0].body["tools"] == [LOOK]
    messages: list[ChatCompletionMessageParam] = [
        *CAPITAL,
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": calls[0].id,
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"at": 1}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": calls[0].id, "content": "cat"},
    ]
    done_ = await ai.chat.completions.create(model="default", messages=messages)
    assert done_.choices[0].message.content == "A cat."
    assert [role for role, _ in scripted.asked[1].messages][-3:] == ["user", "assistant", "tool"]


async def test_an_answer_follows_a_schema(ai: openai.AsyncOpenAI, scripted: ModelServer) -> None:
    schema: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}
    await ai.chat.completions.create(
        model="default",
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "The capital?"}]},
        ],
        response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": schema}},
    )
    shape = scripted.asked[0].body["response_format"]
    assert shape == {
        "type": "json_schema",
        "json_schema": {"name": "city", "schema": schema, "strict": True},
    }
    assert scripted.asked[0].messages == [("system", "Be brief."), ("user", "The capital?")]


@pytest.mark.parametrize("streamed", [False, True])
async def test_store_creates_a_conversation_and_each_answer_emits_an_event(
    ai: openai.AsyncOpenAI, client: ApiClient, streamed: bool
) -> None:
    async def complete(**more: object) -> None:
        done = await ai.chat.completions.create(
            model="default",
            messages=CAPITAL,
            stream=streamed,
            **more,  # type: ignore[call-overload]  # as each test has them
        )
        if streamed:
            assert [chunk async for chunk in done]

    await complete()
    assert (await client.get("/conversations"))["data"] == []
    await complete(store=True)
    await complete(metadata={"conversation_id": "1"})
    page = await client.get("/conversations/1/messages")
    assert isinstance(page["data"], list)
    assert len(page["data"]) == 4
    events = await client.get("/events?event_type=ai_message")
    assert isinstance(events["data"], list)
    assert len(events["data"]) == 3


async def test_models_are_listed(ai: openai.AsyncOpenAI) -> None:
    names = [model.id async for model in ai.models.list()]
    assert names == ["local/SmolLM2-135M-Instruct", f"openai/{MODEL}"]


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (respond(429, b"{}"), openai.InternalServerError, None),
        (respond(500, b"{}"), openai.InternalServerError, None),
        (
            respond(400, b'{"error": {"code": "context_length_exceeded"}}'),
            openai.BadRequestError,
            "context_length_exceeded",
        ),
        (respond(200, b"<html>", "text/html"), openai.InternalServerError, None),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_errors_have_the_format_of_openai(
    ai: openai.AsyncOpenAI,
    scripted: ModelServer,
    reply: Reply,
    error: type[openai.APIStatusError],
    code: str | None,
    streamed: bool,
) -> None:
    scripted.script = [reply]
    with pytest.raises(error) as caught:
        await ai.chat.completions.create(
            model="default",
            messages=CAPITAL,
            stream=streamed,
        )
    assert caught.value.code == code
    assert caught.value.type in {"server_error", "invalid_request_error"}
    assert "model's server" in caught.value.message


async def test_a_broken_off_stream_ends_with_an_error(
    ai: openai.AsyncOpenAI, scripted: ModelServer
) -> None:
    scripted.script = [stream(make_chunk("One"), end=b"")]
    with pytest.raises(openai.APIError, match="broke off"):
        async for _ in await ai.chat.completions.create(
            model="default", messages=CAPITAL, stream=True
        ):
            pass


async def test_the_error_of_an_invalid_request_names_the_parameter(ai: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await ai.chat.completions.create(model="default", messages=[])
    assert caught.value.param == "messages"
    with pytest.raises(openai.BadRequestError) as caught:
        await ai.chat.completions.create(model="default", messages=CAPITAL, n=2)
    assert caught.value.param == "n"
    with pytest.raises(openai.BadRequestError, match="role user"):
        await ai.chat.completions.create(
            model="default", messages=[{"role": "system", "content": "Hm."}]
        )
    with pytest.raises(openai.NotFoundError):
        await ai.chat.completions.create(
            model="default", messages=CAPITAL, metadata={"conversation_id": "7"}
        )


async def test_keys_are_checked(open_client: MakeClient) -> None:
    hooks = await open_client(scope=Scope.WEBHOOK)
    async with make_ai(hooks.url, "asb_nonsense") as nobody:
        with pytest.raises(openai.AuthenticationError) as caught:
            await nobody.models.list()
        assert caught.value.code == "invalid_api_key"
    async with make_ai(hooks.url, hooks.headers["X-API-Key"]) as webhook:
        with pytest.raises(openai.PermissionDeniedError):
            await webhook.models.list()
    # Only OpenAI's API accepts bearer tokens.
    bearer = {"Authorization": f"Bearer {hooks.headers['X-API-Key']}"}
    async with (
        aiohttp.ClientSession(headers=bearer) as session,  # noqa: TID251  # our own server
        session.get(f"{hooks.url}/api/v1/webhooks/outgoing") as response,
    ):
        assert response.status == 401


async def test_the_model_is_stopped_when_the_client_leaves(
    ai: openai.AsyncOpenAI, client: ApiClient, scripted: ModelServer
) -> None:
    async def hang(number: int) -> None:
        if number > 1:
            await asyncio.Event().wait()

    scripted.script = [say("One two three", pause=hang)]
    opened = await ai.chat.completions.create(
        model="default", messages=CAPITAL, stream=True, store=True
    )
    async for chunk in opened:
        assert chunk.choices[0].delta.content == "One"
        break
    await opened.close()
    await scripted.wait_until_busy(0)
    page = await client.get_until("/conversations", lambda page: page["data"])
    assert page["data"]


KEEP = say("I keep it.", calls=[("create_note", '{"title": "Kept"}')])


@pytest.mark.parametrize("streamed", [False, True])
async def test_tools_of_the_workbench_are_called_by_the_workbench(
    open_client: MakeClient, scripted: ModelServer, streamed: bool
) -> None:
    client = await open_client()
    scripted.script = [KEEP, say("Done.")]
    async with make_ai(client.url, client.headers["X-API-Key"]) as ai:
        if streamed:
            chunks = [
                chunk.choices[0]
                async for chunk in await ai.chat.completions.create(
                    model="default",
                    messages=CAPITAL,
                    stream=True,
                    metadata={"tools": "search_notes, create_note"},
                )
            ]
            text = "".join(chunk.delta.content or "" for chunk in chunks)
            assert text == "I keep it.Done."
            assert not any(chunk.delta.tool_calls for chunk in chunks)
            assert chunks[-1].finish_reason == "stop"
        else:
            done = await ai.chat.completions.create(
                model="default",
                messages=CAPITAL,
                metadata={"tools": "search_notes, create_note"},
            )
            assert done.choices[0].message.content == "Done."
            assert done.choices[0].message.tool_calls is None
    (note,) = rows_of(await client.get("/notes"))
    assert note["title"] == "Kept"


@pytest.mark.parametrize(
    ("tools", "own"), [("dance", False), ("create_note", True), ("send_message", False)]
)
async def test_unusable_tools_of_the_workbench_are_refused(
    open_client: MakeClient, tools: str, own: bool
) -> None:
    client = await open_client()
    async with make_ai(client.url, client.headers["X-API-Key"]) as ai:
        with pytest.raises(openai.BadRequestError):
            await ai.chat.completions.create(
                model="default",
                messages=CAPITAL,
                metadata={"tools": tools},
                tools=[LOOK] if own else openai.omit,
            )


async def test_a_key_of_scope_chat_may_not_use_tools_of_the_workbench(
    ai: openai.AsyncOpenAI,
) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        await ai.chat.completions.create(
            model="default", messages=CAPITAL, metadata={"tools": "create_note"}
        )
