"""REST routes of tools and tool calls."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import orjson
from pydantic import ConfigDict, Field, JsonValue, ValidationError

from biont import Api, JsonObject, Page, Request, RowId, Schema, Tool
from biont.exceptions import Conflict, InvalidInput, point_to
from biont.http import AnyOf, ListQuery, make_page
from biont.llm import TOOLS
from biont.store import dump_json, read_merged_page
from biont_agents.approvals import CallDecision, decide_call, select_calls
from biont_agents.settings import AgentSettings, LateDecision
from biont_agents.tables import CallStatus, Decider, ToolCallRecord

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
    reason: str | None = Field(description="The reason of a rejection.")
    origin: str | None = Field(
        description="Event by which text of another system came in that the model has read; null "
        "for none."
    )
    approved_arguments: dict[str, JsonValue] | None = Field(
        description="The arguments with which you approved the call, if you changed them."
    )
    deadline: datetime | None = Field(
        description="The instant until which the call is to be decided; null for none."
    )
    overdue: bool = Field(description="True if the call waits beyond its deadline.")
    at_deadline: LateDecision | None = Field(
        description="`deny`: the call is rejected at the deadline; `wait`: the call waits on; "
        "null for a call that does not wait, or has no deadline."
    )
    decided_by: Decider | None = Field(
        description="`deadline`: nobody decided in time; null for a call without a decision."
    )
    created_at: datetime
    ended_at: datetime | None


class Approval(Schema):
    """Approval of a tool call."""

    model_config = ConfigDict(extra="forbid")

    arguments: dict[str, JsonValue] | None = Field(
        None,
        description="Other arguments for the call; null for those of the model. The model learns "
        "of the change.",
    )


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
    return make_page(rows, query.limit, lambda call: call.id, partial(_make_call_view, request))


@api.get("/tool-calls/{call_id}")
async def read_tool_call(request: Request, call_id: RowId) -> ToolCallView:
    """Read a tool call.

    The result is there as soon as the call has ended.
    """
    return _make_call_view(request, await _read_call(request, call_id))


@api.post(
    "/tool-calls/{call_id}/approve",
    narrowable=False,
    status=200,
    example={"arguments": {"integration": "team", "title": "The report is ready"}},
)
async def approve_tool_call(
    request: Request, call_id: RowId, body: Approval | None = None
) -> ToolCallView:
    """Approve a waiting tool call; the task or conversation continues with the call.

    With `arguments`, the call is made with other arguments than the model's. The status is 422 if
    these do not fit the tool, and 409 if the call does not wait for an approval, or if its
    deadline has passed and rejects the call.
    """
    arguments = None
    if body is not None and body.arguments is not None:
        call = await _read_call(request, call_id)
        arguments = _check_arguments(request, call.tool, body.arguments)
    decision = CallDecision(
        is_approved=True, at=request.workbench.clock.now(), arguments=arguments
    )
    return await _decide(request, call_id, decision)


@api.post("/tool-calls/{call_id}/reject", status=200, example={"reason": "Not before Monday."})
async def reject_tool_call(
    request: Request, call_id: RowId, body: Rejection | None = None
) -> ToolCallView:
    """Reject a waiting tool call; the model learns of the rejection and continues.

    The status is 409 if the call does not wait for an approval.
    """
    reason = None if body is None else body.reason
    decision = CallDecision(is_approved=False, at=request.workbench.clock.now(), reason=reason)
    return await _decide(request, call_id, decision)


async def _decide(request: Request, call_id: int, decision: CallDecision) -> ToolCallView:
    late = _find_late_decision(request)
    call = await request.workbench.store.transact(
        decide_call, request.user_id, call_id, decision, late
    )
    return _make_call_view(request, call)


async def _read_call(request: Request, call_id: int) -> ToolCallRecord:
    return await request.workbench.store.read(ToolCallRecord.get_owned, request.user_id, call_id)


def _check_arguments(request: Request, name: str, arguments: JsonObject) -> str:
    """Return arguments as JSON, if these fit the tool."""
    tool = request.workbench.get(TOOLS).get(name)
    if tool is None:
        raise Conflict(f"the tool {name!r} is not available any more; reject the call")
    text = dump_json(arguments)
    try:
        tool.arguments.model_validate_json(text)
    except ValidationError as error:
        raise InvalidInput.from_validation(
            error, lambda place: point_to(("arguments", *place))
        ) from error
    return text


def _find_late_decision(request: Request) -> LateDecision:
    return request.workbench.plugin_settings("agents", AgentSettings).approval_default


def _make_tool_view(tool: Tool) -> ToolView:
    return ToolView(
        name=tool.name,
        description=tool.description,
        confirm=tool.confirm,
        parameters=dict(tool.define().parameters),
    )


def _make_call_view(request: Request, call: ToolCallRecord) -> ToolCallView:
    has_deadline = call.status == CallStatus.WAITING and call.deadline is not None
    approved = call.approved_arguments
    return ToolCallView(
        id=call.id,
        tool=call.tool,
        source=call.source,
        arguments=call.arguments,
        status=CallStatus(call.status),
        result=None if call.result is None else orjson.loads(call.result),
        reason=call.reason,
        origin=call.origin,
        approved_arguments=None if approved is None else orjson.loads(approved),
        deadline=call.deadline,
        overdue=call.is_overdue(request.workbench.clock.now()),
        at_deadline=_find_late_decision(request) if has_deadline else None,
        decided_by=None if call.decided_by is None else Decider(call.decided_by),
        created_at=call.created_at,
        ended_at=call.ended_at,
    )
