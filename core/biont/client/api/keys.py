# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``keys``: your API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypeAlias, TypedDict, Unpack

from biont.client.api.shared_models import KeyView, NewKey, Scope, Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class CreatedKey(TypedDict):
    """A new API key with the secret.

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
        key: The key in plain text, which no later response contains.
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
    key: str


class DryRun(TypedDict):
    """Recorded uses of an API key, judged by other rights.

    Attributes:
        suffices: Whether all recorded uses would have worked.
        uses: The number of recorded uses of routes.
    """

    suffices: bool
    uses: int
    refused: list[RefusedUse]


class KeyChange(TypedDict):
    """Fields of an API key to change, as a JSON merge patch (RFC 7396)."""

    name: NotRequired[str]


class KeyReport(TypedDict):
    """An API key, with what it has used.

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
        smaller: The smallest rights with which all recorded uses would have worked; null if the
            key has no others, or was not used.
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
    operations: list[RouteUse]
    used_events: list[NameUse]
    used_models: list[NameUse]
    smaller: KeyRights | None


class KeyRights(TypedDict):
    """Scope and narrowing of an API key.

    Attributes:
        scope: By default `"full"`.
        events: The event types that the key may emit, read and subscribe webhooks to: exact, or
            by prefix (`custom_*`); null for all.
        models: The models that requests of the key may use: `backend/model`, or a backend with
            all its models; null for all.
    """

    scope: Scope
    events: list[str] | None
    models: list[str] | None


class KeyRightsInput(TypedDict):
    """Scope and narrowing of an API key.

    Attributes:
        scope: By default `"full"`.
        events: The event types that the key may emit, read and subscribe webhooks to: exact, or
            by prefix (`custom_*`); null for all.
        models: The models that requests of the key may use: `backend/model`, or a backend with
            all its models; null for all.
    """

    scope: NotRequired[Scope]
    events: NotRequired[Sequence[str] | None]
    models: NotRequired[Sequence[str] | None]


class KeyRotation(TypedDict):
    """Rotation of an API key.

    Attributes:
        overlap: The seconds for which the old key remains valid, or `24h`. By default `86400`.
        expires_at: The end of the new key; by default that of the old key.
    """

    overlap: NotRequired[int | str]
    expires_at: NotRequired[str | datetime | None]


class NameUse(TypedDict):
    """Use of event types or of a model.

    Attributes:
        name: A pattern of event types, or `backend/model`.
        last_used_at: May be a minute late.
    """

    name: str
    count: int
    last_used_at: str


class RefusedUse(TypedDict):
    """A recorded use that a key of other rights would refuse.

    Attributes:
        name: Method and path, a pattern of event types, or a model.
        operation: The `operationId` of a route.
    """

    kind: UseKind
    name: str
    operation: str | None
    count: int
    last_used_at: str
    reason: str


class RouteUse(TypedDict):
    """Requests of an API key to one operation.

    Attributes:
        operation: The `operationId`; null for a route that is gone, such as of a plugin.
        route: Method and path.
        last_used_at: May be a minute late.
    """

    operation: str | None
    route: str
    count: int
    last_used_at: str


UseKind: TypeAlias = Literal["route", "event", "model"]
"""Kind of a use."""


