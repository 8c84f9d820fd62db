# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``usage``: usage of language models."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from biont.client.api.shared_models import Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class CallView(TypedDict):
    """A recorded call of a language model.

    Attributes:
        estimated: True if the tokens are estimated.
        duration: Duration in seconds.
        error: Error of an incomplete answer.
        prompt: The messages as JSON; null unless texts are kept.
        created_at: End of the call.
    """

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
    estimated: bool
    cost: float | None
    duration: float
    error: str | None
    prompt: str | None
    answer: str | None
    created_at: str


class PriceList(TypedDict):
    """Prices of models, in alphabetical order."""

    data: list[PriceView]


class PriceView(TypedDict):
    """Price of a model, for a million tokens.

    Attributes:
        model: Name of the model, or `backend/model`.
        prompt: Price of a million tokens that the model reads.
        completion: Price of a million tokens that the model writes.
    """

    model: str
    prompt: float
    completion: float


class UsageList(TypedDict):
    """Usage by group."""

    data: list[UsageView]


class UsageView(TypedDict):
    """Usage of the calls of one group.

    Attributes:
        day: Day in UTC; null unless grouped by day.
        model: `backend/model`.
        failed: Number of calls without a whole answer.
        estimated: Number of calls with estimated tokens.
        cost: Cost of the calls with a price.
        duration: Duration of all calls together, in seconds.
    """

    day: str | None
    model: str | None
    key_id: int | None
    schedule_id: int | None
    mission_id: int | None
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    estimated: int
    cost: float | None
    duration: float


class Usage(OperationGroup):
    """Usage of language models."""

    def read(
        self,
        *,
        group_by: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        fields: str | None = None,
    ) -> UsageList:
        """Read the usage of your calls of language models.

        `group_by` names what to sum up by: day, model, key, schedule or mission.

        Needs an API key of scope `full` or `read`.

        Args:
            group_by: Groups: `day`, `model`, `key`, `schedule`, `mission`, or several with
                commas between them; empty for one total.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            UsageList,
            make_call(
                "GET",
                "/api/v1/usage",
                query={"group_by": group_by, "since": since, "until": until, "fields": fields},
            ),
        )

    def list_model_prices(
        self,
        *,
        fields: str | None = None,
    ) -> PriceList:
        """List the prices of models, as the operator has set them.

        All prices are in one currency. A call of a model that is not in the list has no cost.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            PriceList,
            make_call("GET", "/api/v1/usage/prices", query={"fields": fields}),
        )

    def list_model_calls(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[CallView]:
        """List your calls of language models, the latest first.

        `prompt` and `answer` are null unless the operator has texts kept.

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
            CallView,
            make_call(
                "GET",
                "/api/v1/usage/calls",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )


class AsyncUsage(AsyncOperationGroup):
    """Usage of language models."""

    async def read(
        self,
        *,
        group_by: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        fields: str | None = None,
    ) -> UsageList:
        """Read the usage of your calls of language models.

        `group_by` names what to sum up by: day, model, key, schedule or mission.

        Needs an API key of scope `full` or `read`.

        Args:
            group_by: Groups: `day`, `model`, `key`, `schedule`, `mission`, or several with
                commas between them; empty for one total.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            UsageList,
            make_call(
                "GET",
                "/api/v1/usage",
                query={"group_by": group_by, "since": since, "until": until, "fields": fields},
            ),
        )

    async def list_model_prices(
        self,
        *,
        fields: str | None = None,
    ) -> PriceList:
        """List the prices of models, as the operator has set them.

        All prices are in one currency. A call of a model that is not in the list has no cost.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            PriceList,
            make_call("GET", "/api/v1/usage/prices", query={"fields": fields}),
        )

    def list_model_calls(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[CallView]:
        """List your calls of language models, the latest first.

        `prompt` and `answer` are null unless the operator has texts kept.

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
            CallView,
            make_call(
                "GET",
                "/api/v1/usage/calls",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )
