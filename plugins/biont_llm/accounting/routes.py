"""The routes that tell what calls have taken."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from biont import Api, Page, Request, Schema
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Cursor, Instant, Limit, decode_cursor, make_page
from biont_llm.accounting.tables import RecordedCall
from biont_llm.accounting.usage import Group, UsageTotal, sum_up

Groups = Annotated[
    str,
    Field(
        max_length=100,
        description="What is added up: `day`, `model`, `key`, `schedule`, or several with commas "
        "between them; empty for all together.",
    ),
]

api = Api("usage")


class UsageView(Schema):
    """What the calls of one group have taken."""

    day: str | None = Field(None, description="Of UTC; null where it is not grouped by.")
    model: str | None = Field(None, description="`backend/model`.")
    key_id: int | None = None
    schedule_id: int | None = None
    calls: int
    failed: int = Field(description="How many of them have no whole answer.")
    prompt_tokens: int
    completion_tokens: int
    estimated: int = Field(description="How many calls' tokens are estimated.")
    cost: float | None = Field(description="Of those that have a price.")
    duration: float = Field(description="Of all calls together, in seconds.")


class UsageList(Schema):
    """What was asked for, by group."""

    data: list[UsageView]


class CallView(Schema):
    """One call of a model."""

    id: int
    backend: str
    model: str
    key_id: int | None
    schedule_id: int | None
    run_id: int | None
    conversation_id: int | None
    mission_id: int | None
    prompt_tokens: int
    completion_tokens: int
    estimated: bool = Field(description="Whether the tokens are estimated.")
    cost: float | None
    duration: float = Field(description="In seconds.")
    error: str | None = Field(description="Why there was no whole answer.")
    prompt: str | None = Field(description="The messages as JSON, where texts are kept.")
    answer: str | None
    created_at: datetime = Field(description="When it ended.")


@api.get("/usage")
async def read_usage(
    request: Request,
    group_by: Groups = "day",
    since: Instant | None = None,
    until: Instant | None = None,
) -> UsageList:
    """Add up what your calls of language models have taken."""
    groups = _parse_groups(group_by)
    found = await request.workbench.store.read(sum_up, request.user_id, groups, since, until)
    return UsageList(data=[_show(usage, groups) for usage in found])


@api.get("/usage/calls")
async def list_calls(
    request: Request, limit: Limit = 100, cursor: Cursor = None
) -> Page[CallView]:
    """List your calls of language models, the latest first."""
    rows = await request.workbench.store.read(
        RecordedCall.read_page, request.user_id, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda row: row.id, _show_call)


def _show_call(call: RecordedCall) -> CallView:
    return CallView.model_validate(call, from_attributes=True)


def _parse_groups(text: str) -> list[Group]:
    """Return the groups that a query names, each once.

    Raises:
        InvalidInput: there is none of that name.
    """
    try:
        return list(dict.fromkeys(Group(name.strip()) for name in text.split(",") if name.strip()))
    except ValueError as error:
        known = ", ".join(Group)
        raise InvalidInput(InputProblem(f"must be of {known}", "group_by")) from error


def _show(usage: UsageTotal, groups: list[Group]) -> UsageView:
    names = {Group.KEY: "key_id", Group.SCHEDULE: "schedule_id"}
    group = {names.get(name, name): value for name, value in zip(groups, usage.group, strict=True)}
    return UsageView.model_validate(
        {
            **group,
            "calls": usage.calls,
            "failed": usage.failed,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "estimated": usage.estimated,
            "cost": usage.cost,
            "duration": usage.duration,
        }
    )
