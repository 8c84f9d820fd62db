"""What models were asked to do, and the tools that they called."""

from __future__ import annotations

from enum import StrEnum

from peewee import BooleanField, ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable
from biont.llm import TokenUsage


class AgentStatus(StrEnum):
    """How things stand with an agent's run."""

    GOING = "going"
    WAITING = "waiting"
    DONE = "done"


class CallStatus(StrEnum):
    """What became of a tool call."""

    QUEUED = "queued"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


class AgentRun(OwnedTable):
    """One thing that a model was asked to do.

    Attributes:
        source: for what, by kind and number: ``task-7``; and `source_url`, where that is.
        model: who is asked, as `biont.ChatRequest` says it; None for the default.
        messages: a JSON list of the turns until it is done, without the results of tools,
            which are in `ToolCallRecord`.
        tools: a JSON list of the tools that may be called, by name.
        status: an `AgentStatus`; ``waiting`` is for an approval.
        rounds: how often the model was asked, and `max_rounds`, how often at most.
        prompt_tokens: what that has cost, with `completion_tokens`; some of it by an
            estimate if `tokens_estimated`. It may be `max_tokens` together.
        answer: what came of it.
        answered_by: which model was asked last, as its server names it, and `backend`,
            who has that model.
    """

    source = TextField()
    source_url = TextField()
    model = TextField(null=True)
    messages = TextField()
    tools = TextField()
    status = TextField(default=AgentStatus.GOING)
    rounds = IntegerField(default=0)
    max_rounds = IntegerField()
    prompt_tokens = IntegerField(default=0)
    completion_tokens = IntegerField(default=0)
    tokens_estimated = BooleanField(default=False)
    max_tokens = IntegerField()
    answer = TextField(null=True)
    answered_by = TextField(null=True)
    backend = TextField(null=True)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "agent_runs"

    @property
    def usage(self) -> TokenUsage:
        """What it has cost so far."""
        return TokenUsage(self.prompt_tokens, self.completion_tokens, self.tokens_estimated)

    @property
    def tokens(self) -> int:
        """What it has cost so far, all together."""
        return int(self.prompt_tokens + self.completion_tokens)


class ToolCallRecord(OwnedTable):
    """A tool that a model has called, and what it gave back.

    Attributes:
        source: the `AgentRun.source`.
        round: in which answer of the model, and `position`, at which place of it.
        call_id: as the model calls it.
        tool: which tool; it need not exist.
        arguments: JSON as the model wrote it; it need not be JSON.
        status: a `CallStatus`; ``refused`` was not allowed, ``rejected`` not approved,
            ``abandoned`` not wanted any more before it was made.
        result: JSON that the model is told.
    """

    run_id: int
    run = ForeignKeyField(AgentRun, on_delete="CASCADE")
    source = TextField()
    round = IntegerField()
    position = IntegerField()
    call_id = TextField()
    tool = TextField()
    arguments = TextField()
    status = TextField()
    result = TextField(null=True)
    created_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        table_name = "tool_calls"
        indexes = (
            (("run", "round", "position"), True),
            (("user", "status"), False),
            (("user", "source"), False),
        )
