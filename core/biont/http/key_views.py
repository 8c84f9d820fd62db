"""REST schemas of API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from biont.accounts.key_records import ApiKey
from biont.accounts.principal import Narrowing, Scope
from biont.event_patterns import PATTERN
from biont.schema import Schema

EVENTS = (
    "The event types that the key may emit, read and subscribe webhooks to: exact, or by prefix "
    "(`custom_*`); null for all."
)
MODELS = (
    "The models that requests of the key may use: `backend/model`, or a backend with all its "
    "models; null for all."
)

EventPatterns = Annotated[
    list[Annotated[str, Field(pattern=PATTERN, max_length=100)]],
    Field(max_length=100),
]
ModelNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=100)
]


class KeyView(Schema):
    """An API key without its secret."""

    state_fields = frozenset({"last_used_at"})

    id: int
    name: str
    prefix: str = Field(description="The first characters of the key, to recognise the key by.")
    scope: Scope
    events: list[str] | None = Field(description=EVENTS)
    models: list[str] | None = Field(description=MODELS)
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    maker_id: int | None = Field(
        description="The key that has made the key, or has signed in; null for a key of the "
        "command line, and for a session by a one-time link."
    )
    successor_id: int | None = Field(description="The key that has replaced the key, if any.")
    is_session: bool = Field(
        description="Whether the key is the session of a browser, which signing in has made."
    )
    last_used_at: datetime | None = Field(description="May lag behind by a minute.")


def make_key_view(record: ApiKey) -> KeyView:
    """Return the view of a key."""
    narrowing = record.narrowing
    return KeyView(
        id=record.id,
        name=record.name,
        prefix=record.prefix,
        scope=Scope(record.scope),
        events=None if narrowing.events is None else [*narrowing.events],
        models=None if narrowing.models is None else [*narrowing.models],
        created_at=record.created_at,
        expires_at=record.expires_at,
        revoked_at=record.revoked_at,
        maker_id=record.maker_id,
        successor_id=record.successor_id,
        is_session=record.is_session,
        last_used_at=record.last_used_at,
    )


def make_narrowing(events: list[str] | None, models: list[str] | None) -> Narrowing:
    """Return the narrowing of the lists of a request."""
    return Narrowing(
        None if events is None else tuple(events), None if models is None else tuple(models)
    )
