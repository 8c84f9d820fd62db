"""What the operator decides about agents."""

from __future__ import annotations

from pydantic import Field

from biont import Section


class AgentSettings(Section):
    """Within which limits a model may call tools."""

    rounds: int = Field(
        10, ge=1, le=1000, description="How often a model is asked for one answer at most."
    )
    tokens: int = Field(
        50_000, ge=1, description="What one answer may cost, all rounds together, in tokens."
    )
    timeout: float = Field(
        300.0, gt=0, description="How long one answer may take, approvals aside, in seconds."
    )
    tool_timeout: float = Field(60.0, gt=0, description="How long one tool may take, in seconds.")
