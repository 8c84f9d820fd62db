# Written by tests/client/generate.py from the API document. Do not edit.
"""Models of several groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict


class CalendarInterval(TypedDict):
    """Interval in days, weeks, months or years, at a time of the day.

    Attributes:
        days: Every n days.
        weeks: Every n weeks, counted from the Monday of the first week.
        months: Every n months.
        years: Every n years.
        at: Time of the day in the zone, `09:00`; by default that of `starts_at`.
        weekdays: Days of each week, for `weeks`; by default that of `starts_at`.
        day: Day of the month, for `months` and `years`; by default that of `starts_at`. A month
            without this day has no occurrence; each month has the day `last`.
        month: Month, for `years`; by default that of `starts_at`.
    """

    days: NotRequired[int | None]
    weeks: NotRequired[int | None]
    months: NotRequired[int | None]
    years: NotRequired[int | None]
    at: NotRequired[str | None]
    weekdays: NotRequired[list[Weekday] | None]
    day: NotRequired[int | Literal["last"] | None]
    month: NotRequired[int | None]


class Contains(TypedDict):
    """Clause that looks for a member of a list.

    Attributes:
        path: The place of the value: keys and list indexes, separated by dots
            (`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.
    """

    path: str
    op: Literal["contains"]
    value: str | int | float | bool | None


class ContainsSome(TypedDict):
    """Clause that looks for several members of a list: any of these, or all.

    Attributes:
        path: The place of the value: keys and list indexes, separated by dots
            (`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.
    """

    path: str
    op: Literal["any", "all"]
    value: Sequence[str | int | float | bool | None]


class Equality(TypedDict):
    """Clause that compares for equality; true is not 1.

    Attributes:
        path: The place of the value: keys and list indexes, separated by dots
            (`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.
    """

    path: str
    op: Literal["eq", "ne"]
    value: str | int | float | bool | None


Every = TypedDict(
    "Every",
    {
        "and": "Sequence[Equality | Membership | Order | Prefix | Exists | Contains | ContainsSome | Members | Every | Some | Not]",
    },
)
"""Filter that matches if each of its parts matches."""


class Exists(TypedDict):
    """Clause that tests for a value, null included; with false, for a missing value.

    Attributes:
        path: The place of the value: keys and list indexes, separated by dots
            (`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.
        value: By default `true`.
    """

    path: str
    op: Literal["exists"]
    value: NotRequired[bool]


class KeyView(TypedDict):
    """An API key without its secret.

    Attributes:
        prefix: The first characters of the key, to recognise the key by.
        events: The event types that the key may emit, read and subscribe webhooks to: exact, or
            by prefix (`custom_*`); null for all.
        models: The models that requests of the key may use: `backend/model`, or a backend with
            all its models; null for all.
        maker_id: The key that has made the key, or has signed in; null for a key of the command
            line, and for a session by a one-time link.
        successor_id: The key that has replaced the key, if any.
        is_session: Whether the key is the session of a browser, which signing in has made.
        last_used_at: May lag behind by a minute.
    """

    id: int
    name: str
    prefix: str
    scope: Scope
    events: list[str] | None
    models: list[str] | None
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    maker_id: int | None
    successor_id: int | None
    is_session: bool
    last_used_at: str | None


class Members(TypedDict):
    """Clause that tests each member of a list by a filter: any matches, or all do.

    Attributes:
        path: The place of the value: keys and list indexes, separated by dots
            (`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.
        value: The filter; its paths begin at the member.
    """

    path: str
    op: Literal["any", "all"]
    value: (
        Equality
        | Membership
        | Order
        | Prefix
        | Exists
        | Contains
        | ContainsSome
        | Members
        | Every
        | Some
        | Not
    )


class Membership(TypedDict):
    """Clause that looks a value up in a list.

    Attributes:
        path: The place of the value: keys and list indexes, separated by dots
            (`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.
    """

    path: str
    op: Literal["in"]
    value: Sequence[str | int | float | bool | None]


class NewKey(TypedDict):
    """An API key to create.

    Attributes:
        scope: By default `"full"`.
        events: The event types that the key may emit, read and subscribe webhooks to: exact, or
            by prefix (`custom_*`); null for all.
        models: The models that requests of the key may use: `backend/model`, or a backend with
            all its models; null for all.
    """

    name: str
    scope: NotRequired[Scope]
    expires_at: NotRequired[str | datetime | None]
    events: NotRequired[Sequence[str] | None]
    models: NotRequired[Sequence[str] | None]


Not = TypedDict(
    "Not",
    {
        "not": "Equality | Membership | Order | Prefix | Exists | Contains | ContainsSome | Members | Every | Some | Not",
    },
)
"""Filter that matches if its part does not match."""


OperationStatus: TypeAlias = Literal["running", "done", "cancelled", "failed"]
"""Status of an operation."""


class OperationView(TypedDict):
    """An act on many rows that is worked off in the background.

    Attributes:
        kind: The kind of the act.
        subject: The path of the object that the act is about.
        counted: The number of rows to look at; null until they are counted. At the end of the
            act the sum of `done`, `skipped` and `failed`.
        done: The number of rows that were changed.
        skipped: The number of rows with nothing to do.
        failed: The number of rows for which the act has failed.
        error: The last error, of a part that was tried again or not.
        ended_at: Null while the operation runs.
    """

    id: int
    kind: str
    subject: str
    status: OperationStatus
    counted: int | None
    done: int
    skipped: int
    failed: int
    error: str | None
    begun_at: str
    ended_at: str | None


class Order(TypedDict):
    """Clause that compares a number with a number, or text with text.

    The order of text is the order of code points.

    Attributes:
        path: The place of the value: keys and list indexes, separated by dots
            (`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.
    """

    path: str
    op: Literal["lt", "lte", "gt", "gte"]
    value: str | int | float


class Prefix(TypedDict):
    """Clause that compares the beginning of text.

    Attributes:
        path: The place of the value: keys and list indexes, separated by dots
            (`customer.country`), or a JSON Pointer (`/a.b/0/c`), which reaches any key.
    """

    path: str
    op: Literal["prefix"]
    value: str


Role: TypeAlias = Literal["admin", "member"]
"""Role of a user: an administrator manages the users."""


class RowCount(TypedDict):
    """Number of rows that an act would change."""

    count: int
    dry_run: Literal[True]


Scope: TypeAlias = Literal["full", "read", "chat", "webhook"]
"""Set of routes that a key may use."""


Some = TypedDict(
    "Some",
    {
        "or": "Sequence[Equality | Membership | Order | Prefix | Exists | Contains | ContainsSome | Members | Every | Some | Not]",
    },
)
"""Filter that matches if at least one of its parts matches."""


Sort: TypeAlias = Literal["-created_at", "created_at"]
"""Order of a list."""


TaskStatus: TypeAlias = Literal[
    "pending",
    "running",
    "waiting",
    "completed",
    "failed",
    "cancelled",
]
"""State of a task; see `biont_missions.task_runner`."""


class TaskView(TypedDict):
    """A task.

    Attributes:
        position: Number of the task in its mission, from 1; 0 without a mission.
        depends_on: Positions of the earlier tasks whose results are needed.
        status: `waiting` means that a tool call needs your approval.
    """

    id: int
    mission_id: int | None
    position: int
    title: str
    instructions: str
    depends_on: list[int]
    status: TaskStatus
    result: str | None
    error: str | None
    tokens: int
    created_at: str
    started_at: str | None
    ended_at: str | None


TimingKind: TypeAlias = Literal["cron", "every", "calendar", "at"]
"""Form of a timing: cron expression, interval, calendar interval, or one instant."""


Weekday: TypeAlias = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
"""Day of a week."""