class Keys(OperationGroup):
    """Your API keys."""

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewKey],
    ) -> CreatedKey:
        """Create an API key; only this response contains the key.

        A key has a scope, and ends at `expires_at` if given. `events` and `models` narrow the
        key
        within its scope. The key of the request is the maker of the new key: the new key lies
        within
        its limits, ends no later, and is revoked with it. A session acts for the key that
        signed in,
        which is the maker then. Only a hash is stored, so that a lost key cannot be shown
        again.

        Needs an API key of scope `full`.
        """
        return self._read(
            CreatedKey,
            make_call(
                "POST",
                "/api/v1/keys/create",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        is_session: bool | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[KeyView]:
        """List your API keys, including revoked keys and sessions of browsers, newest first.

        The secrets are not stored; `prefix` tells the keys apart.

        Needs an API key of scope `full` or `read`.

        Args:
            is_session: True for sessions only, false for all other keys.
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            KeyView,
            make_call(
                "GET",
                "/api/v1/keys",
                query={
                    "is_session": is_session,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def report(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[KeyReport]:
        """Report what each of your keys has used, and the smallest key that would do.

        `smaller` has the scope and the narrowing with which all recorded uses would have
        worked: make
        such a key, and revoke the old key. The newest keys come first. Sessions are left out.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            KeyReport,
            make_call(
                "GET",
                "/api/v1/keys/report",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def test_rights(
        self,
        key_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[KeyRightsInput],
    ) -> DryRun:
        """Test other rights against the recorded uses of an API key; nothing is changed.

        `refused` lists the uses that a key with these rights would have refused.

        Needs an API key of scope `full`.
        """
        return self._read(
            DryRun,
            make_call(
                "POST",
                "/api/v1/keys/{}/dry-run",
                (key_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def read(
        self,
        key_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> KeyView:
        """Read an API key of yours, without the secret.

        `last_used_at` may be a minute late.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            KeyView,
            make_call(
                "GET",
                "/api/v1/keys/{}",
                (key_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change(
        self,
        key_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[KeyChange],
    ) -> KeyView:
        """Rename an API key.

        What a key may do cannot be changed; create another key. The status is 409 for a
        session.

        Needs an API key of scope `full`.
        """
        return self._read(
            KeyView,
            make_call(
                "PATCH",
                "/api/v1/keys/{}",
                (key_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def revoke(
        self,
        key_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Revoke an API key and all keys made by it, or end a session, with immediate effect.

        The next request with such a key gets 401. The keys stay in the list, with `revoked_at`.

        Needs an API key of scope `full`.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/keys/{}",
                (key_id,),
                headers={"If-Match": if_match},
            ),
        )

    def rotate(
        self,
        key_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[KeyRotation],
    ) -> CreatedKey:
        """Replace an API key by a new key; only this response contains the new key.

        The new key has the name, the scope, the narrowing and the maker of the old key, and its
        children. The old key is refused after the overlap. A key may rotate itself and the keys
        that
        it has made; a key without a maker may rotate all keys within its limits. The status is
        409
        for a session.

        Needs an API key of scope `full`.
        """
        return self._read(
            CreatedKey,
            make_call(
                "POST",
                "/api/v1/keys/{}/rotate",
                (key_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )


class AsyncKeys(AsyncOperationGroup):
    """Your API keys."""

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewKey],
    ) -> CreatedKey:
        """Create an API key; only this response contains the key.

        A key has a scope, and ends at `expires_at` if given. `events` and `models` narrow the
        key
        within its scope. The key of the request is the maker of the new key: the new key lies
        within
        its limits, ends no later, and is revoked with it. A session acts for the key that
        signed in,
        which is the maker then. Only a hash is stored, so that a lost key cannot be shown
        again.

        Needs an API key of scope `full`.
        """
        return await self._read(
            CreatedKey,
            make_call(
                "POST",
                "/api/v1/keys/create",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        is_session: bool | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[KeyView]:
        """List your API keys, including revoked keys and sessions of browsers, newest first.

        The secrets are not stored; `prefix` tells the keys apart.

        Needs an API key of scope `full` or `read`.

        Args:
            is_session: True for sessions only, false for all other keys.
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            KeyView,
            make_call(
                "GET",
                "/api/v1/keys",
                query={
                    "is_session": is_session,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def report(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[KeyReport]:
        """Report what each of your keys has used, and the smallest key that would do.

        `smaller` has the scope and the narrowing with which all recorded uses would have
        worked: make
        such a key, and revoke the old key. The newest keys come first. Sessions are left out.

        Needs an API key of scope `full` or `read`.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            KeyReport,
            make_call(
                "GET",
                "/api/v1/keys/report",
                query={
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def test_rights(
        self,
        key_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[KeyRightsInput],
    ) -> DryRun:
        """Test other rights against the recorded uses of an API key; nothing is changed.

        `refused` lists the uses that a key with these rights would have refused.

        Needs an API key of scope `full`.
        """
        return await self._read(
            DryRun,
            make_call(
                "POST",
                "/api/v1/keys/{}/dry-run",
                (key_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    async def read(
        self,
        key_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> KeyView:
        """Read an API key of yours, without the secret.

        `last_used_at` may be a minute late.

        Needs an API key of scope `full` or `read`.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            KeyView,
            make_call(
                "GET",
                "/api/v1/keys/{}",
                (key_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change(
        self,
        key_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[KeyChange],
    ) -> KeyView:
        """Rename an API key.

        What a key may do cannot be changed; create another key. The status is 409 for a
        session.

        Needs an API key of scope `full`.
        """
        return await self._read(
            KeyView,
            make_call(
                "PATCH",
                "/api/v1/keys/{}",
                (key_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def revoke(
        self,
        key_id: int,
        /,
        *,
        if_match: str | None = None,
    ) -> None:
        """Revoke an API key and all keys made by it, or end a session, with immediate effect.

        The next request with such a key gets 401. The keys stay in the list, with `revoked_at`.

        Needs an API key of scope `full`.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/keys/{}",
                (key_id,),
                headers={"If-Match": if_match},
            ),
        )

    async def rotate(
        self,
        key_id: int,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[KeyRotation],
    ) -> CreatedKey:
        """Replace an API key by a new key; only this response contains the new key.

        The new key has the name, the scope, the narrowing and the maker of the old key, and its
        children. The old key is refused after the overlap. A key may rotate itself and the keys
        that
        it has made; a key without a maker may rotate all keys within its limits. The status is
        409
        for a session.

        Needs an API key of scope `full`.
        """
        return await self._read(
            CreatedKey,
            make_call(
                "POST",
                "/api/v1/keys/{}/rotate",
                (key_id,),
                headers={"Idempotency-Key": idempotency_key},
                body=body or None,
            ),
        )
