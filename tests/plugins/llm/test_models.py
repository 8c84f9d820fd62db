"""All models behind one call: chosen by name, made once, asked within limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pytest
from plugins.llm.asking import (
    CALL,
    CAPITAL,
    MemoryBook,
    ask,
    make_bare_workbench,
    make_models,
    make_openai,
)
from support.clock import FakeClock
from support.scripted_server import MODEL, ScriptedServer, respond, say, stream, wait_for

from biont import Workbench
from biont.exceptions import (
    BackendFailed,
    BackendMissing,
    BackendOverloaded,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
    InvalidAnswer,
)
from biont.llm import (
    ChatRequest,
    Chunk,
    Completion,
    DoneChunk,
    Message,
    ModelInfo,
    ResponseFormat,
    TextChunk,
)
from biont_llm import LlmGateway
from biont_llm.settings import LlmSettings

SYSTEM = ("system", LlmSettings().system_prompt)
LIMITED = respond(429, b"{}", headers={"Retry-After": "0"})


@dataclass
class Echo:
    """A plugin's own backend: says the last message again."""

    name: str = "echo"
    error: Exception | None = None
    closed: list[str] = field(default_factory=list)
    calls: int = 0

    async def chat(self, request: ChatRequest) -> Completion:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return Completion(text=request.messages[-1].content, model=request.model or self.name)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        completion = await self.chat(request)
        yield TextChunk(completion.text)
        yield DoneChunk(completion.model)

    async def list_models(self) -> Sequence[ModelInfo]:
        return [ModelInfo(self.name)]

    async def close(self) -> None:
        self.closed.append(self.name)
        if self.error is not None:
            raise self.error


async def test_the_default_is_asked_or_whom_the_model_means() -> None:
    models = make_models(
        {"first": Echo("one"), "second": Echo("two"), "openai": Echo("three")},
        openai={"model": "gpt", "models": ["org/big"]},
    )
    assert models.backends == ["first", "openai", "second"]
    said = {
        model: (answer.backend, answer.model)
        for model in (None, "second", "second/a/b", "org/big", "gpt", "unknown", "un/known")
        for answer in [await ask(models, model=model)]
    }
    assert said == {
        None: ("first", "one"),
        "second": ("second", "two"),
        "second/a/b": ("second", "a/b"),
        "org/big": ("openai", "org/big"),
        "gpt": ("openai", "gpt"),
        "unknown": ("first", "unknown"),
        "un/known": ("first", "un/known"),
    }


@pytest.mark.parametrize("chosen", [{"backend": "locale"}, {"fallback": ["locale/big"]}])
def test_an_unknown_backend_is_found_at_start(chosen: dict[str, object]) -> None:
    with pytest.raises(BackendMissing, match="'locale'; there are first, second"):
        make_models({"second": Echo(), "first": Echo()}, None, None, **chosen)


async def test_a_system_prompt_goes_before_messages_that_have_none(
    scripted: ScriptedServer,
) -> None:
    models = make_models({"openai": make_openai(scripted.url)})
    await ask(models)
    await ask(models, Message("system", "Be brief."), *CAPITAL)
    await models.close()
    question = ("user", "What is the capital of France?")
    assert scripted.asked[0].messages == [SYSTEM, question]
    assert scripted.asked[1].messages == [("system", "Be brief."), question]


async def test_what_a_request_says_stands_over_the_settings(scripted: ScriptedServer) -> None:
    models = make_models({"openai": make_openai(scripted.url)})
    await models.chat(ChatRequest(CAPITAL, max_tokens=7, temperature=1.5), CALL)
    await models.close()
    assert (scripted.asked[0].body["max_tokens"], scripted.asked[0].body["temperature"]) == (
        7,
        1.5,
    )


async def test_a_backend_is_made_at_its_first_use_and_once() -> None:
    made: list[Workbench] = []

    def make(given: Workbench) -> Echo:
        made.append(given)
        return Echo()

    workbench = make_bare_workbench({"echo": make})
    models = LlmGateway(workbench, LlmSettings(backend="echo"), MemoryBook())
    assert made == []
    await asyncio.gather(*(ask(models) for _ in range(5)))
    assert made == [workbench]


