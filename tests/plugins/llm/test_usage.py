"""Usage and budgets: calls are recorded, summed up, and limited by day."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from aiohttp import web
from conftest import Restart
from pydantic import JsonValue
from support.sse import Chat

from biont import Scope, Workbench
from biont.exceptions import BudgetExceeded
from biont.llm import ChatRequest, LlmCall, Message
from biont.testing import (
    MODEL,
    ApiClient,
    MakeClient,
    ManualClock,
    ModelServer,
    answer,
    make_completion,
    respond,
    rows_of,
    say,
    wait_for,
)
from biont_llm import LLM_GATEWAY

QUESTION: dict[str, JsonValue] = {"message": "What is the capital of France?"}


@pytest.fixture
def llm() -> dict[str, object]:
    """Further settings of the plugin, set by `parametrize`."""
    return {}


@pytest.fixture
def sections(scripted: ModelServer, llm: dict[str, object]) -> dict[str, object]:
    server = {"base_url": scripted.url, "model": "small"}
    return {"plugins": {"llm": {"backend": "openai", "retries": 0, "openai": server, **llm}}}


async def read_usage(client: ApiClient, group_by: str) -> list[dict[str, JsonValue]]:
    return rows_of(await client.get(f"/usage?group_by={group_by}"))


@pytest.mark.parametrize("llm", [{"prices": {"small": {"prompt": 1000, "completion": 10_000}}}])
async def test_each_call_is_recorded_with_its_usage(client: ApiClient) -> None:
    await client.post("/chat", QUESTION)
    async with Chat(client, body={**QUESTION, "conversation_id": 1}) as chat:
        await chat.read_all()
    for call in (calls := rows_of(await client.get("/usage/calls"))):
        assert 0 < float(str(call["duration"])) < 60
        assert {
            name: call[name] for name in ("backend", "model", "error", "prompt", "answer")
        } == {
            "backend": "openai",
            "model": MODEL,
            "error": None,
            "prompt": None,
            "answer": None,
        }
        assert (call["prompt_tokens"], call["completion_tokens"]) == (9, 3)
        assert call["estimated"] is False
        assert call["cost"] == pytest.approx(0.039)
        assert call["key_id"] == 1
    (price,) = rows_of(await client.get("/usage/prices"))
    assert price == {"model": "small", "prompt": 1000, "completion": 10_000}
    assert [call["conversation_id"] for call in calls] == [1, None]


async def test_usage_is_summed_up_by_group(
    open_client: MakeClient, scripted: ModelServer, clock: ManualClock
) -> None:
    first, second, other = [await open_client(name) for name in ("ada", "ada", "eve")]
    scripted.script = [say("Well.", usage=False), say("Well."), respond(500, b"")]
    await first.post("/chat", QUESTION)
    clock.advance(days=1)
    await second.post("/chat", QUESTION)
    assert (await second.ask("POST", "/chat", QUESTION))[0] == 502
    await other.post("/chat", QUESTION)
    by_day = await read_usage(first, "day")
    assert [(row["day"], row["calls"], row["failed"], row["estimated"]) for row in by_day] == [
        ("2026-03-02", 1, 0, 1),
        ("2026-03-03", 2, 1, 0),
    ]
    by_key = await read_usage(first, "key")
    assert [(row["key_id"], row["calls"]) for row in by_key] == [(1, 1), (2, 2)]
    both = await read_usage(first, "model,day")
    assert [(row["model"], row["day"]) for row in both] == [
        (f"openai/{MODEL}", "2026-03-02"),
        (f"openai/{MODEL}", "2026-03-03"),
        ("openai/small", "2026-03-03"),
    ]
    (total,) = await read_usage(first, "")
    assert (total["calls"], total["cost"]) == (3, None)
    (late,) = rows_of(await first.get("/usage?group_by=day&since=2026-03-03T00:00:00Z"))
    assert late["day"] == "2026-03-03"
    (early,) = rows_of(await first.get("/usage?group_by=day&until=2026-03-03T00:00:00Z"))
    assert early["day"] == "2026-03-02"
    assert len(rows_of(await other.get("/usage/calls"))) == 1
    status, problem = await first.ask("GET", "/usage?group_by=day,week")
    assert (status, problem["errors"]) == (
        422,
        [{"detail": "must be of day, model, key, schedule, mission", "parameter": "group_by"}],
    )


async def test_failed_and_interrupted_calls_are_recorded(
    client: ApiClient, scripted: ModelServer
) -> None:
    async def hang(number: int) -> None:
        if number > 2:
            await asyncio.Event().wait()

    refusal = respond(401, b'{"error": "no sk-0123456789abcdef"}')
    scripted.script = [refusal, say("a b c", pause=hang)]
    assert (await client.ask("POST", "/chat", QUESTION))[0] == 502
    async with Chat(client, body=QUESTION) as chat:
        await chat.read_tokens(2)
    page = await client.get_until("/usage/calls", lambda page: len(rows_of(page)) == 2)
    cut, failed = rows_of(page)
    assert str(failed["error"]).startswith("BackendRefused: ")
    assert "sk-***" in str(failed["error"])
    assert failed["completion_tokens"] == 0
    assert (cut["error"], cut["completion_tokens"], cut["estimated"]) == ("interrupted", 1, True)


@pytest.mark.parametrize("llm", [{"fallback": ["local"], "keep_texts": True}])
async def test_each_asked_backend_has_a_record(client: ApiClient, scripted: ModelServer) -> None:
    scripted.script = [respond(500, b"")]
    answer = await client.post("/chat", {"message": "My password: hunter2. The capital?"})
    assert answer["backend"] == "local"
    local, openai = rows_of(await client.get("/usage/calls"))
    assert (local["backend"], local["error"]) == ("local", None)
    assert (openai["backend"], str(openai["error"])[:13]) == ("openai", "BackendFailed")
    assert orjson.loads(str(local["prompt"]))[-1]["content"].startswith("My password: ***")
    assert local["answer"] == answer["answer"]


@pytest.mark.parametrize(
    ("llm", "name"),
    [
        ({"budgets": {"user": {"tokens": 20}}}, "user 1"),
        ({"budgets": {"key": {"tokens": 20}}}, "key 1"),
        (
            {
                "budgets": {"user": {"cost": 2e-5}},
                "prices": {MODEL: {"prompt": 1, "completion": 1}},
            },
            "user 1",
        ),
    ],
)
async def test_calls_beyond_a_budget_are_refused_until_the_next_day(
    client: ApiClient, scripted: ModelServer, clock: ManualClock, name: str
) -> None:
    for _ in range(2):
        await client.post("/chat", QUESTION)
    for body in (QUESTION, {**QUESTION, "stream": True}):
        refused = await client.request("POST", "/chat", body)
        assert refused.status == 429
        assert refused.headers["Retry-After"] == str(12 * 3600)
        assert f"budget of {name}" in str(refused.document["detail"])
        assert "resets at 2026-03-03T00:00:00Z" in str(refused.document["detail"])
    assert len(scripted.asked) == 2
    clock.advance(hours=12)
    await client.post("/chat", QUESTION)


@pytest.mark.parametrize("llm", [{"budgets": {"key": {"tokens": 10}}}])
async def test_each_key_has_its_own_budget(open_client: MakeClient) -> None:
    first, second = await open_client(), await open_client()
    await first.post("/chat", QUESTION)
    assert (await first.ask("POST", "/chat", QUESTION))[0] == 429
    await second.post("/chat", QUESTION)


@pytest.mark.parametrize("llm", [{"budgets": {"user": {"tokens": 600}}, "concurrency": 10}])
async def test_calls_under_way_count_with_their_limit(
    client: ApiClient, scripted: ModelServer
) -> None:
    # Each call may take 512 tokens and its prompt: the third call would exceed the budget.
    go_on = asyncio.Event()
    scripted.script = [wait_for(go_on) for _ in range(5)]
    calls = [asyncio.create_task(client.ask("POST", "/chat", QUESTION)) for _ in range(5)]
    done: set[asyncio.Task[tuple[int, dict[str, JsonValue]]]] = set()
    while len(done) < 3:
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    go_on.set()
    statuses = sorted(status for status, _ in await asyncio.gather(*calls))
    assert statuses == [200, 200, 429, 429, 429]
    # Each call took 12 tokens, so that further calls fit.
    await client.post("/chat", QUESTION)


@pytest.mark.parametrize(
    "llm",
    [
        {"budgets": {"user": {"tokens": 500}}, "concurrency": 20},
        {
            "budgets": {"user": {"cost": 5e-4}},
            "prices": {MODEL: {"prompt": 1, "completion": 1}},
            "concurrency": 20,
        },
    ],
)
@pytest.mark.parametrize("is_known", [False, True])
async def test_concurrent_calls_exceed_a_budget_by_little_when_a_server_bills_more(
    open_client: MakeClient, workbench: Workbench, scripted: ModelServer, is_known: bool
) -> None:
    usage = {"prompt_tokens": 199, "completion_tokens": 1, "total_tokens": 200}
    scripted.default = answer(make_completion(usage=usage))
    gateway = workbench.get(LLM_GATEWAY)
    brief = ChatRequest([Message("user", "Hi")], max_tokens=1)
    client, _ = await open_client("ada"), await open_client("eve")
    if is_known:
        await gateway.chat(brief, LlmCall(user_id=2))
    calls = (gateway.chat(brief, LlmCall(user_id=1)) for _ in range(12))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(answered, BudgetExceeded) for answered in answers) == 9
    (total,) = await read_usage(client, "")
    assert (total["calls"], total["prompt_tokens"]) == (3, 3 * 199)


@pytest.mark.parametrize(
    "llm", [{"budgets": {"user": {"tokens": 30_000}}, "concurrency": 20, "max_tokens": 50}]
)
async def test_calls_of_a_known_server_reserve_no_more_than_they_may_use(
    client: ApiClient, scripted: ModelServer
) -> None:
    release = asyncio.Event()

    async def take_long(request: web.Request) -> web.StreamResponse:
        await release.wait()
        return await say("Paris.")(request)

    await client.post("/chat", QUESTION)
    scripted.default = take_long
    # Before its first answer, a server would get three calls at once.
    calls = asyncio.gather(*(client.ask("POST", "/chat", QUESTION) for _ in range(6)))
    await scripted.wait_until_busy(6)
    release.set()
    assert [status for status, _ in await calls] == [200] * 6


@pytest.mark.parametrize("llm", [{"budgets": {"schedule": {"tokens": 10}}}])
async def test_a_run_beyond_the_budget_of_its_schedule_is_skipped_with_the_reason(
    client: ApiClient, clock: ManualClock, workbench: Workbench
) -> None:
    schedule = await client.post("/schedule", {"cron": "* * * * *", "prompt": "Good morning"})
    path = f"/schedule/{schedule['id']}/runs"
    for count in (1, 2):
        clock.advance(minutes=1)
        await workbench.scheduler.sweep()
        page = await client.get_until(
            path,
            lambda page, count=count: (  # type: ignore[misc]  # mypy cannot tell a lambda's default
                len(rows_of(page)) == count and all(run["ended_at"] for run in rows_of(page))
            ),
        )
    second, first = rows_of(page)
    assert (first["status"], second["status"]) == ("succeeded", "skipped_budget")
    assert "10 tokens" in str(second["reason"])
    assert second["error"] is None
    (usage,) = await read_usage(client, "schedule")
    assert (usage["schedule_id"], usage["calls"]) == (schedule["id"], 1)


@pytest.mark.parametrize("llm", [{"keep_days": 30}])
async def test_old_records_are_removed_at_the_next_start(
    restart: Restart, clock: ManualClock
) -> None:
    async with restart() as client:
        await client.post("/chat", QUESTION)
        clock.advance(days=20)
        await client.post("/chat", QUESTION)
    clock.advance(days=11)
    async with restart() as client:
        await client.get_until("/usage/calls", lambda page: len(rows_of(page)) == 1)


@pytest.mark.parametrize(
    "llm", [{"budgets": {"user": {"tokens": 100_000}, "key": {"tokens": 900, "cost": 5}}}]
)
async def test_a_key_reads_what_is_left_of_the_budgets(
    open_client: MakeClient, clock: ManualClock
) -> None:
    first, second = await open_client("ada"), await open_client("ada", Scope.CHAT)
    await first.post("/chat", QUESTION)
    (total,) = await read_usage(first, "")
    used = int(str(total["prompt_tokens"])) + int(str(total["completion_tokens"]))
    for client, own in ((first, used), (second, 0)):
        budgets = (await client.get("/me"))["budgets"]
        assert isinstance(budgets, list)
        left = {(b["owner"], b["unit"]): b["left"] for b in budgets if isinstance(b, dict)}
        assert left == {
            ("user", "tokens"): 100_000 - used,
            ("key", "tokens"): 900 - own,
            ("key", "cost"): 5,
        }
    clock.advance(days=1)
    budgets = (await first.get("/me"))["budgets"]
    assert isinstance(budgets, list)
    assert [b["used"] for b in budgets if isinstance(b, dict)] == [0, 0, 0]
