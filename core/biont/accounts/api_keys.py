"""API keys: creation, authentication, sessions, revocation.

A key is ``asb_`` and 64 hex characters. The database has only the SHA-256 of a key. A key is
256 random bits, so that a slow password hash would add nothing.

Authentication looks a digest up in a cache first: 0.5 us instead of 137 us for a query. A
revocation empties the cache; the store also reports changes by other processes, which
empty the cache as well. A generation counter keeps a look-up that was under way during the
revocation from putting the old state into the cache.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from biont.accounts.key_acts import KeyDraft, create_key, rename_key, revoke_key, warn_of_expiry
from biont.accounts.key_records import (
    ApiKey,
    find_key,
    get_key,
    read_narrowing,
    save_usage,
    select_keys,
)
from biont.accounts.key_rights import KeySecret
from biont.accounts.key_rotation import Rotation, rotate_key
from biont.accounts.key_uses import KeyUses
from biont.accounts.principal import OPERATOR, WHOLE, Actor, Narrowing, Principal, Scope
from biont.accounts.sessions import SessionDraft, begin_session, end_session, extend_session
from biont.accounts.user_records import Role
from biont.clock import Clock
from biont.exceptions import Forbidden, Unauthorized
from biont.store.span import ALL, Span
from biont.store.store import Store

_KEY = re.compile(r"asb_[0-9a-f]{64}")
# A limit, not an eviction: beyond it, further keys cost a query each, and memory stays bounded.
_CACHE_LIMIT = 10_000

_EXPIRED = "the API key has expired; create a new one"
_REVOKED = "the API key was revoked; create a new one"
_OVER = "the session has ended; sign in again"


class ApiKeys:
    """API keys of all users.

    Args:
        store: the store of the keys.
        clock: decides whether a key has expired.

    Attributes:
        uses: counts what each key uses.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cache: dict[bytes, Principal] = {}
        self._generation = 0
        self._used: dict[int, datetime] = {}
        self.uses = KeyUses(store, clock)
        store.on_foreign_change(self.forget)

    async def create(
        self,
        user_id: int,
        name: str,
        scope: Scope,
        expires_at: datetime | None = None,
        *,
        narrowing: Narrowing = WHOLE,
        actor: Actor = OPERATOR,
    ) -> tuple[str, ApiKey]:
        """Return a new key in plain text, which is not stored, and the key's record.

        Args:
            user_id: the user of the key.
            name: a name to recognise the key by.
            scope: the routes that the key may use.
            expires_at: the instant from which the key is refused; None for never, or for the end
                of the acting key.
            narrowing: the limits of the key within its scope.
            actor: the maker of the key.

        Raises:
            InvalidInput: `expires_at` does not lie in the future, or the key would have rights
                that its maker has not.
        """
        plain, secret = make_secret()
        draft = KeyDraft(
            user_id=user_id, name=name, scope=scope, narrowing=narrowing, expires_at=expires_at
        )
        record = await self._store.transact(create_key, draft, secret, self._clock.now(), actor)
        return plain, record

    async def rotate(self, rotation: Rotation, *, actor: Actor = OPERATOR) -> tuple[str, ApiKey]:
        """Return a new key in plain text, and its record, that replaces a key.

        Raises:
            NotFound: the key does not exist, or belongs to another user.
            Conflict: the key is not valid any more, was rotated before, or is a session.
            Forbidden: the acting key could not have made the key.
            InvalidInput: the new key would be valid for too long.
        """
        plain, secret = make_secret()
        record = await self._store.transact(rotate_key, rotation, secret, self._clock.now(), actor)
        self.forget()
        return plain, record

    async def rename(
        self, key_id: int, name: str, *, user_id: int | None = None, actor: Actor = OPERATOR
    ) -> ApiKey:
        """Rename a key, of any user if `user_id` is None.

        Raises:
            NotFound: the key does not exist, or belongs to another user.
            Conflict: the key is a session.
        """
        return await self._store.transact(rename_key, key_id, user_id, name, actor)

    async def begin_session(
        self, user_id: int, name: str, *, maker_key_id: int | None, address: str, until: datetime
    ) -> tuple[str, ApiKey]:
        """Return a new session of a browser in plain text, and its record.

        Beyond a hundred sessions of a user, the one that was not used for longest is ended.

        Args:
            user_id: the user.
            name: a name to recognise the session by.
            maker_key_id: the key that signs in; None for a session of scope full without a key.
            address: the address of the client.
            until: the end of the session, unless it is extended, or its maker ends earlier.

        Raises:
            NotFound: the user does not exist, or has no such key.
            Forbidden: the user is disabled, or the key is no longer valid or itself a session.
        """
        plain, secret = make_secret()
        draft = SessionDraft(user_id, name, until, dict(self._used))
        actor = Actor(maker_key_id, address)
        record = await self._store.transact(begin_session, draft, secret, self._clock.now(), actor)
        self.forget()
        return plain, record

    async def extend_session(self, key_id: int, until: datetime) -> ApiKey:
        """Move the end of a session ahead, at most to the end of its maker; return its record.

        Raises:
            NotFound: the session does not exist.
        """
        record = await self._store.write(extend_session, key_id, until, self._clock.now())
        self.forget()
        return record

    async def end_session(self, key_id: int, actor: Actor = OPERATOR) -> ApiKey:
        """End a session, with immediate effect; return its record.

        Raises:
            NotFound: the session does not exist.
        """
        record = await self._store.transact(end_session, key_id, self._clock.now(), actor)
        self.forget()
        return record

    async def list_keys(
        self,
        user_id: int,
        limit: int = 2**31,
        span: Span = ALL,
        *,
        is_session: bool | None = None,
    ) -> Sequence[ApiKey]:
        """Return the keys of a user, including revoked keys, in the order of the span.

        Args:
            user_id: the owner of the keys.
            limit: the size of a page; an extra key shows that there is another page.
            span: the part of the list.
            is_session: True for sessions only, False for all other keys, None for both.
        """
        return await self._store.read(select_keys, user_id, limit, span, is_session)

    async def read(self, key_id: int, *, user_id: int) -> ApiKey:
        """Return a key of a user.

        Raises:
            NotFound: the key does not exist, or belongs to another user.
        """
        return await self._store.read(get_key, key_id, user_id)

    async def revoke(
        self, key_id: int, *, user_id: int | None = None, actor: Actor = OPERATOR
    ) -> ApiKey:
        """Revoke a key and the keys that it has made, with immediate effect; return its record.

        Args:
            key_id: the number of the key.
            user_id: the required owner; None accepts a key of any user.
            actor: the source of the act.

        Raises:
            NotFound: the key does not exist, or belongs to another user.
        """
        record = await self._store.transact(revoke_key, key_id, user_id, self._clock.now(), actor)
        self.forget()
        return record

    async def authenticate(self, plain: str | None) -> Principal:
        """Return the principal of a key in plain text.

        Raises:
            Unauthorized: the key is missing, malformed, unknown, expired or revoked.
            Forbidden: the user of the key is disabled.
        """
        if plain is None:
            raise Unauthorized("send an API key in the X-API-Key header")
        digest = _digest(plain)
        principal = self._cache.get(digest)
        if principal is None:
            if not _KEY.fullmatch(plain):
                raise Unauthorized("the X-API-Key header must hold asb_ and 64 hex characters")
            principal = await self._look_up(digest)
        now = self._clock.now()
        if principal.expires_at is not None and principal.expires_at <= now:
            raise Unauthorized(_OVER if principal.is_session else _EXPIRED)
        # In memory only: a write for each request would cost more than the request itself.
        self._used[principal.key_id] = now
        return principal

    async def read_narrowing(self, key_id: int) -> Narrowing:
        """Return the limits of a key, for work that is done after the request of the key."""
        return await self._store.read(read_narrowing, key_id)

    async def warn_of_expiry(self, days: float) -> None:
        """Emit an event for each key that ends within some days, once for each key."""
        now = self._clock.now()
        until = now + timedelta(days=days)
        while await self._store.transact(warn_of_expiry, now, until):
            pass

    def forget(self) -> None:
        """Empty the cache, because a key may have been revoked."""
        self._generation += 1
        self._cache.clear()

    async def save_usage(self) -> None:
        """Store the last use of each key; a crash loses the uses since the last call."""
        # Swapped before the write, so that uses during the write count for the next call.
        used, self._used = self._used, {}
        if used:
            await self._store.write(save_usage, used)
        await self.uses.save()

    async def _look_up(self, digest: bytes) -> Principal:
        generation = self._generation
        record = await self._store.read(find_key, digest.hex())
        if record is None:
            raise Unauthorized("the API key is not known here")
        if record.revoked_at is not None:
            raise Unauthorized(_OVER if record.is_session else _REVOKED)
        if record.user.disabled_at is not None:
            raise Forbidden(
                f"the user {record.user.name!r} of this key is disabled; ask an administrator"
            )
        principal = Principal(
            record.user_id,
            record.id,
            Scope(record.scope),
            record.expires_at,
            record.narrowing,
            is_admin=record.user.role == Role.ADMIN,
            is_session=record.is_session,
        )
        # A revocation during the read may have come too late for this record: do not cache it.
        if generation == self._generation and len(self._cache) < _CACHE_LIMIT:
            self._cache[digest] = principal
        return principal


def _digest(plain: str) -> bytes:
    return hashlib.sha256(plain.encode(errors="replace")).digest()


def make_secret() -> tuple[str, KeySecret]:
    """Return a new key in plain text, and what is stored of the key."""
    plain = "asb_" + secrets.token_hex(32)
    return plain, KeySecret(_digest(plain).hex(), plain[:12])
