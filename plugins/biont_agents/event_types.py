"""The events of agents."""

from __future__ import annotations

from pydantic import Field

from biont import EventType, Schema


class ToolCallWaiting(Schema):
    """Which call it is."""

    tool_call_id: int
    tool: str
    source: str = Field(description="What the model is at: `task-7`, `conversation-3`.")


class ToolCallDecided(ToolCallWaiting):
    """Which call it is, and what its user has decided."""

    agent_run_id: int
    approved: bool


TOOL_CALL_WAITING = EventType(
    "tool_call_waiting", ToolCallWaiting, "A tool call of a model waits for its user's approval."
)
TOOL_CALL_DECIDED = EventType(
    "tool_call_decided", ToolCallDecided, "A user has approved or rejected a tool call."
)
