"""Event types of tool calls."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from biont import EventType, Schema
from biont_agents.tables import Decider


class ToolCallEvent(Schema):
    """A tool call of a model."""

    tool_call_id: int
    tool: str
    source: str = Field(description="The work of the model: `task-7`, `conversation-3`.")


class ToolCallWaiting(ToolCallEvent):
    """A tool call that waits for an approval."""

    deadline: datetime | None = Field(
        None, description="The instant until which the call is to be decided; null for none."
    )


class ToolCallDecided(ToolCallEvent):
    """A tool call and the decision about it."""

    agent_run_id: int
    approved: bool
    arguments_changed: bool = Field(
        False, description="True if the user approved the call with other arguments."
    )
    decided_by: Decider = Field(
        Decider.USER, description="`deadline`: nobody decided in time, so the call was rejected."
    )


TOOL_CALL_WAITING = EventType(
    "tool_call_waiting", ToolCallWaiting, "A tool call of a model waits for its user's approval."
)
TOOL_CALL_DECIDED = EventType(
    "tool_call_decided",
    ToolCallDecided,
    "A user has approved or rejected a tool call, or the deadline has rejected the call.",
)
