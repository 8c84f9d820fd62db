# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``tools``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue
from biont.client.pages import Pages


class Approval(TypedDict):
    """Approval of a tool call.

    Attributes:
        arguments: Other arguments for the call; null for those of the model. The model learns
            of the change.
    """

    arguments: NotRequired[Mapping[str, JsonValue] | None]


CallStatus: TypeAlias = Literal[
    "queued",
    "waiting",
    "succeeded",
    "failed",
    "refused",
    "rejected",
    "abandoned",
]
"""State of a tool call; see `biont_agents.tool_calls`."""


Decider: TypeAlias = Literal["user", "deadline"]
"""Author of the decision about a waiting tool call."""


LateDecision: TypeAlias = Literal["wait", "deny"]
"""Fate of a tool call whose deadline passes without a decision."""


class Rejection(TypedDict):
    """Rejection of a tool call.

    Attributes:
        reason: The reason, which the model gets as well.
    """

    reason: NotRequired[str | None]


class ToolCallView(TypedDict):
    """A tool call of a model.

    Attributes:
        source: The work of the model: `task-7`, `conversation-3`.
        arguments: The arguments as the model wrote them; usually JSON.
        status: `waiting`: needs your approval; `refused`: the model may not call the tool;
            `rejected`: you rejected the call; `abandoned`: the result is not needed any more.
        result: The result that the model got.
        reason: The reason of a rejection.
        origin: Event by which text of another system came in that the model has read; null for
            none.
        approved_arguments: The arguments with which you approved the call, if you changed them.
        deadline: The instant until which the call is to be decided; null for none.
        overdue: True if the call waits beyond its deadline.
        at_deadline: `deny`: the call is rejected at the deadline; `wait`: the call waits on;
            null for a call that does not wait, or has no deadline.
        decided_by: `deadline`: nobody decided in time; null for a call without a decision.
    """

    id: int
    tool: str
    source: str
    arguments: str
    status: CallStatus
    result: JsonValue
    reason: str | None
    origin: str | None
    approved_arguments: dict[str, JsonValue] | None
    deadline: str | None
    overdue: bool
    at_deadline: LateDecision | None
    decided_by: Decider | None
    created_at: str
    ended_at: str | None


class ToolView(TypedDict):
    """A tool that language models can call.

    Attributes:
        confirm: True if the user must approve each call.
        parameters: JSON schema of the arguments.
    """

    name: str
    description: str
    confirm: bool
    parameters: dict[str, JsonValue]


class Tools(OperationGroup):
    """Tools of language models, and the calls that wait for your approval."""

    def list(
        self,
        *,
        fields: str | None = None,
    ) -> Pages[ToolView]:
        """List the tools, by name.

        Language models may call these tools in chats, tasks and schedules.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ToolView,
            make_call("GET", "/api/v1/tools", query={"fields": fields}),
            None,
        )

    def list_calls(
        self,
        *,
        status: Sequence[CallStatus] | None = None,
        source: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[ToolCallView]:
        """List your tool calls, the newest first; filter by `status` or `source` (`task-7`).

        A call that needs your approval has the status `waiting`.

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
            ToolCallView,
            make_call(
                "GET",
                "/api/v1/tool-calls",
                query={
                    "status": status,
                    "source": source,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read_call(
        self,
        call_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> ToolCallView:
        """Read a tool call.

        The result is there as soon as the call has ended.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            ToolCallView,
            make_call("GET", "/api/v1/tool-calls/{}", (call_id,), query={"fields": fields}),
        )

    def approve_call(
        self,
        call_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Approval],
    ) -> ToolCallView:
        """Approve a waiting tool call; the task or conversation continues with the call.

        With `arguments`, the call is made with other arguments than the model's. The status is
        422 if
        these do not fit the tool, and 409 if the call does not wait for an approval, or if its
        deadline has passed and rejects the call.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return self._read(
            ToolCallView,
            make_call(
                "POST",
                "/api/v1/tool-calls/{}/approve",
                (call_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    def reject_call(
        self,
        call_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Rejection],
    ) -> ToolCallView:
        """Reject a waiting tool call; the model learns of the rejection and continues.

        The status is 409 if the call does not wait for an approval.

        Needs an API key of scope `full`.
        """
        return self._read(
            ToolCallView,
            make_call(
                "POST",
                "/api/v1/tool-calls/{}/reject",
                (call_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )


class AsyncTools(AsyncOperationGroup):
    """Tools of language models, and the calls that wait for your approval."""

    def list(
        self,
        *,
        fields: str | None = None,
    ) -> AsyncPages[ToolView]:
        """List the tools, by name.

        Language models may call these tools in chats, tasks and schedules.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            ToolView,
            make_call("GET", "/api/v1/tools", query={"fields": fields}),
            None,
        )

    def list_calls(
        self,
        *,
        status: Sequence[CallStatus] | None = None,
        source: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[ToolCallView]:
        """List your tool calls, the newest first; filter by `status` or `source` (`task-7`).

        A call that needs your approval has the status `waiting`.

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
            ToolCallView,
            make_call(
                "GET",
                "/api/v1/tool-calls",
                query={
                    "status": status,
                    "source": source,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read_call(
        self,
        call_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> ToolCallView:
        """Read a tool call.

        The result is there as soon as the call has ended.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            ToolCallView,
            make_call("GET", "/api/v1/tool-calls/{}", (call_id,), query={"fields": fields}),
        )

    async def approve_call(
        self,
        call_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Approval],
    ) -> ToolCallView:
        """Approve a waiting tool call; the task or conversation continues with the call.

        With `arguments`, the call is made with other arguments than the model's. The status is
        422 if
        these do not fit the tool, and 409 if the call does not wait for an approval, or if its
        deadline has passed and rejects the call.

        Needs an API key of scope `full`. A key that is narrowed to some `events` or `models`
        may not do this.
        """
        return await self._read(
            ToolCallView,
            make_call(
                "POST",
                "/api/v1/tool-calls/{}/approve",
                (call_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )

    async def reject_call(
        self,
        call_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[Rejection],
    ) -> ToolCallView:
        """Reject a waiting tool call; the model learns of the rejection and continues.

        The status is 409 if the call does not wait for an approval.

        Needs an API key of scope `full`.
        """
        return await self._read(
            ToolCallView,
            make_call(
                "POST",
                "/api/v1/tool-calls/{}/reject",
                (call_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )
