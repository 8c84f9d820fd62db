"""Plugin `chat`: conversations with language models, and OpenAI's API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

from biont import Api, Event, EventType, Tables, Workbench, hookimpl, on
from biont_chat.event_types import AI_MESSAGE
from biont_chat.openai_api.routes import api as openai_api
from biont_chat.routes import api
from biont_chat.streams import STREAMS, AnswerStreams
from biont_chat.tables import ChatMessage, Conversation, WaitingAnswer
from biont_chat.waiting_answers import resume_answer


@hookimpl
def requires() -> Sequence[str]:
    """Name the agents and the gateway to language models."""
    return ["agents", "llm"]


@hookimpl
def register_tables() -> Tables:
    """Return the tables of conversations and messages."""
    return Tables(Path(__file__).parent / "migrations", [Conversation, ChatMessage, WaitingAnswer])


@hookimpl
def register_routes() -> Api:
    """Return the routes of chat, and the routes for OpenAI's clients."""
    routes = Api("chat")
    routes.include(api)
    routes.include(openai_api)
    return routes


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return ``ai_message``."""
    return [AI_MESSAGE]


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Watch open streams while the workbench runs; interrupt all streams at the shutdown."""
    return _watch_streams(workbench)


@asynccontextmanager
async def _watch_streams(workbench: Workbench) -> AsyncIterator[None]:
    streams = AnswerStreams()
    workbench.provide(STREAMS, streams)
    tasks = [
        asyncio.create_task(streams.watch()),
        asyncio.create_task(_interrupt_at_shutdown(streams, workbench)),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _interrupt_at_shutdown(streams: AnswerStreams, workbench: Workbench) -> None:
    await workbench.shutdown.requested.wait()
    streams.interrupt()


# The timeout covers several rounds of a slow model.
# About a day: an answer that waited for its user waits for its model, too.
_RETRY = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0, *[3600.0] * 22)


@on("tool_call_decided", concurrency=4, timeout=600, retry=_RETRY)
async def go_on_answering(event: Event, workbench: Workbench) -> None:
    """Continue an answer whose tool call was approved or rejected."""
    run_id = event.payload["agent_run_id"]
    if isinstance(run_id, int):
        await resume_answer(workbench, run_id)
