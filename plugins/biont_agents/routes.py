"""The routes of tools and their calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from pydantic import Field, JsonValue

from biont import Api, Page, Request, RowId, Schema, Tool
from biont.http import Cursor, Limit, decode_cursor, make_page
from biont.llm import TOOLS
from biont_agents.approvals import decide_call, select_calls
from biont_agents.tables import CallStatus, ToolCallRecord

api = Api("tools")


class ToolView(Schema):
    """Something that a language model may do."""

    name: str
    description: str
    confirm: bool = Field(description="Whether its user has to approve each call.")
    parameters: dict[str, JsonValue] = Field(description="The JSON schema of its arguments.")


class ToolCallView(Schema):
    """A tool that a model has called."""

    id: int
    tool: str
    source: str = Field(description="What the model is at: `task-7`, `conversation-3`.")
    arguments: str = Field(description="As the model wrote them; JSON, as a rule.")
    status: CallStatus = Field(
        description="`waiting` for your approval; `refused` was not allowed, `rejected` by you; "
        "`abandoned`: nobody wants its answer any more."
    )
    result: JsonValue = Field(description="What the model was told.")
    created_at: datetime
    ended_at: datetime | None


@api.get("/tools")
async def list_tools(request: Request) -> list[ToolView]:
    """List what a language model may do, by name."""
    return [_show_tool(tool) for _, tool in sorted(request.workbench.get(TOOLS).items())]


@api.get("/tool-calls")
async def list_calls(
    request: Request,
    status: CallStatus | None = None,
    source: Annotated[str, Field(max_length=100)] | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ToolCallView]:
    """List tool calls, the newest first: of a `status`, of what a model was at (`task-7`)."""
    rows = await request.workbench.store.read(
        select_calls, request.user_id, status, source, limit, decode_cursor(cursor)
    )
    return make_page(rows, limit, lambda call: call.id, _show_call)


@api.get("/tool-calls/{call_id}")
async def read_call(request: Request, call_id: RowId) -> ToolCallView:
    """Read a tool call."""
    return _show_call(
        await request.workbench.store.read(ToolCallRecord.get_owned, request.user_id, call_id)
    )


@api.post("/tool-calls/{call_id}/approve", status=200)
async def approve(request: Request, call_id: RowId) -> ToolCallView:
    """Let a call that waits be made; what waits for it goes on."""
    return await _decide(request, call_id, approved=True)


@api.post("/tool-calls/{call_id}/reject", status=200)
async def reject(request: Request, call_id: RowId) -> ToolCallView:
    """Let a call that waits not be made; the model is told so, and goes on."""
    return await _decide(request, call_id, approved=False)


async def _decide(request: Request, call_id: int, *, approved: bool) -> ToolCallView:
    return _show_call(
        await request.workbench.store.transact(decide_call, request.user_id, call_id, approved)
    )


def _show_tool(tool: Tool) -> ToolView:
    return ToolView(
        name=tool.name,
        description=tool.description,
        confirm=tool.confirm,
        parameters=dict(tool.define().parameters),
    )


def _show_call(call: ToolCallRecord) -> ToolCallView:
    return ToolCallView(
        id=call.id,
        tool=call.tool,
        source=call.source,
        arguments=call.arguments,
        status=CallStatus(call.status),
        result=None if call.result is None else orjson.loads(call.result),
        created_at=call.created_at,
        ended_at=call.ended_at,
    )
