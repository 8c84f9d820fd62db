"""Makes the tool calls that a model wants."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
import structlog
from pydantic import JsonValue, ValidationError

from biont import ToolContext, Transaction, Workbench
from biont.exceptions import (
    BiontError,
    InvalidAnswer,
    StoreUnavailable,
    describe_validation_error,
)
from biont.llm import TOOLS, Answer, ToolResult
from biont_agents.tables import AgentRun, CallStatus, ToolCallRecord

RESULT_LIMIT = 20_000
"""How many characters of a result a model is told."""

CALL_LIMIT = 100
"""How many calls one answer may want."""

_log = structlog.get_logger("biont_agents")


def check_calls(answer: Answer) -> Answer:
    """Return an answer in which no two calls have the same id, as some servers give them.

    Raises:
        InvalidAnswer: it wants more calls made than `CALL_LIMIT`.
    """
    if len(answer.tool_calls) > CALL_LIMIT:
        raise InvalidAnswer(
            f"the model {answer.model!r} wants {len(answer.tool_calls)} tools called at once; "
            f"it may want {CALL_LIMIT}"
        )
    if len({call.id for call in answer.tool_calls}) == len(answer.tool_calls):
        return answer
    numbered = enumerate(answer.tool_calls)
    apart = tuple(replace(call, id=f"{call.id}-{number}") for number, call in numbered)
    return replace(answer, tool_calls=apart)


@dataclass(frozen=True)
class Caller:
    """Makes calls, one at a time, and records what they gave back.

    Attributes:
        workbench: has the tools.
        timeout: how long one may take, in seconds.
    """

    workbench: Workbench
    timeout: float

    def judge(self, name: str, allowed: Collection[str]) -> CallStatus:
        """Say what is to become of a call: whatever a model has read, it gets no more tools."""
        tool = self.workbench.get(TOOLS).get(name)
        if tool is None or name not in allowed:
            return CallStatus.REFUSED
        return CallStatus.WAITING if tool.confirm else CallStatus.QUEUED

    async def make(self, run: AgentRun, call: ToolCallRecord, allowed: Collection[str]) -> None:
        """Make a call that may be made; tell of one that may not.

        Raises:
            StoreUnavailable: what it gave back could not be recorded.
        """
        if call.status == CallStatus.REJECTED:
            problem = "the user has not approved this call"
            await self._end(call, CallStatus.REJECTED, _tell_error(problem))
        elif self.judge(call.tool, allowed) is CallStatus.REFUSED:
            known = ", ".join(sorted(allowed)) or "none"
            problem = f"there is no tool {call.tool!r} here; there are: {known}"
            await self._end(call, CallStatus.REFUSED, _tell_error(problem))
        else:
            await self._call(run, call)

    async def _call(self, run: AgentRun, call: ToolCallRecord) -> None:
        context = ToolContext(self.workbench, run.user_id, run.source, run.source_url)
        tool = self.workbench.get(TOOLS)[call.tool]
        try:
            async with asyncio.timeout(self.timeout):
                result = await tool.call(context, call.arguments)
            await self._end(call, CallStatus.SUCCEEDED, result)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  # a tool may raise anything; the model is told
            await self._end(call, CallStatus.FAILED, _tell_error(self._explain(call, error)))

    def _explain(self, call: ToolCallRecord, error: Exception) -> str:
        if isinstance(error, ValidationError):
            return describe_validation_error(error, root="arguments")
        if isinstance(error, BiontError):
            return str(error)
        if isinstance(error, TimeoutError):
            return f"the tool took longer than {self.timeout:g} seconds"
        _log.error("tool failed", tool=call.tool, tool_call_id=call.id, exc_info=error)
        return "the tool has failed"

    async def _end(self, call: ToolCallRecord, status: CallStatus, result: ToolResult) -> None:
        now = self.workbench.clock.now()
        await self.workbench.store.transact(_end_call, call.id, status, result, now)


def _end_call(
    tx: Transaction, call_id: int, status: CallStatus, result: ToolResult, now: datetime
) -> None:
    if ToolCallRecord.get_by_id(call_id).result is not None:
        return  # it was abandoned meanwhile
    value = result(tx) if callable(result) else result
    told = orjson.dumps(value).decode()
    if len(told) > RESULT_LIMIT:
        told = orjson.dumps({"cut": told[:RESULT_LIMIT]}).decode()
    ToolCallRecord.update(status=status, result=told, ended_at=now).where(
        ToolCallRecord.id == call_id
    ).execute()


def _tell_error(problem: str) -> JsonValue:
    # What an outside system has said need not be good Unicode.
    return {"error": problem.encode(errors="replace").decode()}
