"""Gateway: choice of the backend, limits, retries, circuit breaker and fallbacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pytest
from plugins.llm.gateways import (
    CALL,
    CAPITAL,
    MemoryCallLog,
    ask,
    make_bare_workbench,
    make_gateway,
    make_openai,
)

from biont import Workbench
from biont.exceptions import (
    BackendFailed,
    BackendMissing,
    BackendOverloaded,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
    CircuitOpen,
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
from biont.testing import MODEL, ManualClock, ModelServer, respond, say, stream, wait_for
from biont_llm import LlmGateway
from biont_llm.settings import LlmSettings

SYSTEM = ("system", LlmSettings().system_prompt)
LIMITED = respond(429, b"{}", headers={"Retry-After": "0"})


@dataclass
class Echo:
    """Backend of a plugin that repeats the last message."""

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


async def test_the_model_of_a_request_chooses_the_backend() -> None:
    gateway = make_gateway(
        {"first": Echo("one"), "second": Echo("two"), "openai": Echo("three")},
        openai={"model": "gpt", "models": ["org/big"]},
    )
    assert gateway.backends == ["first", "openai", "second"]
    said = {
        model: (answer.backend, answer.model)
        for model in (None, "second", "second/a/b", "org/big", "gpt", "unknown", "un/known")
        for answer in [await ask(gateway, model=model)]
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
def test_an_unknown_backend_in_the_settings_stops_the_start(chosen: dict[str, object]) -> None:
    with pytest.raises(BackendMissing, match="'locale'; there are first, second"):
        make_gateway({"second": Echo(), "first": Echo()}, None, None, **chosen)


async def test_a_request_without_a_system_message_gets_the_system_prompt(
    scripted: ModelServer,
) -> None:
    gateway = make_gateway({"openai": make_openai(scripted.url)})
    await ask(gateway)
    await ask(gateway, Message("system", "Be brief."), *CAPITAL)
    await gateway.close()
    question = ("user", "What is the capital of France?")
    assert scripted.asked[0].messages == [SYSTEM, question]
    assert scripted.asked[1].messages == [("system", "Be brief."), question]


async def test_a_request_overrides_the_settings(scripted: ModelServer) -> None:
    gateway = make_gateway({"openai": make_openai(scripted.url)})
    await gateway.chat(ChatRequest(CAPITAL, max_tokens=7, temperature=1.5), CALL)
    await gateway.close()
    assert (scripted.asked[0].body["max_tokens"], scripted.asked[0].body["temperature"]) == (
        7,
        1.5,
    )


async def test_a_backend_is_created_once_at_its_first_use() -> None:
    made: list[Workbench] = []

    def make(given: Workbench) -> Echo:
        made.append(given)
        return Echo()

    workbench = make_bare_workbench({"echo": make})
    gateway = LlmGateway(workbench, LlmSettings(backend="echo"), MemoryCallLog())
    assert made == []
    await asyncio.gather(*(ask(gateway) for _ in range(5)))
    assert made == [workbench]


@pytest.mark.parametrize("streamed", [False, True])
async def test_missing_usage_is_estimated(streamed: bool) -> None:
    gateway = make_gateway({"echo": Echo()}, system_prompt="")
    request = ChatRequest([Message("user", "x" * 40), Message("user", "grüß")])
    if streamed:
        async with gateway.stream(request, CALL) as opened:
            assert [type(chunk).__name__ async for chunk in opened] == [
                "TextChunk",
                "UsageChunk",
                "DoneChunk",
            ]
        usage = opened.usage
    else:
        usage = (await gateway.chat(request, CALL)).usage
    assert usage.estimated
    assert usage.prompt_tokens == (4 + 10) + (4 + 2)
    assert usage.completion_tokens == 2


async def test_calls_wait_for_a_slot_of_their_own_backend_only(
    scripted: ModelServer,
) -> None:
    go = asyncio.Event()
    scripted.script = [wait_for(go)] * 6
    async with ModelServer() as other:
        gateway = make_gateway(
            {"busy": make_openai(scripted.url), "free": make_openai(other.url)}, concurrency=2
        )
        calls = [asyncio.create_task(ask(gateway)) for _ in range(6)]
        await scripted.wait_until_busy(2)
        assert "Paris" in (await ask(gateway, model="free")).text
        go.set()
        assert all("Paris" in answer.text for answer in await asyncio.gather(*calls))
        await gateway.close()
    assert len(scripted.asked) == 6
    assert scripted.busiest == 2


async def test_waiting_for_a_slot_does_not_count_towards_the_timeout(
    scripted: ModelServer,
) -> None:
    gateway = make_gateway({"openai": make_openai(scripted.url)}, timeout=2, concurrency=1)
    # The first call imports the client, which takes time that this test must not count.
    await ask(gateway)
    never = asyncio.Event()
    scripted.script = [wait_for(never)]
    slow = asyncio.create_task(ask(gateway))
    await scripted.wait_until_busy(1)
    assert "Paris" in (await ask(gateway)).text
    with pytest.raises(BackendTimeout, match=r"'openai' gave no answer within 2 s"):
        await slow
    never.set()
    await gateway.close()


async def test_a_timeout_inside_a_backend_is_passed_on() -> None:
    gateway = make_gateway({"echo": Echo(error=TimeoutError("its own"))})
    with pytest.raises(TimeoutError, match="its own"):
        await ask(gateway)


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_overloaded_server_is_retried_after_retry_after(
    scripted: ModelServer, streamed: bool
) -> None:
    scripted.script = [LIMITED, respond(503, b"", headers={"Retry-After": "0"})]
    gateway = make_gateway({"openai": make_openai(scripted.url)})
    if streamed:
        async with gateway.stream(ChatRequest(CAPITAL), CALL) as opened:
            assert [chunk async for chunk in opened]
            assert "Paris" in opened.text
    else:
        assert "Paris" in (await ask(gateway)).text
    assert len(scripted.asked) == 3
    await gateway.close()


async def test_retries_are_limited(
    scripted: ModelServer,
) -> None:
    scripted.script = [LIMITED] * 9
    gateway = make_gateway({"openai": make_openai(scripted.url)}, retries=2)
    with pytest.raises(BackendOverloaded):
        await ask(gateway)
    assert len(scripted.asked) == 3
    await gateway.close()


async def test_a_long_retry_after_prevents_the_retry(
    scripted: ModelServer,
) -> None:
    scripted.script = [respond(429, b"{}", headers={"Retry-After": "7"})]
    gateway = make_gateway({"openai": make_openai(scripted.url)}, longest_pause=5)
    with pytest.raises(BackendOverloaded) as caught:
        await ask(gateway)
    assert caught.value.retry_after == 7
    assert len(scripted.asked) == 1
    await gateway.close()


@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_refused_request_is_neither_retried_nor_sent_to_the_fallback(
    scripted: ModelServer, status: int
) -> None:
    scripted.script = [respond(status, b"{}")]
    gateway = make_gateway(
        {"openai": make_openai(scripted.url), "echo": Echo()}, fallback=["echo"]
    )
    with pytest.raises(BackendRefused):
        await ask(gateway)
    assert len(scripted.asked) == 1
    await gateway.close()


async def test_a_stream_is_not_retried_after_its_first_chunk(scripted: ModelServer) -> None:
    cut = {"error": {"message": "out of memory"}}
    chunk = {"model": MODEL, "choices": [{"delta": {"content": "It"}}]}
    scripted.script = [stream(chunk, cut)]
    gateway = make_gateway(
        {"openai": make_openai(scripted.url), "echo": Echo()}, fallback=["echo"]
    )
    async with gateway.stream(ChatRequest(CAPITAL), CALL) as opened:
        with pytest.raises(BackendFailed, match="out of memory"):
            assert [chunk async for chunk in opened]
        assert opened.text == "It"
        assert opened.answer is None
    assert len(scripted.asked) == 1
    await gateway.close()


@pytest.mark.parametrize("streamed", [False, True])
async def test_fallbacks_are_asked_in_order_for_requests_without_a_model(
    scripted: ModelServer, streamed: bool
) -> None:
    scripted.script = [respond(200, b"<html>", "text/html")]
    broken = Echo(error=BackendUnavailable("away"))
    gateway = make_gateway(
        {"openai": make_openai(scripted.url), "broken": broken, "echo": Echo()},
        fallback=["broken", "echo/big"],
        retries=0,
    )
    if streamed:
        async with gateway.stream(ChatRequest(CAPITAL), CALL) as opened:
            assert [chunk async for chunk in opened]
        answer = opened.answer
        assert answer is not None
    else:
        answer = await ask(gateway)
    assert (answer.backend, answer.model) == ("echo", "big")
    with pytest.raises(BackendUnavailable, match="away"):
        await ask(gateway, model="broken")
    broken.error = None
    await gateway.close()


async def test_repeated_failures_open_the_circuit_for_a_while() -> None:
    clock = ManualClock()
    echo = Echo(error=InvalidAnswer("nonsense"))
    gateway = make_gateway({"echo": echo}, clock, circuit_failures=3, circuit_pause=30)
    for _ in range(3):
        with pytest.raises(InvalidAnswer):
            await ask(gateway)
    clock.advance(seconds=10)
    with pytest.raises(BackendUnavailable, match="gets no requests for 20 s") as caught:
        await ask(gateway)
    assert caught.value.retry_after == 20
    assert echo.calls == 3
    clock.advance(seconds=20)
    with pytest.raises(InvalidAnswer):
        await ask(gateway)
    with pytest.raises(BackendUnavailable, match="gets no requests for 30 s"):
        await ask(gateway)
    clock.advance(seconds=30)
    echo.error = None
    for _ in range(3):
        assert (await ask(gateway)).text
    assert echo.calls == 7


async def test_requests_wait_for_the_trial_of_a_half_open_circuit(
    scripted: ModelServer,
) -> None:
    clock, go_on = ManualClock(), asyncio.Event()
    scripted.script = [respond(500, b""), wait_for(go_on)]
    gateway = make_gateway(
        {"openai": make_openai(scripted.url)}, clock, circuit_failures=1, retries=0
    )
    with pytest.raises(BackendFailed):
        await ask(gateway)
    clock.advance(seconds=30)
    requests = [asyncio.create_task(ask(gateway)) for _ in range(30)]
    await scripted.wait_until_busy(1)
    assert len(scripted.asked) == 2
    go_on.set()
    assert all(answer.text for answer in await asyncio.gather(*requests))
    assert len(scripted.asked) == 31
    await gateway.close()


async def test_requests_that_wait_for_a_failed_trial_are_refused(scripted: ModelServer) -> None:
    clock = ManualClock()
    scripted.script = [respond(500, b""), respond(500, b"")]
    gateway = make_gateway(
        {"openai": make_openai(scripted.url)}, clock, circuit_failures=1, retries=0
    )
    with pytest.raises(BackendFailed):
        await ask(gateway)
    clock.advance(seconds=30)
    results = await asyncio.gather(*(ask(gateway) for _ in range(5)), return_exceptions=True)
    assert [type(result) for result in results].count(CircuitOpen) == 4
    assert len(scripted.asked) == 2
    await gateway.close()


async def test_a_cancelled_trial_makes_room_for_the_next(scripted: ModelServer) -> None:
    clock = ManualClock()
    scripted.script = [respond(500, b""), wait_for(asyncio.Event())]
    gateway = make_gateway(
        {"openai": make_openai(scripted.url)}, clock, circuit_failures=1, retries=0
    )
    with pytest.raises(BackendFailed):
        await ask(gateway)
    clock.advance(seconds=30)
    trial = asyncio.create_task(ask(gateway))
    await scripted.wait_until_busy(1)
    waiting = asyncio.create_task(ask(gateway))
    trial.cancel()
    assert (await waiting).text
    await gateway.close()


async def test_a_clock_that_was_set_back_does_not_prolong_the_pause() -> None:
    clock = ManualClock()
    echo = Echo(error=InvalidAnswer("nonsense"))
    gateway = make_gateway({"echo": echo}, clock, circuit_failures=1, circuit_pause=30)
    clock.advance(hours=2)
    with pytest.raises(InvalidAnswer):
        await ask(gateway)
    clock.advance(hours=-2)
    with pytest.raises(CircuitOpen) as caught:
        await ask(gateway)
    assert caught.value.retry_after == 30


async def test_refused_requests_do_not_open_the_circuit() -> None:
    echo = Echo(error=BackendRefused("no such model"))
    gateway = make_gateway({"echo": echo}, circuit_failures=1)
    for _ in range(3):
        with pytest.raises(BackendRefused):
            await ask(gateway)


async def test_a_text_instead_of_json_is_an_invalid_answer(scripted: ModelServer) -> None:
    gateway = make_gateway({"openai": make_openai(scripted.url)})
    request = ChatRequest(CAPITAL, response_format=ResponseFormat("city", {"type": "object"}))
    scripted.script = [say("It is Paris."), say("It is Paris.")]
    with pytest.raises(InvalidAnswer, match="asked for JSON"):
        await gateway.chat(request, CALL)
    with pytest.raises(InvalidAnswer, match="asked for JSON"):
        async with gateway.stream(request, CALL) as opened:
            assert [chunk async for chunk in opened]
    await gateway.close()


async def test_closing_closes_all_created_backends_although_one_fails() -> None:
    closed: list[str] = []
    gateway = make_gateway(
        {
            "one": Echo("one", closed=closed),
            "two": Echo("two", RuntimeError("stuck"), closed),
            "unused": Echo("unused", closed=closed),
        }
    )
    await ask(gateway)
    with pytest.raises(RuntimeError, match="stuck"):
        await ask(gateway, model="two")
    with pytest.raises(RuntimeError, match="stuck"):
        await gateway.close()
    assert closed == ["two", "one"]