@pytest.mark.parametrize("streamed", [False, True])
async def test_tokens_that_nobody_counts_are_estimated(streamed: bool) -> None:
    models = make_models({"echo": Echo()}, system_prompt="")
    request = ChatRequest([Message("user", "x" * 40), Message("user", "grüß")])
    if streamed:
        async with models.stream(request, CALL) as opened:
            assert [type(chunk).__name__ async for chunk in opened] == [
                "TextChunk",
                "UsageChunk",
                "DoneChunk",
            ]
        usage = opened.usage
    else:
        usage = (await models.chat(request, CALL)).usage
    assert usage.estimated
    assert usage.prompt_tokens == (4 + 10) + (4 + 2)
    assert usage.completion_tokens == 2


async def test_calls_wait_for_a_place_and_not_for_other_backends(
    scripted: ScriptedServer,
) -> None:
    go = asyncio.Event()
    scripted.script = [wait_for(go)] * 6
    async with ScriptedServer() as other:
        models = make_models(
            {"busy": make_openai(scripted.url), "free": make_openai(other.url)}, concurrency=2
        )
        calls = [asyncio.create_task(ask(models)) for _ in range(6)]
        await scripted.wait_until_busy(2)
        assert "Paris" in (await ask(models, model="free")).text
        go.set()
        assert all("Paris" in answer.text for answer in await asyncio.gather(*calls))
        await models.close()
    assert len(scripted.asked) == 6
    assert scripted.busiest == 2


async def test_waiting_for_a_place_does_not_count_as_time_of_the_call(
    scripted: ScriptedServer,
) -> None:
    models = make_models({"openai": make_openai(scripted.url)}, timeout=2, concurrency=1)
    # The first call imports the client, which is no part of what is measured here.
    await ask(models)
    never = asyncio.Event()
    scripted.script = [wait_for(never)]
    slow = asyncio.create_task(ask(models))
    await scripted.wait_until_busy(1)
    assert "Paris" in (await ask(models)).text
    with pytest.raises(BackendTimeout, match=r"'openai' gave no answer within 2 s"):
        await slow
    never.set()
    await models.close()


async def test_a_timeout_of_a_backends_own_is_not_taken_for_ours() -> None:
    models = make_models({"echo": Echo(error=TimeoutError("its own"))})
    with pytest.raises(TimeoutError, match="its own"):
        await ask(models)


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_a_server_cannot_take_is_asked_again_when_it_says(
    scripted: ScriptedServer, streamed: bool
) -> None:
    scripted.script = [LIMITED, respond(503, b"", headers={"Retry-After": "0"})]
    models = make_models({"openai": make_openai(scripted.url)})
    if streamed:
        async with models.stream(ChatRequest(CAPITAL), CALL) as opened:
            assert [chunk async for chunk in opened]
            assert "Paris" in opened.text
    else:
        assert "Paris" in (await ask(models)).text
    assert len(scripted.asked) == 3
    await models.close()


async def test_a_question_is_asked_again_a_limited_number_of_times(
    scripted: ScriptedServer,
) -> None:
    scripted.script = [LIMITED] * 9
    models = make_models({"openai": make_openai(scripted.url)}, retries=2)
    with pytest.raises(BackendOverloaded):
        await ask(models)
    assert len(scripted.asked) == 3
    await models.close()


async def test_a_server_that_wants_a_long_pause_is_not_waited_for(
    scripted: ScriptedServer,
) -> None:
    scripted.script = [respond(429, b"{}", headers={"Retry-After": "7"})]
    models = make_models({"openai": make_openai(scripted.url)}, longest_pause=5)
    with pytest.raises(BackendOverloaded) as caught:
        await ask(models)
    assert caught.value.retry_after == 7
    assert len(scripted.asked) == 1
    await models.close()


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_refusal_is_not_asked_again(scripted: ScriptedServer, status: int) -> None:
    scripted.script = [respond(status, b"{}")]
    models = make_models({"openai": make_openai(scripted.url), "echo": Echo()}, fallback=["echo"])
    with pytest.raises(BackendRefused):
        await ask(models)
    assert len(scripted.asked) == 1
    await models.close()


