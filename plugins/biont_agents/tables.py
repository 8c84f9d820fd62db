"""Tables of agent runs and tool calls."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from peewee import BooleanField, ForeignKeyField, IntegerField, TextField

from biont import InstantField, OwnedTable
from biont.llm import TokenUsage
from biont.store import OriginField


class AgentStatus(StrEnum):
    """State of an agent run; only ``going`` and ``done`` are stored."""

    GOING = "going"
    WAITING = "waiting"
    DONE = "done"


class CallStatus(StrEnum):
    """State of a tool call; see `biont_agents.tool_calls`."""

    QUEUED = "queued"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    REJECTED = "rejected"
    ABANDONED = "abandoned"


class Decider(StrEnum):
    """Author of the decision about a waiting tool call."""

    USER = "user"
    DEADLINE = "deadline"


class AgentRun(OwnedTable):
    """One run of a model with tools, from the first prompt to the answer.

    Attributes:
        source: the work that the run belongs to, by kind and number: ``task-7``;
            `source_url` is the REST path of the work.
        model: the model, as in `biont.llm.ChatRequest`; None for the default.
        messages: a JSON list of the messages, without the results of tools, which are in
            `ToolCallRecord`; empty after the run is done.
        tools: a JSON list of the names of the allowed tools.
        status: an `AgentStatus`.
        rounds: the number of requests to the model so far; `max_rounds` is the limit.
        prompt_tokens: the tokens read so far; `completion_tokens` are the tokens written,
            and `max_tokens` limits the sum. `tokens_estimated` marks an estimate.
        answer: the final answer; None before.
        answered_by: the model that was asked last, by the name that its server gives;
            `backend` is the backend of that model.
        origin: the event by which text from outside came in that the run has read, if any.
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
    # Some servers report no usage; an estimate still counts against the limits.
    tokens_estimated = BooleanField(default=False)
    max_tokens = IntegerField()
    answer = TextField(null=True)
    answered_by = TextField(null=True)
    backend = TextField(null=True)
    origin = OriginField()
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "agent_runs"

    @property
    def usage(self) -> TokenUsage:
        """The tokens used so far."""
        return TokenUsage(self.prompt_tokens, self.completion_tokens, self.tokens_estimated)

    @property
    def tokens(self) -> int:
        """The number of tokens used so far."""
        return int(self.prompt_tokens + self.completion_tokens)


class ToolCallRecord(OwnedTable):
    """One tool call of a model, with its result.

    Attributes:
        source: a copy of `AgentRun.source`, because lists filter by the source.
        round: the number of the answer, counting answers with tool calls; `position` is the
            number of the call in that answer.
        call_id: the id that the model gave the call.
        tool: the name of the tool, which need not exist.
        arguments: the text that the model wrote, which need not be JSON.
        status: a `CallStatus`: ``refused`` is not allowed, ``rejected`` not approved,
            ``abandoned`` no longer needed.
        result: the result for the model, as JSON; None while the call is open.
        origin: the origin of the run when the model asked for the call, if any.
        reason: the reason of a rejection.
        approved_arguments: the arguments with which the user approved the call, as JSON; None
            if the user changed nothing.
        deadline: the instant until which a waiting call is to be decided; None for none.
        decided_by: a `Decider`; None before the decision, and for calls that need none.
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
    reason = TextField(null=True)
    origin = OriginField()
    approved_arguments = TextField(null=True)
    deadline = InstantField(null=True)
    decided_by = TextField(null=True)
    created_at = InstantField()
    ended_at = InstantField(null=True)

    @property
    def final_arguments(self) -> str:
        """The arguments of the call: those of the user, else those of the model."""
        return str(self.approved_arguments or self.arguments)

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the call waits beyond its deadline."""
        is_late = self.deadline is not None and self.deadline <= now
        return is_late and self.status == CallStatus.WAITING

    class Meta:
        table_name = "tool_calls"
        indexes = (
            # Unique, so that a stored answer cannot create the same call twice.
            (("run", "round", "position"), True),
            (("user", "status"), False),
            (("user", "source"), False),
        )
