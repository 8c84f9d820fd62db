# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``tasks``: tasks of missions, and tasks for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NotRequired, TypedDict, Unpack, cast

from biont.client.api.shared_models import OperationView, RowCount, Sort, TaskStatus, TaskView
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class NewTask(TypedDict):
    """A task for a person to create."""

    title: str
    instructions: NotRequired[str]


class TaskChoice(TypedDict):
    """Tasks to delete; a task must match all given fields, of which one is needed.

    Tasks of missions are never chosen.

    Attributes:
        ids: Only these.
        since: Made at this instant or later.
        until: Made before this instant.
        dry_run: Only count what the act would change. By default `false`.
        status: With any of these statuses.
    """

    ids: NotRequired[Sequence[int] | None]
    since: NotRequired[str | datetime | None]
    until: NotRequired[str | datetime | None]
    dry_run: NotRequired[bool]
    status: NotRequired[Sequence[TaskStatus] | None]


class TaskResult(TypedDict):
    """The result of a person's task."""

    result: NotRequired[str]


class Tasks(OperationGroup):
    """Tasks of missions, and tasks for people."""

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewTask],
    ) -> TaskView:
        """Create a task that a person completes.

        The task belongs to no mission.

        Needs an API key of scope `full`.
        """
        return self._read(
            TaskView,
            make_call(
                "POST",
                "/api/v1/tasks",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        status: Sequence[TaskStatus] | None = None,
        mission_id: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[TaskView]:
        """List your tasks, the newest first; filter by `status` or `mission_id`.

        The tasks of missions and your own tasks are in one list.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            TaskView,
            make_call(
                "GET",
                "/api/v1/tasks",
                query={
                    "status": status,
                    "mission_id": mission_id,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read(
        self,
        task_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> TaskView:
        """Read a task.

        A completed task has its result.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            TaskView,
            make_call(
                "GET",
                "/api/v1/tasks/{}",
                (task_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def delete(
        self,
        task_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a task without a mission.

        The status is 409 for a task of a mission.

        Needs an API key of scope `full`.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/tasks/{}",
                (task_id,),
                headers={"If-Match": if_match},
            ),
        )

    def complete(
        self,
        task_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[TaskResult],
    ) -> TaskView:
        """Complete a task with your result; its mission continues with the result.

        The status is 409 if the task is running, completed or cancelled.

        Needs an API key of scope `full`.
        """
        return self._read(
            TaskView,
            make_call(
                "POST",
                "/api/v1/tasks/{}/complete",
                (task_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def delete_many_tasks(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[TaskChoice],
    ) -> OperationView | RowCount:
        """Delete tasks without a mission, or count them in a dry run.

        The deletion is an operation of the kind `task_delete`, which `Location` names. A dry
        run
        begins nothing: the answer is the number, without `Location`.

        Needs an API key of scope `full`.
        """
        return self._read(
            cast("type[OperationView | RowCount]", object),
            make_call(
                "POST",
                "/api/v1/tasks/delete",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )


class AsyncTasks(AsyncOperationGroup):
    """Tasks of missions, and tasks for people."""

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewTask],
    ) -> TaskView:
        """Create a task that a person completes.

        The task belongs to no mission.

        Needs an API key of scope `full`.
        """
        return await self._read(
            TaskView,
            make_call(
                "POST",
                "/api/v1/tasks",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        status: Sequence[TaskStatus] | None = None,
        mission_id: int | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[TaskView]:
        """List your tasks, the newest first; filter by `status` or `mission_id`.

        The tasks of missions and your own tasks are in one list.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            TaskView,
            make_call(
                "GET",
                "/api/v1/tasks",
                query={
                    "status": status,
                    "mission_id": mission_id,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read(
        self,
        task_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> TaskView:
        """Read a task.

        A completed task has its result.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            TaskView,
            make_call(
                "GET",
                "/api/v1/tasks/{}",
                (task_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def delete(
        self,
        task_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Delete a task without a mission.

        The status is 409 for a task of a mission.

        Needs an API key of scope `full`.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/tasks/{}",
                (task_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def complete(
        self,
        task_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[TaskResult],
    ) -> TaskView:
        """Complete a task with your result; its mission continues with the result.

        The status is 409 if the task is running, completed or cancelled.

        Needs an API key of scope `full`.
        """
        return await self._read(
            TaskView,
            make_call(
                "POST",
                "/api/v1/tasks/{}/complete",
                (task_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def delete_many_tasks(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[TaskChoice],
    ) -> OperationView | RowCount:
        """Delete tasks without a mission, or count them in a dry run.

        The deletion is an operation of the kind `task_delete`, which `Location` names. A dry
        run
        begins nothing: the answer is the number, without `Location`.

        Needs an API key of scope `full`.
        """
        return await self._read(
            cast("type[OperationView | RowCount]", object),
            make_call(
                "POST",
                "/api/v1/tasks/delete",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )
