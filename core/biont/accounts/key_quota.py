"""Quota of API keys."""

from __future__ import annotations

from biont.accounts.key_records import ApiKey
from biont.accounts.quotas import Quota
from biont.clock import Clock


def make_key_quota(limit: int | None, clock: Clock) -> Quota:
    """Return the quota of keys that are neither revoked nor expired, and no sessions.

    Args:
        limit: the number of keys; None for any number.
        clock: decides whether a key has expired.
    """

    def count(user_id: int) -> int:
        is_live = ApiKey.expires_at.is_null() | (ApiKey.expires_at > clock.now())
        keys = ApiKey.select().where(
            ApiKey.user == user_id, ApiKey.revoked_at.is_null(), is_live, ~ApiKey.is_session
        )
        return int(keys.count())

    return Quota("keys", limit, "limits.keys", count)
