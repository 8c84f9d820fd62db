"""Plugin ``missions``: goals that the AI reaches by tasks, and reports on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from pydantic import BaseModel

from biont import Api, Event, EventType, JobKind, Panel, Tables, Tool, Workbench, hookimpl, on
from biont.operations import OperationKind
from biont_missions.bulk_acts import OPERATION_KINDS
from biont_missions.event_types import EVENT_TYPES
from biont_missions.job import MISSION
from biont_missions.mission_factory import MISSIONS, MissionFactory
from biont_missions.panels import PANELS
from biont_missions.routes import api as mission_api
from biont_missions.runner import MISSION_RUNNER, MissionRunner
from biont_missions.settings import MissionSettings
from biont_missions.tables import Mission, Task
from biont_missions.task_routes import api as task_api
from biont_missions.tasks import resume_task
from biont_missions.tools import TOOLS


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Return the panel of the dashboard's home page."""
    return PANELS


@hookimpl
def requires() -> Sequence[str]:
    """Name the agents, the gateway to language models and the notes."""
    return ["agents", "llm", "notes"]


@hookimpl
def register_settings() -> type[BaseModel]:
    """Return the settings model of missions."""
    return MissionSettings


@hookimpl
def register_tables() -> Tables:
    """Return the tables of missions and tasks."""
    return Tables(Path(__file__).parent / "migrations", [Mission, Task])


@hookimpl
def register_event_types() -> Sequence[EventType]:
    """Return the event types of missions and tasks."""
    return EVENT_TYPES


@hookimpl
def register_operations() -> Sequence[OperationKind]:
    """Return the acts on many tasks."""
    return OPERATION_KINDS


@hookimpl
def register_tools() -> Sequence[Tool]:
    """Return the tools for tasks."""
    return TOOLS


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    """Return the job kind ``mission``."""
    return [MISSION]


@hookimpl
def register_routes() -> Api:
    """Return the routes of missions and of tasks."""
    api = Api("missions")
    api.include(mission_api)
    api.include(task_api)
    return api


@hookimpl
def lifespan(workbench: Workbench) -> AbstractAsyncContextManager[None]:
    """Run missions while the workbench runs."""
    return _run_missions(workbench)


@asynccontextmanager
async def _run_missions(workbench: Workbench) -> AsyncIterator[None]:
    settings = workbench.plugin_settings("missions", MissionSettings)
    runner = MissionRunner(workbench, settings)
    workbench.provide(MISSION_RUNNER, runner)
    workbench.provide(MISSIONS, MissionFactory(workbench, settings))
    async with runner.run():
        yield


@on("tool_call_decided")
async def resume_mission(event: Event, workbench: Workbench) -> None:
    """Resume the task whose tool call was approved or rejected."""
    run_id = event.payload["agent_run_id"]
    if isinstance(run_id, int):
        mission_id = await workbench.store.write(resume_task, run_id)
        if mission_id is not None:
            workbench.get(MISSION_RUNNER).resume(mission_id)
