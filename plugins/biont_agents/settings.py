"""Settings of agents: ``plugins.agents``."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from biont import Section


class LateDecision(StrEnum):
    """Fate of a tool call whose deadline passes without a decision."""

    WAIT = "wait"
    DENY = "deny"


class AgentSettings(Section):
    """Limits of answers with tool calls."""

    rounds: int = Field(
        10, ge=1, le=1000, description="Largest number of requests to the model for one answer."
    )
    tokens: int = Field(50_000, ge=1, description="Token budget of one answer, over all rounds.")
    timeout: float = Field(
        300.0, gt=0, description="Largest duration of one answer in seconds, without approvals."
    )
    tool_timeout: float = Field(
        60.0, gt=0, description="Largest duration of one tool call in seconds."
    )
    approval_timeout: float | None = Field(
        None,
        gt=0,
        le=1_000_000_000,
        description="Time in seconds that a user has to decide about a tool call; null for any.",
    )
    approval_default: LateDecision = Field(
        LateDecision.WAIT,
        description="Fate of a tool call without a decision in time: `wait` marks the call as "
        "overdue, `deny` rejects the call.",
    )
    outside_tools: list[str] = Field(
        [
            "create_note",
            "create_task",
            "list_integrations",
            "list_schedules",
            "list_tasks",
            "read_note",
            "search_events",
            "search_notes",
        ],
        description="Tools that need no approval after an answer has read text of another system; "
        "all other tools wait for an approval then.",
    )
    keep_days: int = Field(
        90,
        ge=0,
        le=100_000,
        description="Days for which an agent run and its tool calls are kept; 0 for ever.",
    )

    @property
    def approval_time(self) -> timedelta | None:
        """The time that a user has to decide about a tool call; None for any."""
        seconds = self.approval_timeout
        return None if seconds is None else timedelta(seconds=seconds)
