"""Settings of agents: ``plugins.agents``."""

from __future__ import annotations

from pydantic import Field

from biont import Section


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
    keep_days: int = Field(
        90,
        ge=0,
        le=100_000,
        description="Days for which an agent run and its tool calls are kept; 0 for ever.",
    )
