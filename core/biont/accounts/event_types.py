"""Event types of API keys and users."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from biont.event_types import EventType
from biont.schema import Schema


class Act(Schema):
    """An act on a key or a user."""

    by_key_id: int | None = Field(
        description="The API key of the request; null for the command line and the workbench."
    )
    address: str | None = Field(
        description="The address of the client; null for the command line and the workbench."
    )


class KeyCreated(Act):
    """A new API key."""

    key_id: int
    name: str
    prefix: str
    scope: str
    events: list[str] | None
    models: list[str] | None
    expires_at: AwareDatetime | None
    maker_id: int | None = Field(description="The key that has made the key, if any.")
    is_session: bool = Field(description="Whether the key is the session of a browser.")


class KeyRenamed(Act):
    """An API key with a new name."""

    key_id: int
    name: str
    previous_name: str


class KeyRotated(Act):
    """An API key that another key replaces."""

    key_id: int
    name: str
    successor_id: int = Field(description="The key that replaces the key.")
    ends_at: AwareDatetime = Field(description="The instant from which the old key is refused.")


class KeyRevoked(Act):
    """A revoked API key."""

    key_id: int
    name: str
    because_of: int | None = Field(
        description="The revoked key that has made the key; null if the key itself was revoked."
    )


class KeyExpiring(Schema):
    """An API key that ends soon."""

    key_id: int
    name: str
    prefix: str
    expires_at: AwareDatetime


class UserAct(Act):
    """An act on a user."""

    user_id: int
    name: str


class UserCreated(UserAct):
    """A new user."""

    role: str


class UserViewed(UserAct):
    """A user whose rows an administrator has read."""

    viewer_id: int = Field(description="The administrator.")
    viewer: str = Field(description="The name of the administrator.")
    path: str = Field(description="The path of the first request of the look.")


class UserChanged(UserCreated):
    """A user with a new name or role."""

    previous_name: str
    previous_role: str


KEY_CREATED = EventType("key_created", KeyCreated, "An API key was created.")
KEY_RENAMED = EventType("key_renamed", KeyRenamed, "An API key was renamed.")
KEY_ROTATED = EventType(
    "key_rotated", KeyRotated, "An API key was replaced by a new one, and ends after an overlap."
)
KEY_REVOKED = EventType(
    "key_revoked", KeyRevoked, "An API key was revoked, or the key that has made the key."
)
KEY_EXPIRING = EventType(
    "key_expiring", KeyExpiring, "An API key ends within `keys.expiry_warning_days`."
)

USER_CREATED = EventType("user_created", UserCreated, "A user was created.")
USER_CHANGED = EventType(
    "user_changed", UserChanged, "The name or the role of a user was changed."
)
USER_DISABLED = EventType(
    "user_disabled", UserAct, "A user was disabled: nothing acts for the user any more."
)
USER_ENABLED = EventType("user_enabled", UserAct, "A disabled user was enabled.")
USER_VIEWED = EventType(
    "user_viewed",
    UserViewed,
    "An administrator looks at the rows of the user; one event for ten minutes of a key.",
)
USER_DELETED = EventType(
    "user_deleted", UserAct, "A user was deleted, with all rows except for the event log."
)

ACCOUNT_EVENT_TYPES = (
    KEY_CREATED,
    KEY_RENAMED,
    KEY_ROTATED,
    KEY_REVOKED,
    KEY_EXPIRING,
    USER_CREATED,
    USER_CHANGED,
    USER_DISABLED,
    USER_ENABLED,
    USER_VIEWED,
    USER_DELETED,
)
