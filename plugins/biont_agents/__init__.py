"""Agents: runs of a language model that calls tools until the model answers."""

from biont_agents.agents import AGENTS, AgentOutcome, Agents, RunBudget
from biont_agents.approvals import abandon_calls, name_source
from biont_agents.tables import AgentStatus
from biont_agents.transcript import NewAgentRun, Progress, read_progress

__all__ = [
    "AGENTS",
    "AgentOutcome",
    "AgentStatus",
    "Agents",
    "NewAgentRun",
    "Progress",
    "RunBudget",
    "abandon_calls",
    "name_source",
    "read_progress",
]
