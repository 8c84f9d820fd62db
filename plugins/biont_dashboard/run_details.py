"""Details of a run: the run with its note and its calls of language models."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from biont_dashboard.rendering import parse_instant
from biont_dashboard.visit import Object, Visit

# The record of a call is written a moment after the end of the run.
_AFTER = timedelta(minutes=1)
_CALLS = 200


class RunDetails(NamedTuple):
    """Run with what it has made and used.

    Attributes:
        run: the run.
        note: the note with the answer; None for no note.
        calls: the calls of language models.
        prompt: the prompt that was sent, or else the prompt of the schedule.
        is_prompt_sent: whether `prompt` is the one that was sent.
        answer: the answer, as Markdown.
        tokens: the tokens of all calls.
        cost: the cost of all calls; None if no call has a known price.
    """

    run: Object
    note: Object | None
    calls: Sequence[Object]
    prompt: str
    is_prompt_sent: bool
    answer: str
    tokens: int
    cost: float | None


async def read_run(visit: Visit, schedule: Object, run_id: int) -> RunDetails:
    """Return the details of a run.

    Raises:
        NotFound: the schedule has no such run.
    """
    run = await visit.read(f"/api/v1/schedule/{schedule['id']}/runs/{run_id}")
    note, calls = await asyncio.gather(_read_note(visit, run), _read_calls(visit, run))
    sent = next((str(call["prompt"]) for call in calls if call["prompt"]), "")
    parameters = schedule["parameters"]
    present = parameters.get("prompt") if isinstance(parameters, dict) else None
    answer = next((str(call["answer"]) for call in calls if call["answer"]), "")
    costs = [float(str(call["cost"])) for call in calls if call["cost"] is not None]
    return RunDetails(
        run,
        note,
        calls,
        prompt=sent or str(present or ""),
        is_prompt_sent=bool(sent),
        answer=answer if note is None else str(note["content"]),
        tokens=sum(_count_tokens(call) for call in calls),
        cost=sum(costs) if costs else None,
    )


async def _read_note(visit: Visit, run: Object) -> Object | None:
    result = run["result"]
    note_id = result.get("note_id") if isinstance(result, dict) else None
    return None if note_id is None else await visit.read_or_none(f"/api/v1/notes/{note_id}")


async def _read_calls(visit: Visit, run: Object) -> Sequence[Object]:
    """Return the calls of a run, the newest first; the log of calls is searched by time."""
    if run["started_at"] is None:
        return []
    ended_at = run["ended_at"]
    until = None if ended_at is None else (parse_instant(str(ended_at)) + _AFTER).isoformat()
    calls = await visit.read_rows(
        "/api/v1/usage/calls", since=str(run["claimed_at"]), until=until, limit=_CALLS
    )
    return [call for call in calls if call["run_id"] == run["id"]]


def _count_tokens(call: Object) -> int:
    return int(str(call["prompt_tokens"])) + int(str(call["completion_tokens"]))
