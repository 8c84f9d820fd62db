"""Contract of backends, tested with the three kinds of backends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import orjson
import pytest
import pytest_asyncio
from plugins.llm.gateways import CALL, CAPITAL, ask, make_gateway, make_openai

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
from biont.testing import ModelServer, respond, wait_for
from biont_llm import LlmGateway
from biont_llm.local.backend import LocalBackend
from biont_llm.local.llama_server import LlamaServer
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
async def scripted() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest_asyncio.fixture(
    params=["openai, scripted", "openai, llama.cpp", "local"], scope="module", loop_scope="module"
)
async def backend(request: pytest.FixtureRequest, scripted: ModelServer) -> AsyncIterator[Backend]:
    async with AsyncExitStack() as stack:
        made: Backend
        if request.param == "local":
            made = LocalBackend(LocalSettings(), Path("none"), max_tokens=64, timeout=30)
        elif request.param == "openai, scripted":
            made = make_openai(scripted.url)
        else:
            server = LlamaServer(find_model(None, Path("none")), context=4096, threads=1)
            stack.callback(server.close)
            made = make_openai(server.url, key=server.api_key, model=server.model)
        stack.push_async_callback(made.close)
        yield made


@pytest.fixture
def gateway(backend: Backend) -> LlmGateway:
    return make_gateway({"any": backend})


async def collect(gateway: LlmGateway, request: ChatRequest) -> tuple[list[Chunk], Answer]:
    async with gateway.stream(request, CALL) as stream:
        chunks = [chunk async for chunk in stream]
        assert stream.answer is not None
        return chunks, stream.answer


async def test_a_question_gets_an_answer(gateway: LlmGateway) -> None:
    answer = await ask(gateway)
    assert "Paris" in answer.text
    assert answer.model in {"scripted-1", "SmolLM2-135M-Instruct"}
    assert answer.finish_reason == "stop"
    assert answer.usage.prompt_tokens
    assert answer.usage.completion_tokens
    assert not answer.usage.estimated


async def test_a_streamed_answer_arrives_in_chunks(gateway: LlmGateway) -> None:
    chunks, answer = await collect(gateway, ChatRequest(CAPITAL))
    *texts, usage, end = chunks
    assert len(texts) > 1
    said = "".join(chunk.text for chunk in texts if isinstance(chunk, TextChunk))
    assert said.strip() == answer.text
    assert "Paris" in said
    assert isinstance(usage, UsageChunk)
    assert usage.usage == answer.usage
    assert not answer.usage.estimated
    assert end == DoneChunk(answer.model, "stop")


async def test_a_text_gets_a_summary(gateway: LlmGateway) -> None:
    answer = await ask(gateway, Message("user", f"Summarise in one sentence: {TEXT}"))
    assert "library" in answer.text
    assert len(answer.text) < len(TEXT)


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_follows_its_json_schema(gateway: LlmGateway, streamed: bool) -> None:
    request = ChatRequest(CAPITAL, response_format=ResponseFormat("city", CITY))
    answer = (
        (await collect(gateway, request))[1] if streamed else await gateway.chat(request, CALL)
    )
    assert "Paris" in orjson.loads(answer.text)["city"]


async def test_concurrent_calls_get_answers(gateway: LlmGateway) -> None:
    answers = await asyncio.gather(
        *(ask(gateway) for _ in range(3)), collect(gateway, ChatRequest(CAPITAL))
    )
    assert all("Paris" in str(answer) for answer in answers)


async def test_a_conversation_gets_an_answer(gateway: LlmGateway) -> None:
    turns = [
        Message("system", "Answer in one word."),
        Message("user", "Good morning."),
        Message("assistant", "Hello."),
        *CAPITAL,
    ]
    assert "Paris" in (await ask(gateway, *turns)).text


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_call_after_a_prompt_beyond_the_context_gets_an_answer(
    gateway: LlmGateway, scripted: ModelServer, streamed: bool
) -> None:
    refusal = {"message": "maximum context length", "code": "context_length_exceeded"}
    scripted.script = [respond(400, orjson.dumps({"error": refusal}))]
    request = ChatRequest([Message("user", "too long " * 4000)])
    with pytest.raises(PromptTooLong, match="400"):
        await (collect(gateway, request) if streamed else gateway.chat(request, CALL))
    scripted.script = []
    assert "Paris" in (await ask(gateway)).text


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_call_after_a_timeout_gets_an_answer(
    backend: Backend, gateway: LlmGateway, scripted: ModelServer, streamed: bool
) -> None:
    later = asyncio.Event()
    scripted.script = [wait_for(later)]
    hasty = make_gateway({"any": backend}, timeout=0.2, concurrency=1)
    request = ChatRequest([Message("user", "Tell a very long story about a dragon.")])
    with pytest.raises(BackendTimeout, match=r"0.2 s.*plugins\.llm\.timeout"):
        await (collect(hasty, request) if streamed else hasty.chat(request, CALL))
    later.set()
    scripted.script = []
    assert "Paris" in (await ask(gateway)).text


async def test_an_abandoned_stream_releases_its_slot(
    backend: Backend, scripted: ModelServer
) -> None:
    gateway = make_gateway({"any": backend}, concurrency=1)
    for _ in range(3):
        async with gateway.stream(ChatRequest(CAPITAL), CALL) as stream:
            async for chunk in stream:
                assert isinstance(chunk, TextChunk)
                break
        assert stream.answer is None
        assert stream.usage.estimated
    assert "Paris" in (await ask(gateway)).text
    await scripted.wait_until_busy(0)


async def test_a_backend_lists_its_models(gateway: LlmGateway) -> None:
    (state,) = await gateway.read_backend_states()
    (model,) = state.models
    assert model.name in {"scripted-1", "SmolLM2-135M-Instruct"}
    assert model.context
    assert "Paris" in (await ask(gateway, model=f"any/{model.name}")).text
