"""Calendar feeds: secret addresses at which programs read the upcoming occurrences of a user.

Calendar programs send no API key, so the address has a token. The database has only the SHA-256
of the token. A user has one feed at most: a new address, or the removal of the feed, ends the old
address.
"""

from __future__ import annotations

import hashlib
import heapq
import secrets
from datetime import datetime, timedelta
from itertools import islice, takewhile

from peewee import BlobField

from biont import InstantField, OwnedTable
from biont.exceptions import NotFound
from biont.scheduling import Schedule
from biont_schedules.upcoming import Occurrence, list_occurrences

_AHEAD = timedelta(days=366)
_MOST_SCHEDULES = 1000
_MOST_OF_ONE = 100
"""The number of occurrences of one schedule: a frequent schedule must not hide the others."""
_MOST = 2000


class CalendarFeed(OwnedTable):
    """Calendar feed of a user.

    Attributes:
        token_hash: the SHA-256 of the token in the address.
    """

    token_hash = BlobField()
    created_at = InstantField()

    class Meta:
        table_name = "calendar_feeds"


def create_feed(user_id: int, now: datetime) -> tuple[CalendarFeed, str]:
    """Give a user a feed with a new token, and return both; an earlier token ends."""
    CalendarFeed.delete().where(CalendarFeed.user == user_id).execute()
    token = "asf_" + secrets.token_hex(24)
    feed = CalendarFeed.create(user=user_id, token_hash=_hash(token), created_at=now)
    return feed, token


def read_feed(user_id: int) -> CalendarFeed:
    """Return the feed of a user.

    Raises:
        NotFound: the user has no feed.
    """
    feed: CalendarFeed | None = CalendarFeed.of_user(user_id).first()
    if feed is None:
        raise NotFound("you have no calendar feed; create one with POST")
    return feed


def delete_feed(user_id: int) -> None:
    """Revoke the feed of a user.

    Raises:
        NotFound: the user has no feed.
    """
    read_feed(user_id).delete_instance()


def read_occurrences(token: str, now: datetime) -> list[Occurrence]:
    """Return the upcoming occurrences that a feed shows, the soonest first.

    Raises:
        NotFound: no feed has this token, or its user is disabled.
    """
    feed = CalendarFeed.get_or_none(CalendarFeed.token_hash == _hash(token))
    if feed is None or feed.user.disabled_at is not None:
        raise NotFound("there is no such calendar feed; its address may have been revoked")
    due = Schedule.of_user(feed.user_id).where(
        Schedule.next_fire_at.is_null(False), ~Schedule.paused
    )
    soonest = due.order_by(Schedule.next_fire_at).limit(_MOST_SCHEDULES)
    end = now + _AHEAD
    merged = heapq.merge(
        *(
            takewhile(
                lambda found: found.due_at <= end,
                islice(list_occurrences(schedule, now), _MOST_OF_ONE),
            )
            for schedule in soonest
        ),
        key=lambda found: (found.due_at, found.schedule.id),
    )
    return list(islice(merged, _MOST))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
