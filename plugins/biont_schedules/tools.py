"""Tools with which a language model creates and lists schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from biont import Tool, ToolContext, Transaction, make_tool
from biont.events import mark_origin
from biont.http import QUOTAS
from biont.llm import NoArguments, ToolResult
from biont.scheduling import JOB_KINDS, Schedule
from biont_schedules.parameters import check_parameters
from biont_schedules.schedules import insert_schedule
from biont_schedules.timing import When, describe_timing, list_all_columns
from biont_schedules.tool_limits import limit_timing
from biont_schedules.views import Name, Prompt

_MAX_LISTED = 50
# Reports are messages, and a model's messages need the approval of the user.
_NO_REPORTS: Mapping[str, JsonValue] = {"report_to": []}


class PromptSchedule(When):
    """Prompt with a timing."""

    name: Name | None = None
    prompt: Prompt


async def _create_prompt_schedule(context: ToolContext, arguments: PromptSchedule) -> ToolResult:
    workbench = context.workbench
    columns = limit_timing(
        workbench, await list_all_columns(arguments, workbench, context.user_id)
    )
    columns["name"] = arguments.name or arguments.prompt[:80]
    columns["job_kind"] = "prompt"
    columns["parameters"] = check_parameters(
        workbench.get(JOB_KINDS), "prompt", _NO_REPORTS, arguments.prompt
    )

    def write(tx: Transaction) -> JsonValue:
        workbench.get(QUOTAS).check("schedules", context.user_id)
        made = insert_schedule(context.user_id, columns, workbench.clock.now())
        tx.after_commit(workbench.scheduler.wake)
        return {"schedule_id": made.id, "next_at": str(made.next_fire_at)}

    return write


async def _list_schedules(context: ToolContext, _: NoArguments) -> ToolResult:
    schedules = await context.workbench.store.read(
        Schedule.read_page, context.user_id, _MAX_LISTED
    )
    for schedule in schedules[:_MAX_LISTED]:
        mark_origin(schedule.text_origin)
    return [_make_summary(schedule) for schedule in schedules[:_MAX_LISTED]]


def _make_summary(schedule: Schedule) -> JsonValue:
    return {
        "schedule_id": schedule.id,
        "name": schedule.name,
        "when": describe_timing(schedule),
        "next_at": None if schedule.next_fire_at is None else str(schedule.next_fire_at),
    }


TOOLS: Sequence[Tool] = (
    make_tool(
        "create_schedule",
        "Run a prompt later, once or repeatedly: give one of cron (five fields), every "
        "(seconds, or 15m, 2h) and at (an instant with its offset). The answers become notes "
        "and are sent to nobody.",
        PromptSchedule,
        _create_prompt_schedule,
    ),
    make_tool("list_schedules", "List the schedules of the user.", NoArguments, _list_schedules),
)
