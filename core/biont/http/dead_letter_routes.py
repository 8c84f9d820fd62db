"""The routes of dead letters: what handlers have failed for good."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from biont.event import decode_event
from biont.http.api import Api
from biont.http.paging import Cursor, Limit, Page, decode_cursor, make_page
from biont.http.request import Instant, Request, RowId
from biont.schema import Schema
from biont.store.dead_letters import DeadLetter, DeadLetterFilter

api = Api("events")

HandlerName = Annotated[
    str | None, Field(max_length=200, description="The handler, as `plugin.function`.")
]


class DeadLetterItem(Schema):
    """An event that a handler failed for good."""

    id: int
    handler: str
    event_id: str
    event_type: str
    attempts: int = Field(description="How often the handler was called for it.")
    failed_at: datetime
    replaying: bool = Field(description="Whether the handler is to see it again.")
    summary: str = Field(description="The last line of the error.")


class DeadLetterView(DeadLetterItem):
    """A dead letter with all that is known."""

    payload: dict[str, JsonValue]
    correlation_id: str
    error: str = Field(description="The traceback, with secrets masked.")


class DeadLetterReplay(Schema):
    """Which dead letters are to be handled again: those that meet all that is given."""

    model_config = ConfigDict(extra="forbid")

    handler: HandlerName = None
    since: Instant | None = Field(None, description="Failed at this instant or later.")
    until: Instant | None = Field(None, description="Failed before this instant.")
    dry_run: bool = Field(False, description="Only count them.")


class Replayed(Schema):
    """How many dead letters are handled again."""

    count: int
    dry_run: bool


@api.get("/dead-letters")
async def list_dead_letters(
    request: Request,
    handler: HandlerName = None,
    since: Instant | None = None,
    until: Instant | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[DeadLetterItem]:
    """List the events of yours that a handler failed for good, the newest first."""
    choice = DeadLetterFilter(request.user_id, handler, since, until)
    letters = await request.workbench.events.dead_letters.list_letters(
        choice, limit + 1, decode_cursor(cursor)
    )
    return make_page(letters, limit, lambda letter: letter.id, _show_item)


@api.get("/dead-letters/{letter_id}")
async def read_dead_letter(request: Request, letter_id: RowId) -> DeadLetterView:
    """Read a dead letter with its event and its traceback."""
    return _show(
        await request.workbench.events.dead_letters.read(letter_id, user_id=request.user_id)
    )


@api.post("/dead-letters/{letter_id}/replay", status=202)
async def replay_dead_letter(request: Request, letter_id: RowId) -> DeadLetterItem:
    """Let the handler see the event again; when it handles it, the dead letter is gone."""
    return _show_item(
        await request.workbench.events.dead_letters.replay_one(letter_id, user_id=request.user_id)
    )


@api.post("/dead-letters/replay", status=202)
async def replay_dead_letters(request: Request, body: DeadLetterReplay) -> Replayed:
    """Let handlers see all events of a handler or a time again, or count how many it would be."""
    letters = request.workbench.events.dead_letters
    choice = DeadLetterFilter(request.user_id, body.handler, body.since, body.until)
    count = await (letters.count(choice) if body.dry_run else letters.replay(choice))
    return Replayed(count=count, dry_run=body.dry_run)


@api.delete("/dead-letters/{letter_id}")
async def drop_dead_letter(request: Request, letter_id: RowId) -> None:
    """Drop a dead letter; its handler never gets the event again."""
    await request.workbench.events.dead_letters.delete(letter_id, user_id=request.user_id)


def _show_item(letter: DeadLetter) -> DeadLetterItem:
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


def _show(letter: DeadLetter) -> DeadLetterView:
    event = decode_event(letter.event)
    return DeadLetterView(
        **_show_item(letter).model_dump(),
        payload=dict(event.payload),
        correlation_id=event.correlation_id,
        error=letter.error,
    )
