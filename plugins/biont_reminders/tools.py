"""Tool with which a language model creates reminders."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from biont import Tool, ToolContext, Transaction, make_tool
from biont.http import QUOTAS
from biont.llm import ToolResult
from biont_reminders.reminders import create_reminder
from biont_reminders.routes import NewReminder
from biont_schedules import limit_timing, list_all_columns


async def _create_for_model(context: ToolContext, arguments: NewReminder) -> ToolResult:
    workbench = context.workbench
    columns = limit_timing(
        workbench, await list_all_columns(arguments, workbench, context.user_id)
    )

    def write(tx: Transaction) -> JsonValue:
        now = workbench.clock.now()
        workbench.get(QUOTAS).check("schedules", context.user_id)
        made = create_reminder(context.user_id, now, arguments.text, columns)
        tx.after_commit(workbench.scheduler.wake)
        return {"reminder_id": made.id, "next_at": str(made.schedule.next_fire_at)}

    return write


TOOLS: Sequence[Tool] = (
    make_tool(
        "create_reminder",
        "Remind the user of something: give one of cron (five fields), every (seconds, or 15m, "
        "2h) and at (an instant with its offset).",
        NewReminder,
        _create_for_model,
    ),
)
