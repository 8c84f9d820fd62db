"""What a language model may do with tasks."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ConfigDict, JsonValue

from biont import Schema, Tool, ToolContext, Transaction, make_tool
from biont.llm import ToolResult
from biont_missions.tables import Task, TaskStatus
from biont_missions.tasks import create_task, select_tasks
from biont_missions.views import NewTask

_LISTED = 50


class TaskSearch(Schema):
    """Which tasks."""

    model_config = ConfigDict(extra="forbid")

    status: TaskStatus | None = None


async def _create(context: ToolContext, wanted: NewTask) -> ToolResult:
    def write(_: Transaction) -> JsonValue:
        now = context.workbench.clock.now()
        made = create_task(context.user_id, now, wanted.title, wanted.instructions)
        return {"task_id": made.id}

    return write


async def _list(context: ToolContext, search: TaskSearch) -> ToolResult:
    tasks = await context.workbench.store.read(
        select_tasks, context.user_id, search.status, None, _LISTED, None
    )
    return [_tell(task) for task in tasks[:_LISTED]]


def _tell(task: Task) -> JsonValue:
    return {"task_id": task.id, "title": task.title, "status": task.status}


TOOLS: Sequence[Tool] = (
    make_tool("create_task", "Give the user something to do.", NewTask, _create),
    make_tool("list_tasks", "List the tasks of the user.", TaskSearch, _list),
)
