"""REST routes of tasks."""

from __future__ import annotations

from biont import Api, Page, Request, RowId
from biont.http import AnyOf, ListQuery, make_page
from biont.operations import OperationView, RowCount, begin_act
from biont.store import read_merged_page
from biont_missions.bulk_acts import TASK_DELETE, TaskChoice
from biont_missions.runner import MISSION_RUNNER
from biont_missions.tables import Task, TaskStatus
from biont_missions.tasks import complete_task, create_task, delete_task, select_tasks
from biont_missions.views import NewTask, TaskResult, TaskView, make_task_view

api = Api("tasks", description="Tasks of missions, and tasks for people.")


def _find_task(request: Request, task_id: RowId) -> TaskView:
    return make_task_view(Task.get_owned(request.user_id, task_id))


@api.post(
    "/tasks",
    location="/tasks/{id}",
    operation="create_task",
    example={"title": "Buy tea", "instructions": "Two packets."},
)
async def create_by_hand(request: Request, body: NewTask) -> TaskView:
    """Create a task that a person completes.

    The task belongs to no mission.
    """
    workbench = request.workbench
    return make_task_view(
        await workbench.store.write(
            create_task, request.user_id, workbench.clock.now(), body.title, body.instructions
        )
    )


@api.get("/tasks")
async def list_tasks(
    request: Request,
    query: ListQuery,
    status: AnyOf[TaskStatus] | None = None,
    mission_id: RowId | None = None,
) -> Page[TaskView]:
    """List your tasks, the newest first; filter by `status` or `mission_id`.

    The tasks of missions and your own tasks are in one list.
    """
    rows = await request.workbench.store.read(
        read_merged_page,
        status,
        query.limit,
        query.span,
        lambda each: select_tasks(request.user_id, each, mission_id, query.limit, query.span),
    )
    return make_page(rows, query.limit, lambda task: task.id, make_task_view)


@api.get("/tasks/{task_id}")
async def read_task(request: Request, task_id: RowId) -> TaskView:
    """Read a task.

    A completed task has its result.
    """
    return await request.workbench.store.read(_find_task, request, task_id)


@api.post(
    "/tasks/{task_id}/complete",
    status=200,
    operation="complete_task",
    example={"result": "Bought."},
)
async def complete(request: Request, task_id: RowId, body: TaskResult) -> TaskView:
    """Complete a task with your result; its mission continues with the result.

    The status is 409 if the task is running, completed or cancelled.
    """
    workbench = request.workbench
    task = await workbench.store.transact(
        complete_task, request.user_id, workbench.clock.now(), task_id, body.result
    )
    if task.mission_id is not None:
        workbench.get(MISSION_RUNNER).resume(task.mission_id)
    return make_task_view(task)


@api.post(
    "/tasks/delete", status=202, location="/operations/{id}", example={"status": ["completed"]}
)
async def delete_many_tasks(request: Request, body: TaskChoice) -> OperationView | RowCount:
    """Delete tasks without a mission, or count them in a dry run.

    The deletion is an operation of the kind `task_delete`, which `Location` names. A dry run
    begins nothing: the answer is the number, without `Location`.
    """
    return await begin_act(request, TASK_DELETE, "/api/v1/tasks", body, Task)


@api.delete("/tasks/{task_id}", operation="delete_task", present=_find_task)
async def delete(request: Request, task_id: RowId) -> None:
    """Delete a task without a mission.

    The status is 409 for a task of a mission.
    """
    await request.workbench.store.write(delete_task, request.user_id, task_id)
