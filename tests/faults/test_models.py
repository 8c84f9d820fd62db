"""Invalid, late and missing answers of a model server fail the run and create no note."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from pydantic import JsonValue
from support.model_quirks import cut_body, cut_chunks, hang_up, send_garbage

from biont import Scope, Workbench
from biont.application import open_application
from biont.settings import load_settings
from biont.testing import (
    ApiClient,
    ManualClock,
    ModelServer,
    Reply,
    answer,
    make_completion,
    make_key,
    respond,
    wait_for,
    write_config,
)


@asynccontextmanager
async def open_with_model(
    folder: Path, clock: ManualClock, url: str, seconds: float, **limits: object
) -> AsyncIterator[tuple[Workbench, ApiClient]]:
    """Open a workbench whose model server is at `url`."""
    model = {
        "backend": "openai",
        "timeout": seconds,
        "retries": 0,
        "openai": {"base_url": url},
        **limits,
    }
    settings = load_settings(write_config(folder, {"plugins": {"llm": model}}), environ={})
    async with AsyncExitStack() as stack:
        application = await stack.enter_async_context(open_application(settings, clock=clock))
        workbench = application.workbench
        server = await stack.enter_async_context(TestServer(application.app, host="127.0.0.1"))
        key = await make_key(workbench, "ada", Scope.FULL)
        url = str(server.make_url("")).rstrip("/")
        yield workbench, await stack.enter_async_context(ApiClient(url, key))


async def run_a_prompt(workbench: Workbench, client: ApiClient, clock: ManualClock) -> JsonValue:
    """Run a schedule's next occurrence; return the ended run."""
    schedule = await client.post("/schedule", {"cron": "* * * * *", "prompt": "Good morning"})
    clock.advance(minutes=1)
    await workbench.scheduler.sweep()

    def has_ended(page: dict[str, JsonValue]) -> bool:
        data = page["data"]
        assert isinstance(data, list)
        return all(isinstance(run, dict) and run["ended_at"] for run in data) and bool(data)

    page = await client.get_until(f"/schedule/{schedule['id']}/runs", has_ended)
    data = page["data"]
    assert isinstance(data, list)
    return data[0]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (respond(200, b"<html>Sign in</html>", "text/html"), "InvalidAnswer"),
        (answer({}), "InvalidAnswer"),
        (answer(make_completion(choices=[])), "InvalidAnswer"),
        (answer(make_completion("")), "InvalidAnswer"),
        (answer(make_completion("Half of", finish_reason=None)), "InvalidAnswer"),
        (respond(200, b'{"choices": ['), "InvalidAnswer"),
        (cut_body, "InvalidAnswer"),
        (cut_chunks, "InvalidAnswer"),
        (respond(429, b"{}", headers={"Retry-After": "7"}), "BackendOverloaded"),
        (respond(503, b"{}"), "BackendOverloaded"),
        (respond(500, b"{}"), "BackendFailed"),
        (respond(401, b"{}"), "BackendRefused"),
        (send_garbage, "Backend|InvalidAnswer"),
        (hang_up, "InvalidAnswer"),
    ],
    ids=[
        "HTML",
        "empty object",
        "no choices",
        "no text",
        "no end",
        "cut JSON",
        "cut body",
        "cut chunks",
        "429",
        "503",
        "500",
        "401",
        "garbage",
        "hang-up",
    ],
)
async def test_an_invalid_answer_fails_the_run_and_creates_no_note(
    tmp_path: Path, clock: ManualClock, reply: Reply, error: str
) -> None:
    async with (
        ModelServer([reply]) as model,
        open_with_model(tmp_path, clock, model.url, 10) as (workbench, client),
    ):
        run = await run_a_prompt(workbench, client, clock)
        assert isinstance(run, dict)
        assert run["status"] == "failed"
        assert any(name in str(run["error"]) for name in error.split("|"))
        assert (await client.get("/notes"))["data"] == []
        assert (await client.get("/events"))["data"] == []
        # The schedule still works: the next run gets a valid answer.
        clock.advance(minutes=1)
        await workbench.scheduler.sweep()
        await client.get_until("/notes", lambda page: page["data"])


async def test_an_unreachable_server_fails_the_run_and_creates_no_note(
    tmp_path: Path, clock: ManualClock, unused_tcp_port: int
) -> None:
    nobody = f"http://127.0.0.1:{unused_tcp_port}/v1"
    async with open_with_model(tmp_path, clock, nobody, 10) as (workbench, client):
        run = await run_a_prompt(workbench, client, clock)
        assert isinstance(run, dict)
        assert run["status"] == "failed"
        assert "BackendUnavailable" in str(run["error"])
        assert (await client.get("/notes"))["data"] == []


async def test_a_hanging_model_fails_the_run_and_creates_no_note(
    tmp_path: Path, clock: ManualClock
) -> None:
    never = asyncio.Event()
    async with (
        ModelServer([wait_for(never)]) as model,
        open_with_model(tmp_path, clock, model.url, 0.2) as (workbench, client),
    ):
        run = await run_a_prompt(workbench, client, clock)
        never.set()
        assert isinstance(run, dict)
        assert "BackendTimeout" in str(run["error"])
        assert (await client.get("/notes"))["data"] == []


@pytest.mark.parametrize("streamed", [False, True])
async def test_no_invalid_answer_of_a_chat_is_stored_or_keeps_a_slot(
    tmp_path: Path, clock: ManualClock, streamed: bool
) -> None:
    replies = [
        respond(200, b"<html>Sign in</html>", "text/html"),
        answer({}),
        respond(200, b'{"choices": ['),
        cut_body,
        cut_chunks,
        hang_up,
        send_garbage,
        respond(429, b"{}", headers={"Retry-After": "7"}),
        respond(500, b"{}"),
        respond(400, b'{"error": {"code": "context_length_exceeded"}}'),
        wait_for(asyncio.Event()),
    ]
    limits = {"concurrency": 1, "circuit_failures": 100}
    async with (
        ModelServer(list(replies)) as model,
        open_with_model(tmp_path, clock, model.url, 0.5, **limits) as (_, client),
    ):
        body: JsonValue = {"message": "Good morning", "stream": streamed}
        for _ in replies:
            status, problem = await client.ask("POST", "/chat", body)
            assert status in (422, 502, 503, 504), problem
        assert (await client.get("/conversations"))["data"] == []
        assert (await client.post("/chat", {"message": "The capital?"}))["answer"]
        usage = await client.get("/usage?group_by=")
        assert "'calls': 12, 'failed': 11" in str(usage["data"])
