"""Tools for tasks: a model may create and list the tasks of its user."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ConfigDict, JsonValue

from biont import Schema, Tool, ToolContext, Transaction, make_tool
from biont.events import mark_origin
from biont.llm import ToolResult
from biont.store import ALL
from biont_missions.tables import Task, TaskStatus
from biont_missions.tasks import create_task, select_tasks
from biont_missions.views import NewTask

_LISTED_TASKS = 50


class TaskSearch(Schema):
    """A choice of tasks."""

    model_config = ConfigDict(extra="forbid")

    status: TaskStatus | None = None


async def _create_task(context: ToolContext, new: NewTask) -> ToolResult:
    def write(_: Transaction) -> JsonValue:
        now = context.workbench.clock.now()
        task = create_task(context.user_id, now, new.title, new.instructions)
        return {"task_id": task.id}

    return write


async def _list_tasks(context: ToolContext, search: TaskSearch) -> ToolResult:
    tasks = await context.workbench.store.read(
        select_tasks, context.user_id, search.status, None, _LISTED_TASKS, ALL
    )
    for task in tasks[:_LISTED_TASKS]:
        mark_origin(task.origin)
    return [_summarize_task(task) for task in tasks[:_LISTED_TASKS]]


def _summarize_task(task: Task) -> JsonValue:
    return {"task_id": task.id, "title": task.title, "status": task.status}


TOOLS: Sequence[Tool] = (
    make_tool("create_task", "Give the user something to do.", NewTask, _create_task),
    make_tool("list_tasks", "List the tasks of the user.", TaskSearch, _list_tasks),
)
