"""Routes of dead letters: list, read, replay and drop."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from biont.event import decode_event
from biont.http.api import ROOT, Api
from biont.http.operation_views import OperationView, make_operation_view
from biont.http.paging import Cursor, Limit, Page, decode_cursor, make_page
from biont.http.request import Instant, Request, RowId
from biont.schema import Schema
from biont.store.dead_letters import DeadLetter, DeadLetterFilter

DEAD_LETTER_REPLAY = "dead_letter_replay"
"""The operation kind that replays many dead letters."""

api = Api(
    "events",
    description="The event log: emit, list and follow events; event types and dead letters.",
)

HandlerName = Annotated[
    str | None, Field(max_length=200, description="The handler, as `plugin.function`.")
]


class DeadLetterItem(Schema):
    """A dead letter: an event that a handler failed to handle after all attempts."""

    id: int
    handler: str
    event_id: str
    event_type: str
    attempts: int = Field(description="The number of times that the handler got the event.")
    failed_at: datetime
    replaying: bool = Field(description="True if a replay to the handler is pending.")
    summary: str = Field(description="The last line of the error.")


class DeadLetterView(DeadLetterItem):
    """A dead letter with the event's payload and the traceback."""

    payload: dict[str, JsonValue]
    correlation_id: str
    error: str = Field(description="The traceback, with secrets redacted.")


class LetterChoice(Schema):
    """Selection of dead letters; a dead letter must match all given fields."""

    model_config = ConfigDict(extra="forbid")

    handler: HandlerName = None
    since: Instant | None = Field(None, description="Failed at this instant or later.")
    until: Instant | None = Field(None, description="Failed before this instant.")

    def make_filter(self, user_id: int) -> DeadLetterFilter:
        """Return the choice among the letters of a user."""
        return DeadLetterFilter(user_id, self.handler, self.since, self.until)


class DeadLetterReplay(LetterChoice):
    """Selection of dead letters to replay; a dead letter must match all given fields."""

    dry_run: bool = Field(False, description="Only count the dead letters.")


class LetterCount(Schema):
    """Number of dead letters that a replay would replay."""

    count: int
    dry_run: Literal[True]


@api.get("/dead-letters", narrowable=False)
async def list_dead_letters(
    request: Request,
    handler: HandlerName = None,
    since: Instant | None = None,
    until: Instant | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[DeadLetterItem]:
    """List your dead letters, newest first.

    A dead letter is an event that a handler failed to handle after all retries.
    """
    choice = DeadLetterFilter(request.user_id, handler, since, until)
    found = await request.workbench.events.dead_letters.list_letters(
        choice, limit + 1, decode_cursor(cursor)
    )
    return make_page(
        found.rows, limit, lambda letter: letter.id, _make_dead_letter_item, scanned_to=found.end
    )


@api.get("/dead-letters/{letter_id}", narrowable=False)
async def read_dead_letter(request: Request, letter_id: RowId) -> DeadLetterView:
    """Read a dead letter with its event and traceback.

    Secrets in the traceback are redacted.
    """
    return _make_dead_letter_view(
        await request.workbench.events.dead_letters.read(letter_id, user_id=request.user_id)
    )


@api.post("/dead-letters/{letter_id}/replay", narrowable=False, status=202)
async def replay_dead_letter(request: Request, letter_id: RowId) -> DeadLetterItem:
    """Replay a dead letter to its handler; on success the dead letter is removed.

    The handler gets the event again in the background; `replaying` is true until then.
    """
    return _make_dead_letter_item(
        await request.workbench.events.dead_letters.replay_one(letter_id, user_id=request.user_id)
    )


@api.post(
    "/dead-letters/replay",
    narrowable=False,
    status=202,
    location="/operations/{id}",
    example={"handler": "tally.count_event"},
)
async def replay_dead_letters(
    request: Request, body: DeadLetterReplay
) -> OperationView | LetterCount:
    """Replay the dead letters of a handler or a time, or count them in a dry run.

    The replay is an operation of the kind `dead_letter_replay`, which `Location` names. A dry run
    begins nothing: the answer is the number, without `Location`.
    """
    workbench = request.workbench
    if body.dry_run:
        letters = workbench.events.dead_letters
        count = await letters.count(body.make_filter(request.user_id))
        return LetterCount(count=count, dry_run=True)
    choice = LetterChoice(handler=body.handler, since=body.since, until=body.until)
    return make_operation_view(
        await workbench.store.transact(
            workbench.operations.begin,
            request.user_id,
            DEAD_LETTER_REPLAY,
            f"{ROOT}/dead-letters",
            choice,
        )
    )


@api.delete("/dead-letters/{letter_id}", narrowable=False)
async def drop_dead_letter(request: Request, letter_id: RowId) -> None:
    """Drop a dead letter; the handler never gets the event again.

    The event itself stays in the event log.
    """
    await request.workbench.events.dead_letters.delete(letter_id, user_id=request.user_id)


def _make_dead_letter_item(letter: DeadLetter) -> DeadLetterItem:
    return DeadLetterItem(
        id=letter.id,
        handler=letter.handler,
        event_id=letter.event_id,
        event_type=letter.event_type,
        attempts=letter.attempts,
        failed_at=letter.failed_at,
        replaying=letter.replaying,
        summary=letter.error.strip().rpartition("\n")[2],
    )


def _make_dead_letter_view(letter: DeadLetter) -> DeadLetterView:
    event = decode_event(letter.event)
    return DeadLetterView(
        **_make_dead_letter_item(letter).model_dump(),
        payload=dict(event.payload),
        correlation_id=event.correlation_id,
        error=letter.error,
    )
