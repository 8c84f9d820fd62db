"""Retention of agent runs: deletes old runs with their tool calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from peewee import ModelSelect, fn

from biont_agents.tables import AgentRun, ToolCallRecord


def find_old_runs(before: datetime, limit: int) -> list[int]:
    """Return up to `limit` runs without open calls that did nothing after an instant."""
    old = _select_idle().where(AgentRun.updated_at < before)
    return [run.id for run in old.order_by(AgentRun.updated_at).limit(limit)]


def delete_runs(run_ids: Sequence[int]) -> None:
    """Delete the runs without open calls among `run_ids`."""
    AgentRun.delete().where(
        AgentRun.id.in_(_select_idle().where(AgentRun.id.in_(run_ids)))
    ).execute()


def _select_idle() -> ModelSelect[AgentRun]:
    # A call that waits for an approval stays, however long its user takes.
    is_open = ToolCallRecord.select().where(
        ToolCallRecord.run == AgentRun.id, ToolCallRecord.result.is_null()
    )
    return AgentRun.select(AgentRun.id).where(~fn.EXISTS(is_open))
