# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``tools``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.json_types import JsonValue
from biont.client.pages import Pages

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
        reason: The reason that you gave for a rejection.
    """

    id: int
    tool: str
    source: str
    arguments: str
    status: CallStatus
    result: JsonValue
    reason: str | None
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
    ) -> ToolCallView:
        """Approve a waiting tool call; the task or conversation continues with the call.

        The status is 409 if the call does not wait for an approval.

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
    ) -> ToolCallView:
        """Approve a waiting tool call; the task or conversation continues with the call.

        The status is 409 if the call does not wait for an approval.

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
