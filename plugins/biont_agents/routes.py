"""REST routes of tools and tool calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field, JsonValue

from biont import Api, Page, Request, RowId, Schema, Tool
from biont.http import AnyOf, ListQuery, make_page
from biont.llm import TOOLS
from biont.store import read_merged_page
from biont_agents.approvals import decide_call, select_calls
from biont_agents.tables import CallStatus, ToolCallRecord

api = Api(
    "tools", description="Tools of language models, and the calls that wait for your approval."
)


class ToolView(Schema):
    """A tool that language models can call."""

    name: str
    description: str
    confirm: bool = Field(description="True if the user must approve each call.")
    parameters: dict[str, JsonValue] = Field(description="JSON schema of the arguments.")


class ToolCallView(Schema):
    """A tool call of a model."""

    id: int
    tool: str
    source: str = Field(description="The work of the model: `task-7`, `conversation-3`.")
    arguments: str = Field(description="The arguments as the model wrote them; usually JSON.")
    status: CallStatus = Field(
        description="`waiting`: needs your approval; `refused`: the model may not call the tool; "
        "`rejected`: you rejected the call; `abandoned`: the result is not needed any more."
    )
    result: JsonValue = Field(description="The result that the model got.")
    reason: str | None = Field(description="The reason that you gave for a rejection.")
    created_at: datetime
    ended_at: datetime | None


class Rejection(Schema):
    """Rejection of a tool call."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        None, description="The reason, which the model gets as well."
    )


@api.get("/tools")
async def list_tools(request: Request) -> Page[ToolView]:
    """List the tools, by name.

    Language models may call these tools in chats, tasks and schedules.
    """
    tools = sorted(request.workbench.get(TOOLS).items())
    return Page(data=[_make_tool_view(tool) for _, tool in tools], next=None)


@api.get("/tool-calls")
async def list_tool_calls(
    request: Request,
    query: ListQuery,
    status: AnyOf[CallStatus] | None = None,
    source: Annotated[str, Field(max_length=100)] | None = None,
) -> Page[ToolCallView]:
    """List your tool calls, the newest first; filter by `status` or `source` (`task-7`).

    A call that needs your approval has the status `waiting`.
    """
    rows = await request.workbench.store.read(
        read_merged_page,
        status,
        query.limit,
        query.span,
        lambda each: select_calls(request.user_id, each, source, query.limit, query.span),
    )
    return make_page(rows, query.limit, lambda call: call.id, _make_call_view)


@api.get("/tool-calls/{call_id}")
async def read_tool_call(request: Request, call_id: RowId) -> ToolCallView:
    """Read a tool call.

    The result is there as soon as the call has ended.
    """
    return _make_call_view(
        await request.workbench.store.read(ToolCallRecord.get_owned, request.user_id, call_id)
    )


@api.post("/tool-calls/{call_id}/approve", narrowable=False, status=200)
async def approve_tool_call(request: Request, call_id: RowId) -> ToolCallView:
    """Approve a waiting tool call; the task or conversation continues with the call.

    The status is 409 if the call does not wait for an approval.
    """
    return await _decide(request, call_id, approved=True)


@api.post("/tool-calls/{call_id}/reject", status=200, example={"reason": "Not before Monday."})
async def reject_tool_call(
    request: Request, call_id: RowId, body: Rejection | None = None
) -> ToolCallView:
    """Reject a waiting tool call; the model learns of the rejection and continues.

    The status is 409 if the call does not wait for an approval.
    """
    return await _decide(
        request, call_id, approved=False, reason=None if body is None else body.reason
    )


async def _decide(
    request: Request, call_id: int, *, approved: bool, reason: str | None = None
) -> ToolCallView:
    return _make_call_view(
        await request.workbench.store.transact(
            decide_call, request.user_id, call_id, approved, reason
        )
    )


def _make_tool_view(tool: Tool) -> ToolView:
    return ToolView(
        name=tool.name,
        description=tool.description,
        confirm=tool.confirm,
        parameters=dict(tool.define().parameters),
    )


def _make_call_view(call: ToolCallRecord) -> ToolCallView:
    return ToolCallView(
        id=call.id,
        tool=call.tool,
        source=call.source,
        arguments=call.arguments,
        status=CallStatus(call.status),
        result=None if call.result is None else orjson.loads(call.result),
        reason=call.reason,
        created_at=call.created_at,
        ended_at=call.ended_at,
    )
