"""Links to sign in: each opens one session, within a limited time.

The database has only the SHA-256 of a link's token, as of an API key. Opening a link in a browser
shows a button, and only the button uses the link: a program that looks at links to preview them
does not use them up.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from biont.accounts import User
from biont.exceptions import NotFound
from biont_dashboard.tables import SignInLink

_GONE = (
    "this link was used before, or is no longer valid; make another one by "
    "`biont dashboard link --user NAME`"
)


def make_link(user_id: int | None, now: datetime, until: datetime) -> str:
    """Store a new link and return its token; a store function.

    Args:
        user_id: the user whom the link signs in; None to let the visitor make the first user.
        now: the present time.
        until: the instant from which the link is refused.
    """
    # Of no use to anybody any more.
    SignInLink.delete().where(SignInLink.expires_at <= now).execute()
    token = secrets.token_urlsafe(32)
    SignInLink.create(digest=_digest(token), user=user_id, created_at=now, expires_at=until)
    return token


def make_first_link(now: datetime, until: datetime) -> str | None:
    """Store a link for the first user, and return its token; None if there is a user already."""
    return None if User.select().exists() else make_link(None, now, until)


def find_link(token: str, now: datetime) -> SignInLink:
    """Return a link that can be used.

    Raises:
        NotFound: the link is unknown, used or expired, or is for the first user of a workbench
            that has users.
    """
    record = SignInLink.get_or_none(SignInLink.digest == _digest(token))
    if record is None or record.used_at is not None or record.expires_at <= now:
        raise NotFound(_GONE)
    if record.user_id is None and User.select().exists():
        raise NotFound(_GONE)
    return record


def use_link(token: str, now: datetime) -> SignInLink:
    """Return a link, which cannot be used again; a store function.

    Raises:
        NotFound: the link cannot be used.
    """
    record = find_link(token, now)
    record.used_at = now
    record.save(only=["used_at"])
    return record


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
