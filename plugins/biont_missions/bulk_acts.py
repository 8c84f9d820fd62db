"""Act on many tasks, as an operation: delete those that belong to no mission."""

from __future__ import annotations

from collections.abc import Sequence

from peewee import SQL, Expression
from pydantic import Field

from biont import OwnedTable, Transaction, Workbench
from biont.http import AnyOf
from biont.operations import Chunk, Counts, OperationKind, Part, RowChoice, count_rows, find_rows
from biont_missions.tables import Task, TaskStatus

TASK_DELETE = "task_delete"
"""The operation kind that deletes tasks."""


class TaskChoice(RowChoice):
    """Tasks to delete; a task must match all given fields, of which one is needed.

    Tasks of missions are never chosen.
    """

    status: AnyOf[TaskStatus] | None = Field(None, description="With any of these statuses.")

    def has_condition(self) -> bool:
        """Return whether any field chooses tasks."""
        return self.status is not None or super().has_condition()

    def list_filters(self, table: type[OwnedTable]) -> Sequence[Expression | SQL]:
        """Return the conditions of the chosen tasks, besides those of time."""
        filters = [*super().list_filters(table), Task.mission.is_null()]
        return filters if self.status is None else [*filters, Task.status.in_(self.status)]


async def _delete_some(part: Part, workbench: Workbench) -> Chunk:
    choice = part.parameters_as(TaskChoice)
    found = await workbench.store.read(find_rows, part, choice, Task)

    def write(_: Transaction) -> Counts:
        mine = (Task.user == part.user_id, Task.id.in_(found.ids))
        # Again, because a task may have another status since the read.
        done = Task.delete().where(*mine, *choice.list_filters(Task)).execute()
        return Counts(done=done, skipped=len(found.ids) - done)

    return Chunk(write, found.cursor)


def _count_chosen(part: Part) -> tuple[int, str | None]:
    return count_rows(part, part.parameters_as(TaskChoice), Task)


OPERATION_KINDS = (OperationKind(TASK_DELETE, TaskChoice, _delete_some, _count_chosen),)
