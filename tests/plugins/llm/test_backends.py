"""What every backend promises, asked of each: one contract, three ways to a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import orjson
import pytest
import pytest_asyncio
from plugins.llm.asking import CALL, CAPITAL, ask, make_models, make_openai
from support.scripted_server import ScriptedServer, respond, wait_for

from biont import JsonObject
from biont.exceptions import BackendTimeout, PromptTooLong
from biont.llm import (
    Answer,
    Backend,
    ChatRequest,
    Chunk,
    DoneChunk,
    Message,
    ResponseFormat,
    TextChunk,
    UsageChunk,
)
from biont_llm import LlmGateway
from biont_llm.local.backend import LocalBackend
from biont_llm.local.llama_server import LocalServer
from biont_llm.local.model_file import find_model
from biont_llm.settings import LocalSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = (
    "The city library opened a new reading room on Monday. It has 120 seats, large windows "
    "and free internet, and it is open every day until midnight."
)

CITY: JsonObject = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scripted() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as running:
        yield running


@pytest_asyncio.fixture(
    params=["openai, scripted", "openai, llama.cpp", "local"], scope="module", loop_scope="module"
)
async def backend(
    request: pytest.FixtureRequest, scripted: ScriptedServer
) -> AsyncIterator[Backend]:
    async with AsyncExitStack() as stack:
        made: Backend
        if request.param == "local":
            made = LocalBackend(LocalSettings(), Path("none"), max_tokens=64, timeout=30)
        elif request.param == "openai, scripted":
            made = make_openai(scripted.url)
        else:
            server = LocalServer(find_model(None, Path("none")), context=4096, threads=1)
            stack.callback(server.close)
            made = make_openai(server.url, key=server.api_key, model=server.model)
        stack.push_async_callback(made.close)
        yield made


@pytest.fixture
def models(backend: Backend) -> LlmGateway:
    return make_models({"any": backend})


async def collect(models: LlmGateway, request: ChatRequest) -> tuple[list[Chunk], Answer]:
    async with models.stream(request, CALL) as stream:
        chunks = [chunk async for chunk in stream]
        assert stream.answer is not None
        return chunks, stream.answer


async def test_it_knows_the_capital_of_france(models: LlmGateway) -> None:
    answer = await ask(models)
    assert "Paris" in answer.text
    assert answer.model in {"scripted-1", "SmolLM2-135M-Instruct"}
    assert answer.finish_reason == "stop"
    assert answer.usage.prompt_tokens
    assert answer.usage.completion_tokens
    assert not answer.usage.estimated


async def test_it_knows_it_piece_by_piece(models: LlmGateway) -> None:
    chunks, answer = await collect(models, ChatRequest(CAPITAL))
    *texts, usage, end = chunks
    assert len(texts) > 1
    said = "".join(chunk.text for chunk in texts if isinstance(chunk, TextChunk))
    assert said.strip() == answer.text
    assert "Paris" in said
    assert isinstance(usage, UsageChunk)
    assert usage.usage == answer.usage
    assert not answer.usage.estimated
    assert end == DoneChunk(answer.model, "stop")


async def test_it_summarises(models: LlmGateway) -> None:
    answer = await ask(models, Message("user", f"Summarise in one sentence: {TEXT}"))
    assert "library" in answer.text
    assert len(answer.text) < len(TEXT)


@pytest.mark.parametrize("streamed", [False, True])
async def test_it_follows_a_schema(models: LlmGateway, streamed: bool) -> None:
    request = ChatRequest(CAPITAL, response_format=ResponseFormat("city", CITY))
    answer = (await collect(models, request))[1] if streamed else await models.chat(request, CALL)
    assert "Paris" in orjson.loads(answer.text)["city"]


async def test_it_answers_several_at_once(models: LlmGateway) -> None:
    answers = await asyncio.gather(
        *(ask(models) for _ in range(3)), collect(models, ChatRequest(CAPITAL))
    )
    assert all("Paris" in str(answer) for answer in answers)


async def test_it_follows_a_conversation(models: LlmGateway) -> None:
    turns = [
        Message("system", "Answer in one word."),
        Message("user", "Good morning."),
        Message("assistant", "Hello."),
        *CAPITAL,
    ]
    assert "Paris" in (await ask(models, *turns)).text


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_prompt_beyond_the_context_is_an_error_and_the_next_is_answered(
    models: LlmGateway, scripted: ScriptedServer, streamed: bool
) -> None:
    refusal = {"message": "maximum context length", "code": "context_length_exceeded"}
    scripted.script = [respond(400, orjson.dumps({"error": refusal}))]
    request = ChatRequest([Message("user", "too long " * 4000)])
    with pytest.raises(PromptTooLong, match="400"):
        await (collect(models, request) if streamed else models.chat(request, CALL))
    scripted.script = []
    assert "Paris" in (await ask(models)).text


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_that_takes_too_long_is_given_up_and_the_next_one_comes(
    backend: Backend, models: LlmGateway, scripted: ScriptedServer, streamed: bool
) -> None:
    later = asyncio.Event()
    scripted.script = [wait_for(later)]
    hasty = make_models({"any": backend}, timeout=0.2, concurrency=1)
    request = ChatRequest([Message("user", "Tell a very long story about a dragon.")])
    with pytest.raises(BackendTimeout, match=r"0.2 s.*plugins\.llm\.timeout"):
        await (collect(hasty, request) if streamed else hasty.chat(request, CALL))
    later.set()
    scripted.script = []
    assert "Paris" in (await ask(models)).text


async def test_a_stream_that_nobody_wants_any_more_gives_its_place_back(
    backend: Backend, scripted: ScriptedServer
) -> None:
    models = make_models({"any": backend}, concurrency=1)
    for _ in range(3):
        async with models.stream(ChatRequest(CAPITAL), CALL) as stream:
            async for chunk in stream:
                assert isinstance(chunk, TextChunk)
                break
        assert stream.answer is None
        assert stream.usage.estimated
    assert "Paris" in (await ask(models)).text
    await scripted.wait_until_busy(0)


async def test_it_names_its_models(models: LlmGateway) -> None:
    (state,) = await models.survey()
    (model,) = state.models
    assert model.name in {"scripted-1", "SmolLM2-135M-Instruct"}
    assert model.context
    assert "Paris" in (await ask(models, model=f"any/{model.name}")).text
