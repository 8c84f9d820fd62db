"""Plugin ``agents``: language models that call tools, within limits and with approvals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

from pydantic import BaseModel

from biont import Api, EventType, Tables, Workbench, hookimpl
from biont.store import RETENTION_INTERVAL, delete_found_rows
from biont_agents.agents import AGENTS, Agents
from biont_agents.approvals import has_late_calls, reject_late_calls
from biont_agents.event_types import TOOL_CALL_DECIDED, TOOL_CALL_WAITING
from biont_agents.retention import delete_runs, find_old_runs
from biont_agents.routes import api
from biont_agents.settings import AgentSettings, LateDecision
from biont_agents.tables import AgentRun, ToolCallRecord

_DEADLINE_INTERVAL = 1.0
_DEADLINE_BATCH = 100


@hookimpl
def requires() -> Sequence[str]:
    """Name the gateway to language models."""
    return ["llm"]


@hookimpl
def register_settings() -> type[BaseModel]:
    """Return the settings model of agents."""
    return AgentSettings


@hookimpl
def register_tables() -> Tables:
    """Return the tables of agent runs and tool calls."""
    return Tables(Path(__file__).parent / "migrations", [AgentRun, ToolCallRecord])


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return the event types of tool calls that need an approval."""
    return [TOOL_CALL_WAITING, TOOL_CALL_DECIDED]


@hookimpl
def register_routes() -> Api:
    """Return the routes of tools and tool calls."""
    return api


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Provide the service `AGENTS`; delete old runs in the background."""
    return _provide_agents(workbench)


@asynccontextmanager
async def _provide_agents(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("agents", AgentSettings)
    workbench.provide(AGENTS, Agents(workbench, settings))
    if settings.approval_default is LateDecision.DENY:
        reject = partial(_reject_late_calls, workbench)
        workbench.background_tasks.every(_DEADLINE_INTERVAL, "agents.deadlines", reject)
    if settings.keep_days:
        delete = partial(
            delete_found_rows,
            workbench.store,
            workbench.clock,
            settings.keep_days,
            find_old_runs,
            delete_runs,
        )
        workbench.background_tasks.every(RETENTION_INTERVAL, "agents.retention", delete)
    yield


async def _reject_late_calls(workbench: Workbench) -> None:
    store, now = workbench.store, workbench.clock.now()
    # A read first: nearly always no call is late, and a read does not wait for the writer.
    while await store.read(has_late_calls, now):
        await store.transact(reject_late_calls, now, _DEADLINE_BATCH)
