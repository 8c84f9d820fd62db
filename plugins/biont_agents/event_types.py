"""Event types of tool calls."""

from __future__ import annotations

from pydantic import Field

from biont import EventType, Schema


class ToolCallWaiting(Schema):
    """A tool call that waits for an approval."""

    tool_call_id: int
    tool: str
    source: str = Field(description="The work of the model: `task-7`, `conversation-3`.")


class ToolCallDecided(ToolCallWaiting):
    """A tool call and the decision of its user."""

    agent_run_id: int
    approved: bool


TOOL_CALL_WAITING = EventType(
    "tool_call_waiting", ToolCallWaiting, "A tool call of a model waits for its user's approval."
)
TOOL_CALL_DECIDED = EventType(
    "tool_call_decided", ToolCallDecided, "A user has approved or rejected a tool call."
)
