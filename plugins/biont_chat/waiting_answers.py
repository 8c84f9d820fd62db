"""Waiting answers: the answers of agent runs that go on after the approval of a tool call.

A waiting answer is a row of `WaitingAnswer`, whose question is stored without an answer:

    waiting --tool call decided--> advancing --answer or permanent error--> stored, row deleted
       ^                              |
       +----another tool call waits---+

The handler of ``tool_call_decided`` calls `resume_answer`. The answer is stored and the row is
deleted in a single transaction. The handler may be called repeatedly, also after a crash, so the
row decides which call stores the answer.
"""

from __future__ import annotations

from biont import Workbench
from biont.events import mark_origin
from biont.exceptions import BackendRefused, LimitReached
from biont.llm import LlmCall, TokenUsage
from biont_agents import AGENTS, AgentOutcome, AgentStatus
from biont_chat.conversations import Reply, save_late_reply
from biont_chat.tables import WaitingAnswer


def make_outcome_reply(outcome: AgentOutcome) -> Reply:
    """Return the answer of a finished agent run."""
    return Reply(outcome.answer or "", outcome.model, outcome.backend, outcome.usage)


async def resume_answer(workbench: Workbench, run_id: int) -> None:
    """Continue a waiting answer after the decision; do nothing if no answer waits for the run.

    A permanent error becomes the text of the answer, marked as interrupted.

    Raises:
        BackendError: no backend answered now; a later attempt may succeed.
    """
    waiting = await workbench.store.read(_find_waiting_answer, run_id)
    if waiting is None:
        return
    waiting_id, call = waiting
    try:
        outcome = await workbench.get(AGENTS).advance(run_id, call)
    except (BackendRefused, LimitReached) as error:
        reply = Reply(f"There is no answer: {error}", "", "", TokenUsage(0, 0), interrupted=True)
    else:
        # The model has requested another tool call that needs approval.
        if outcome.status is AgentStatus.WAITING:
            return
        mark_origin(outcome.origin)
        reply = make_outcome_reply(outcome)
    await workbench.store.transact(save_late_reply, waiting_id, reply, workbench.clock.now())


def _find_waiting_answer(run_id: int) -> tuple[int, LlmCall] | None:
    """Return the number of the waiting answer, and the owners of its call."""
    row = WaitingAnswer.get_or_none(WaitingAnswer.agent_run_id == run_id)
    if row is None:
        return None
    conversation = row.question.conversation
    return row.id, LlmCall(
        user_id=conversation.user_id, key_id=row.key_id, conversation_id=conversation.id
    )
