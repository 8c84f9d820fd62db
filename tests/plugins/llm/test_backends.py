"""What every backend promises, asked of each: one contract, three ways to a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from plugins.llm.asking import CAPITAL, make_models, make_openai
from plugins.llm.scripted_server import ScriptedServer, respond, wait_for

from biont import Backend, Message
from biont.exceptions import BackendError, BackendTimeout
from biont_llm import LanguageModels
from biont_llm.local_backend import LocalBackend
from biont_llm.local_server import LocalServer, find_model
from biont_llm.settings import LocalSettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = (
    "The city library opened a new reading room on Monday. It has 120 seats, large windows "
    "and free internet, and it is open every day until midnight."
)


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
            made = LocalBackend(LocalSettings(), max_tokens=64, timeout=30)
        elif request.param == "openai, scripted":
            made = make_openai(scripted.url)
        else:
            server = LocalServer(find_model(None), context=4096, threads=1)
            stack.callback(server.close)
            made = make_openai(server.url, key=server.api_key, model=server.model)
        stack.push_async_callback(made.close)
        yield made


@pytest.fixture
def models(backend: Backend) -> LanguageModels:
    return make_models({"any": backend})


async def test_it_knows_the_capital_of_france(models: LanguageModels) -> None:
    completion = await models.complete(CAPITAL)
    assert "Paris" in completion.text
    assert completion.model in {"scripted-1", "SmolLM2-135M-Instruct"}
    assert completion.prompt_tokens
    assert completion.completion_tokens


async def test_it_summarises(models: LanguageModels) -> None:
    prompt = Message("user", f"Summarise in one sentence: {TEXT}")
    completion = await models.complete([prompt])
    assert "library" in completion.text
    assert len(completion.text) < len(TEXT)


async def test_it_answers_several_at_once(models: LanguageModels) -> None:
    completions = await asyncio.gather(*(models.complete(CAPITAL) for _ in range(4)))
    assert all("Paris" in completion.text for completion in completions)


async def test_it_follows_a_conversation(models: LanguageModels) -> None:
    turns = [
        Message("system", "Answer in one word."),
        Message("user", "Good morning."),
        Message("assistant", "Hello."),
        *CAPITAL,
    ]
    assert "Paris" in (await models.complete(turns)).text


async def test_a_refused_question_is_an_error_and_the_next_one_is_answered(
    models: LanguageModels, scripted: ScriptedServer
) -> None:
    scripted.script = [respond(400, b'{"error": {"message": "too long"}}')]
    with pytest.raises(BackendError, match="400"):
        await models.complete([Message("user", "too long " * 4000)])
    scripted.script = []
    assert "Paris" in (await models.complete(CAPITAL)).text


async def test_an_answer_that_takes_too_long_is_given_up_and_the_next_one_comes(
    backend: Backend, models: LanguageModels, scripted: ScriptedServer
) -> None:
    later = asyncio.Event()
    scripted.script = [wait_for(later)]
    hasty = make_models({"any": backend}, timeout=0.2)
    with pytest.raises(BackendTimeout, match=r"0.2 s.*plugins\.llm\.timeout"):
        await hasty.complete([Message("user", "Tell a very long story about a dragon.")])
    later.set()
    scripted.script = []
    assert "Paris" in (await models.complete(CAPITAL)).text
