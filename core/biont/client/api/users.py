# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``users``: the users of the workbench, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict, Unpack

from biont.client.api.shared_models import NewKey, Role, Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class CreatedUser(TypedDict):
    """A new user.

    Attributes:
        disabled_at: The instant since which the user is disabled; null for an enabled user.
        key: The first API key in plain text, which no later response contains.
    """

    id: int
    name: str
    role: Role
    time_zone: str | None
    created_at: str
    disabled_at: str | None
    key: str | None


class NewUser(TypedDict):
    """A user to create.

    Attributes:
        role: By default `"member"`.
        time_zone: The time zone of schedules that name none; null for the setting.
        key: The first API key of the user, which ends no later than the key of the request;
            null for a user without a key.
    """

    name: str
    role: NotRequired[Role]
    time_zone: NotRequired[str | None]
    key: NotRequired[NewKey | None]


class UserAccount(TypedDict):
    """A user, as administrators see the account.

    Attributes:
        disabled_at: The instant since which the user is disabled; null for an enabled user.
    """

    id: int
    name: str
    role: Role
    time_zone: str | None
    created_at: str
    disabled_at: str | None


class UserChangeByAdmin(TypedDict):
    """Fields of a user to change, as a JSON merge patch (RFC 7396)."""

    name: NotRequired[str]
    role: NotRequired[Role]


class Users(OperationGroup):
    """The users of the workbench, for administrators."""

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewUser],
    ) -> CreatedUser:
        """Create a user, optionally with a first API key; only this response contains the key.

        The key is made in the same transaction. Further keys are made by the user, or by the
        command
        line.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return self._read(
            CreatedUser,
            make_call(
                "POST",
                "/api/v1/users",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[UserAccount]:
        """List all users, the newest first.

        What a user has is not shown.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            UserAccount,
            make_call(
                "GET",
                "/api/v1/users",
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

    def read(
        self,
        user_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> UserAccount:
        """Read a user.

        What the user has is not shown; see the export.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            UserAccount,
            make_call(
                "GET",
                "/api/v1/users/{}",
                (user_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    def change(
        self,
        user_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[UserChangeByAdmin],
    ) -> UserAccount:
        """Change the name or the role of a user.

        The status is 409 for the last administrator, and for a name that another user has.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return self._read(
            UserAccount,
            make_call(
                "PATCH",
                "/api/v1/users/{}",
                (user_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    def delete(
        self,
        user_id: int,
        /,
        *,
        confirm: str,
        if_match: str | None = None,
    ) -> None:
        """Delete a user with all rows, except for the events in the log; export the rows before.

        The user is disabled at once. The rows are deleted in the background, by an operation of
        the
        kind `user_delete`, which ends with the event `user_deleted`.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.

        Args:
            confirm: The name of the user.
        """
        self._finish(
            make_call(
                "DELETE",
                "/api/v1/users/{}",
                (user_id,),
                query={"confirm": confirm},
                headers={"If-Match": if_match},
            ),
        )

    def disable(
        self,
        user_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> UserAccount:
        """Disable a user: all that acts for the user stops, and everything is kept.

        Keys are refused with 403, streams end, schedules are not due, runs, missions and
        operations
        are interrupted, and deliveries wait. The status is 409 for the last administrator.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return self._read(
            UserAccount,
            make_call(
                "POST",
                "/api/v1/users/{}/disable",
                (user_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def enable(
        self,
        user_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> UserAccount:
        """Enable a user again; the work of the user continues.

        For each schedule, its catch-up policy decides about the occurrences in between.
        Deliveries
        that waited are attempted.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return self._read(
            UserAccount,
            make_call(
                "POST",
                "/api/v1/users/{}/enable",
                (user_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    def export(
        self,
        user_id: int,
        /,
    ) -> bytes:
        """Export all rows of a user, as JSON lines with the table and the row.

        Secrets and digests are left out: `[redacted]`. The events in the log are part of the
        export. A
        request with `Accept: application/octet-stream` gets the same bytes with this media
        type.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return self._read_bytes(
            make_call("GET", "/api/v1/users/{}/export", (user_id,)),
        )


class AsyncUsers(AsyncOperationGroup):
    """The users of the workbench, for administrators."""

    async def create(
        self,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[NewUser],
    ) -> CreatedUser:
        """Create a user, optionally with a first API key; only this response contains the key.

        The key is made in the same transaction. Further keys are made by the user, or by the
        command
        line.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return await self._read(
            CreatedUser,
            make_call(
                "POST",
                "/api/v1/users",
                headers={"Idempotency-Key": idempotency_key},
                body=body,
            ),
        )

    def list(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[UserAccount]:
        """List all users, the newest first.

        What a user has is not shown.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            UserAccount,
            make_call(
                "GET",
                "/api/v1/users",
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

    async def read(
        self,
        user_id: int,
        /,
        *,
        fields: str | None = None,
        if_match: str | None = None,
    ) -> UserAccount:
        """Read a user.

        What the user has is not shown; see the export.

        Needs an API key of scope `full` or `read`. The user of the key has to be an
        administrator. A key that is narrowed to some `events` or `models` may not do this.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            UserAccount,
            make_call(
                "GET",
                "/api/v1/users/{}",
                (user_id,),
                query={"fields": fields},
                headers={"If-Match": if_match},
            ),
        )

    async def change(
        self,
        user_id: int,
        /,
        *,
        if_match: str | None = None,
        **body: Unpack[UserChangeByAdmin],
    ) -> UserAccount:
        """Change the name or the role of a user.

        The status is 409 for the last administrator, and for a name that another user has.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return await self._read(
            UserAccount,
            make_call(
                "PATCH",
                "/api/v1/users/{}",
                (user_id,),
                headers={"If-Match": if_match},
                body=body,
            ),
        )

    async def delete(
        self,
        user_id: int,
        /,
        *,
        confirm: str,
        if_match: str | None = None,
    ) -> None:
        """Delete a user with all rows, except for the events in the log; export the rows before.

        The user is disabled at once. The rows are deleted in the background, by an operation of
        the
        kind `user_delete`, which ends with the event `user_deleted`.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.

        Args:
            confirm: The name of the user.
        """
        await self._finish(
            make_call(
                "DELETE",
                "/api/v1/users/{}",
                (user_id,),
                query={"confirm": confirm},
                headers={"If-Match": if_match},
            ),
        )

    async def disable(
        self,
        user_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> UserAccount:
        """Disable a user: all that acts for the user stops, and everything is kept.

        Keys are refused with 403, streams end, schedules are not due, runs, missions and
        operations
        are interrupted, and deliveries wait. The status is 409 for the last administrator.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return await self._read(
            UserAccount,
            make_call(
                "POST",
                "/api/v1/users/{}/disable",
                (user_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def enable(
        self,
        user_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> UserAccount:
        """Enable a user again; the work of the user continues.

        For each schedule, its catch-up policy decides about the occurrences in between.
        Deliveries
        that waited are attempted.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return await self._read(
            UserAccount,
            make_call(
                "POST",
                "/api/v1/users/{}/enable",
                (user_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )

    async def export(
        self,
        user_id: int,
        /,
    ) -> bytes:
        """Export all rows of a user, as JSON lines with the table and the row.

        Secrets and digests are left out: `[redacted]`. The events in the log are part of the
        export. A
        request with `Accept: application/octet-stream` gets the same bytes with this media
        type.

        Needs an API key of scope `full`. The user of the key has to be an administrator. A key
        that is narrowed to some `events` or `models` may not do this.
        """
        return await self._read_bytes(
            make_call("GET", "/api/v1/users/{}/export", (user_id,)),
        )