async def test_nothing_is_asked_again_once_a_piece_has_come(scripted: ScriptedServer) -> None:
    cut = {"error": {"message": "out of memory"}}
    chunk = {"model": MODEL, "choices": [{"delta": {"content": "It"}}]}
    scripted.script = [stream(chunk, cut)]
    models = make_models({"openai": make_openai(scripted.url), "echo": Echo()}, fallback=["echo"])
    async with models.stream(ChatRequest(CAPITAL), CALL) as opened:
        with pytest.raises(BackendFailed, match="out of memory"):
            assert [chunk async for chunk in opened]
        assert opened.text == "It"
        assert opened.answer is None
    assert len(scripted.asked) == 1
    await models.close()


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_fallback_is_asked_in_order_where_no_model_is_named(
    scripted: ScriptedServer, streamed: bool
) -> None:
    scripted.script = [respond(200, b"<html>", "text/html")]
    broken = Echo(error=BackendUnavailable("away"))
    models = make_models(
        {"openai": make_openai(scripted.url), "broken": broken, "echo": Echo()},
        fallback=["broken", "echo/big"],
        retries=0,
    )
    if streamed:
        async with models.stream(ChatRequest(CAPITAL), CALL) as opened:
            assert [chunk async for chunk in opened]
        answer = opened.answer
        assert answer is not None
    else:
        answer = await ask(models)
    assert (answer.backend, answer.model) == ("echo", "big")
    with pytest.raises(BackendUnavailable, match="away"):
        await ask(models, model="broken")
    broken.error = None
    await models.close()


async def test_a_backend_that_only_fails_is_left_alone_for_a_while() -> None:
    clock = FakeClock()
    echo = Echo(error=InvalidAnswer("nonsense"))
    models = make_models({"echo": echo}, clock, circuit_failures=3, circuit_pause=30)
    for _ in range(3):
        with pytest.raises(InvalidAnswer):
            await ask(models)
    clock.advance(seconds=10)
    with pytest.raises(BackendUnavailable, match="left alone for 20 s") as caught:
        await ask(models)
    assert caught.value.retry_after == 20
    assert echo.calls == 3
    clock.advance(seconds=20)
    with pytest.raises(InvalidAnswer):
        await ask(models)
    with pytest.raises(BackendUnavailable, match="left alone for 30 s"):
        await ask(models)
    clock.advance(seconds=30)
    echo.error = None
    for _ in range(3):
        assert (await ask(models)).text
    assert echo.calls == 7


async def test_one_question_alone_tries_a_backend_that_was_left_alone(
    scripted: ScriptedServer,
) -> None:
    clock, go_on = FakeClock(), asyncio.Event()
    scripted.script = [respond(500, b""), wait_for(go_on)]
    models = make_models(
        {"openai": make_openai(scripted.url)}, clock, circuit_failures=1, retries=0
    )
    with pytest.raises(BackendFailed):
        await ask(models)
    clock.advance(seconds=30)
    trial = asyncio.create_task(ask(models))
    await scripted.wait_until_busy(1)
    with pytest.raises(BackendUnavailable, match="left alone"):
        await ask(models)
    go_on.set()
    assert (await trial).text
    assert (await ask(models)).text
    await models.close()


async def test_a_refusal_is_no_failure_of_the_backend() -> None:
    echo = Echo(error=BackendRefused("no such model"))
    models = make_models({"echo": echo}, circuit_failures=1)
    for _ in range(3):
        with pytest.raises(BackendRefused):
            await ask(models)


async def test_what_is_to_be_json_and_is_none_is_no_answer(scripted: ScriptedServer) -> None:
    models = make_models({"openai": make_openai(scripted.url)})
    request = ChatRequest(CAPITAL, response_format=ResponseFormat("city", {"type": "object"}))
    scripted.script = [say("It is Paris."), say("It is Paris.")]
    with pytest.raises(InvalidAnswer, match="asked for JSON"):
        await models.chat(request, CALL)
    with pytest.raises(InvalidAnswer, match="asked for JSON"):
        async with models.stream(request, CALL) as opened:
            assert [chunk async for chunk in opened]
    await models.close()


async def test_closing_closes_those_that_were_made_whatever_one_of_them_does() -> None:
    closed: list[str] = []
    models = make_models(
        {
            "one": Echo("one", closed=closed),
            "two": Echo("two", RuntimeError("stuck"), closed),
            "unused": Echo("unused", closed=closed),
        }
    )
    await ask(models)
    with pytest.raises(RuntimeError, match="stuck"):
        await ask(models, model="two")
    with pytest.raises(RuntimeError, match="stuck"):
        await models.close()
    assert closed == ["two", "one"]
