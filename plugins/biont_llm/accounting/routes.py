"""REST routes of usage and of recorded calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from biont import Api, Page, Request, Schema
from biont.exceptions import InputProblem, InvalidInput
from biont.http import Instant, ListQuery, make_page
from biont_llm.accounting.tables import RecordedCall
from biont_llm.accounting.usage import Group, UsageTotal, sum_usage
from biont_llm.settings import LlmSettings

Groups = Annotated[
    str,
    Field(
        max_length=100,
        description="Groups: `day`, `model`, `key`, `schedule`, `mission`, or several with commas "
        "between them; empty for one total.",
    ),
]

api = Api("usage", description="Usage of language models.")


class UsageView(Schema):
    """Usage of the calls of one group."""

    day: str | None = Field(None, description="Day in UTC; null unless grouped by day.")
    model: str | None = Field(None, description="`backend/model`.")
    key_id: int | None = None
    schedule_id: int | None = None
    mission_id: int | None = None
    calls: int
    failed: int = Field(description="Number of calls without a whole answer.")
    prompt_tokens: int
    completion_tokens: int
    estimated: int = Field(description="Number of calls with estimated tokens.")
    cost: float | None = Field(description="Cost of the calls with a price.")
    duration: float = Field(description="Duration of all calls together, in seconds.")


class UsageList(Schema):
    """Usage by group."""

    data: list[UsageView]


class PriceView(Schema):
    """Price of a model, for a million tokens."""

    model: str = Field(description="Name of the model, or `backend/model`.")
    prompt: float = Field(description="Price of a million tokens that the model reads.")
    completion: float = Field(description="Price of a million tokens that the model writes.")


class PriceList(Schema):
    """Prices of models, in alphabetical order."""

    data: list[PriceView]


class CallView(Schema):
    """A recorded call of a language model."""

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
    estimated: bool = Field(description="True if the tokens are estimated.")
    cost: float | None
    duration: float = Field(description="Duration in seconds.")
    error: str | None = Field(description="Error of an incomplete answer.")
    prompt: str | None = Field(description="The messages as JSON; null unless texts are kept.")
    answer: str | None
    created_at: datetime = Field(description="End of the call.")


@api.get("/usage")
async def read_usage(
    request: Request,
    group_by: Groups = "day",
    since: Instant | None = None,
    until: Instant | None = None,
) -> UsageList:
    """Read the usage of your calls of language models.

    `group_by` names what to sum up by: day, model, key, schedule or mission.
    """
    groups = _parse_groups(group_by)
    found = await request.workbench.store.read(sum_usage, request.user_id, groups, since, until)
    return UsageList(data=[make_usage_view(usage) for usage in found])


@api.get("/usage/prices")
async def list_model_prices(request: Request) -> PriceList:
    """List the prices of models, as the operator has set them.

    All prices are in one currency. A call of a model that is not in the list has no cost.
    """
    settings = request.workbench.plugin_settings("llm", LlmSettings)
    return PriceList(
        data=[
            PriceView(model=name, prompt=price.prompt, completion=price.completion)
            for name, price in sorted(settings.prices.items())
        ]
    )


@api.get("/usage/calls")
async def list_model_calls(request: Request, query: ListQuery) -> Page[CallView]:
    """List your calls of language models, the latest first.

    `prompt` and `answer` are null unless the operator has texts kept.
    """
    rows = await request.workbench.store.read(
        RecordedCall.read_page, request.user_id, query.limit, query.span
    )
    return make_page(rows, query.limit, lambda row: row.id, make_call_view)


def make_call_view(call: RecordedCall) -> CallView:
    """Return the REST representation of a recorded call."""
    return CallView.model_validate(call, from_attributes=True)


def _parse_groups(text: str) -> list[Group]:
    """Return the distinct groups that a query names.

    Raises:
        InvalidInput: a group does not exist.
    """
    try:
        return list(dict.fromkeys(Group(name.strip()) for name in text.split(",") if name.strip()))
    except ValueError as error:
        known = ", ".join(Group)
        raise InvalidInput(InputProblem(f"must be of {known}", "group_by")) from error


def make_usage_view(usage: UsageTotal) -> UsageView:
    """Return the REST representation of the usage of a group."""
    names = {Group.KEY: "key_id", Group.SCHEDULE: "schedule_id", Group.MISSION: "mission_id"}
    group = {names.get(group, group): value for group, value in usage.group.items()}
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
